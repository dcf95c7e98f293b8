import type { RefusalCode, RefusalOf } from './refusal.ts'

/**
 * The result of an operation: a value, or the reason for the refusal. It is a plain object, so that it
 * passes RPC, queues and JSON unchanged. `Code` is the union of the codes that the refusal may carry.
 *
 * @example
 * ```ts
 * const added = await addMember(seatgate, scope, { userId, role: 'member' })
 * if (!added.ok) return c.text(added.error.code, 409)
 * console.log(added.value.membership.id)
 * ```
 */
export type Result<T, Code extends RefusalCode = RefusalCode> = Granted<T> | Refused<Code>

/** A {@link Result} with a value. */
export interface Granted<T> {
  readonly ok: true
  readonly value: T
}

/** A {@link Result} without a value, for one of these codes. */
export interface Refused<Code extends RefusalCode = RefusalCode> {
  readonly ok: false
  readonly error: RefusalOf<Code>
}

/** Wraps a value as a successful {@link Result}. */
export function ok<T>(value: T): Granted<T> {
  return { ok: true, value }
}

/** Wraps a refusal as a failed {@link Result} with its code. */
export function refused<Code extends RefusalCode>(error: RefusalOf<Code>): Refused<Code> {
  return { ok: false, error }
}
