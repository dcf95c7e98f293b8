/**
 * The hooks in which a host adds statements to a batch of a user's life.
 *
 * @module
 */
import * as v from 'valibot'
import type { Statement } from '../../database/database.ts'
import { ok, refused, type HookRefusal, type Result } from '../../base/result.ts'
import type { HookContext, LifecycleHooks } from '../model/hooks.ts'
import { answerOf, Refused, refusalOf } from './ask-hooks.ts'

const Statements = v.union([
  v.object({ ok: v.literal(true), statements: v.array(v.custom<Statement>(isStatement)) }),
  Refused,
])

/**
 * Lets the host add its statements to those of a step in a user's life, for one batch. Without the hook
 * the statements stay unchanged.
 *
 * Refusals: `hook_refused`, `hook_failed`.
 *
 * @example
 * ```ts
 * const registered = await composeLifecycle(seatgate, 'onRegister', [insertUser], { userId })
 * if (registered.ok) await db.batch(registered.value)
 * ```
 */
export async function composeLifecycle(
  context: HookContext,
  hook: keyof LifecycleHooks,
  statements: readonly Statement[],
  facts: { readonly userId: string }
): Promise<Result<readonly Statement[], HookRefusal>> {
  const asked = context.lifecycle[hook]
  if (asked == null) return ok(statements)
  const answer = await answerOf(context, hook, Statements, () => asked(statements, facts))
  if (!answer.ok) return answer
  if (!answer.value.ok) return refused(refusalOf(answer.value))
  const composed = answer.value.statements
  if (statements.every((statement) => composed.includes(statement))) return ok(composed)
  const error = new TypeError(`${hook} did not return every statement that it received.`)
  context.report({ event: 'hook_failed', error })
  return refused({ code: 'hook_failed' })
}

// A Drizzle statement is a thenable: check it without awaiting it, which would run it.
function isStatement(value: unknown): boolean {
  return typeof value === 'object' && value !== null && '_prepare' in value
}
