import { HOOKS, type HookContext, type Hooks, type LifecycleHooks } from '../engine/model/hooks.ts'
import { checkFunctions, groupOf, wrong } from './option-group.ts'

/** The host's hooks: before and after changes, and in the life of a user. */
export interface HookOptions extends Hooks, LifecycleHooks {
  /** For how many seconds a hook may run before its operation is refused. Default 5. */
  readonly deadlineSeconds?: number
}

const NAMES = [...Object.keys(HOOKS), 'deadlineSeconds']

/**
 * Checks the hooks: a misspelt one would be a policy that is never enforced.
 *
 * @throws {TypeError} if one of the options is invalid.
 */
export function checkedHooks(
  options: HookOptions | undefined
): Omit<HookContext, 'report' | 'trace'> {
  const hooks = groupOf('hooks', options, NAMES)
  const { deadlineSeconds, ...functions } = hooks
  checkFunctions('hooks', functions)
  // The host's own object: a hook may be a method of its class.
  return { hooks, lifecycle: hooks, hookDeadlineSeconds: secondsOf(deadlineSeconds ?? 5) }
}

function secondsOf(seconds: number): number {
  if (Number.isFinite(seconds) && seconds > 0) return seconds
  throw wrong('hooks.deadlineSeconds must be a positive number of seconds.')
}
