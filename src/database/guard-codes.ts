/** The codes that a guard aborts its batch with. */
export const GUARD_CODES = [
  'stale',
  'ledger_superseded',
  'last_owner',
  'session_gone',
  'organization_not_found',
  'insufficient_role',
  'already_member',
  'slug_taken',
  'rate_limited_user',
  'rate_limited_organization',
  'user_unknown',
  'idempotency_mismatch',
  'operation_in_progress',
  'seat_limit_reached',
  'seats_unavailable',
] as const

/**
 * The codes that a guard may abort with. `stale` asks for a new plan, `ledger_superseded` for a new plan
 * and a new call of the ledger; the others are final.
 */
export type GuardCode = (typeof GUARD_CODES)[number]
