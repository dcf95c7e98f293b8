/**
 * An expected "no", as data. The code is the API; texts for people are made at the edge.
 *
 * `seat_limit_reached` carries the limit and the seats in use when it was decided,
 * `validation_error` the messages by field.
 */
export type Refusal =
  | { readonly code: 'seat_limit_reached'; readonly limit: number; readonly used: number }
  | {
      readonly code: 'validation_error'
      readonly errors: Readonly<Record<string, readonly string[]>>
    }
  | { readonly code: PlainRefusalCode }

type PlainRefusalCode =
  | 'unauthenticated'
  | 'insufficient_role'
  | 'organization_not_found'
  | 'not_found'
  | 'already_member'
  | 'last_owner'
  | 'operation_in_progress'
  | 'idempotency_mismatch'
  | 'invalid_cursor'
  | 'invalid_json'
  | 'payload_too_large'
  | 'seats_unavailable'
  | 'unavailable'

/** Every code that a {@link Refusal} can carry. */
export type RefusalCode = Refusal['code']

/** Refuses an input, naming what is wrong field by field. */
export function invalid(errors: Record<string, readonly string[]>): Refusal {
  return { code: 'validation_error', errors }
}
