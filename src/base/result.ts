import type { Refusal } from './refusal.ts'

/**
 * What an operation answers: a value, or the reason it was refused. A plain object, so that it
 * crosses RPC, queues and JSON unchanged.
 *
 * @example
 * ```ts
 * const added = await addMember(seatgate, scope, { userId, role: 'member' })
 * if (!added.ok) return c.text(added.error.code, 409)
 * console.log(added.value.membership.id)
 * ```
 */
export type Result<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: Refusal }

/** Wraps a value as a successful {@link Result}. */
export function ok<T>(value: T): Result<T> {
  return { ok: true, value }
}

/** Wraps a refusal as a failed {@link Result}. */
export function refused(error: Refusal): { readonly ok: false; readonly error: Refusal } {
  return { ok: false, error }
}
