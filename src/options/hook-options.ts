import { HOOKS, type HookContext, type Hooks, type LifecycleHooks } from '../engine/model/hooks.ts'
import { FUNCTION, groupOf, type Rule, type Rules } from './option-group.ts'

/** The host's hooks: before and after changes, and in the life of a user. */
export interface HookOptions extends Hooks, LifecycleHooks {
  /** For how many seconds a hook may run before its operation is refused. Default 5. */
  readonly deadlineSeconds?: number
}

const names = Object.keys(HOOKS) as (keyof typeof HOOKS)[]
const RULES: Rules<HookOptions> = {
  ...(Object.fromEntries(names.map((name) => [name, FUNCTION])) as Record<
    keyof typeof HOOKS,
    Rule
  >),
  deadlineSeconds: [
    'be a positive number of seconds',
    (value) => value === null || (Number.isFinite(value) && (value as number) > 0),
  ],
}

/**
 * Checks the hooks: a misspelt one would be a policy that is never enforced.
 *
 * @throws {TypeError} if one of the options is invalid.
 */
export function checkedHooks(
  options: HookOptions | undefined
): Omit<HookContext, 'report' | 'trace'> {
  const hooks = groupOf('hooks', options, RULES)
  // The host's own object: a hook may be a method of its class.
  return { hooks, lifecycle: hooks, hookDeadlineSeconds: hooks.deadlineSeconds ?? 5 }
}
