/**
 * The queries about seats that the ledger and the D1-only provider share. D1 is the source of truth.
 *
 * @module
 */
import { sql, type SQL } from 'drizzle-orm'
import { seatIdOf, type SeatType } from '../../base/seat-types.ts'
import { limitView } from './limit.ts'
import type { SeatContext } from './provider.ts'

/** Builds a scalar subquery of the number of held seats of a type, from the counts that triggers keep. */
export function seatsHeld(organizationId: string | SQL, type: SeatType = null): SQL<number> {
  if (type !== null) {
    return sql<number>`coalesce((select seats from seatgate_seat_type_counts
      where organization_id = ${organizationId} and seat_type = ${type}), 0)`
  }
  // The first count is that of all seats.
  return sql<number>`(coalesce((select seats from seatgate_member_counts
    where organization_id = ${organizationId}), 0) - coalesce((select sum(seats)
    from seatgate_seat_type_counts where organization_id = ${organizationId}), 0))`
}

/** Builds a scalar subquery of the number of seats of a type that pending invitations reserve. */
export function seatsReserved(
  organizationId: string | SQL,
  now: Date,
  type: SeatType = null
): SQL<number> {
  return sql<number>`(select count(seat_id) from seatgate_invitations
    where organization_id = ${organizationId} and ${isPending(now)} and ${isOfType(type)})`
}

/**
 * Returns the instant after which an invitation may have expired and still reserves its seat. An acceptance
 * that was planned just before the expiry may be written just after, for which the seat stays for a minute.
 */
export function reservedSince(now: Date): Date {
  return new Date(now.getTime() - 60_000)
}

/** Builds a scalar subquery of the number of seats in use: held and reserved. */
export function seatsUsed(organizationId: string | SQL<string | null>, now: Date): SQL<number> {
  const id = sql`${organizationId}`
  return sql<number>`${seatsHeld(id)} + ${seatsReserved(id, now)}`
}

/** Builds the condition that an invitation is open: it has not ended, and has not expired. */
export function isPending(now: Date): SQL {
  return sql`${UNENDED} and expires_at > ${now.getTime()}`
}

const UNENDED = /* @__PURE__ */ sql`accepted_at is null and revoked_at is null and declined_at is null`

/**
 * Builds the same condition for a page in another order than that of the expiry. The plus keeps SQLite from
 * the index by expiry, after which it would sort every open invitation.
 */
export function isPendingOnPage(now: Date): SQL {
  return sql`${UNENDED} and +expires_at > ${now.getTime()}`
}

/** Builds the condition that `seat_id` is of a type; a row without a seat is of no type. */
export function isOfType(type: SeatType): SQL {
  if (type === null) return sql`seat_id not glob '~[a-z]*/*'`
  return sql`seat_id glob ${seatIdOf(type, '*')}`
}

/** Builds a JSON object with the held and reserved seats added, the limit and its version. */
export function withSeatCount(
  json: SQL<Record<string, unknown>>,
  context: SeatContext,
  organizationId: SQL<string> | string,
  now: Date
): SQL<Record<string, unknown>> {
  return sql<Record<string, unknown>>`json_patch(json_set(${json},
    '$.held', ${seatsHeld(organizationId)}, '$.reserved', ${seatsReserved(organizationId, now)}),
    coalesce((select json_object('limit', ${LIMIT}, 'limit_version', version)
      from seatgate_entitlements where organization_id = ${organizationId}),
      json_object('limit', ${fallbackLimit(context)}, 'limit_version', 0)))`
}

/**
 * Whether the trail records that the organization uses more seats than its limit. The actions stand in the
 * text, because their index is of these two alone.
 */
export function isMarkedOver(organizationId: SQL<string> | string): SQL<boolean> {
  const last = (action: string) => sql`coalesce((select max(sequence) from seatgate_audit_events
    where organization_id = ${organizationId} and action = ${sql.raw(`'${action}'`)}), 0)`
  return sql`${last('seat.over_limit_entered')} > ${last('seat.over_limit_cleared')}`
}

/**
 * Whether the organization uses more seats than its limit. A limit that is not a number does not count.
 */
export function isOver(
  context: SeatContext,
  organizationId: SQL<string> | string,
  now: Date
): SQL<boolean> {
  const limit = limitNow(context, organizationId)
  return sql`${seatsHeld(organizationId)} + ${seatsReserved(organizationId, now)} > ${limit}`
}

/**
 * Builds an expression of the limit in force: a number, `unlimited` or `unknown`. A bound number would be
 * written with a decimal point, hence the cast.
 */
export function limitNow(context: SeatContext, organizationId: SQL<string> | string): SQL {
  return sql`coalesce((select ${LIMIT}
    from seatgate_entitlements where organization_id = ${organizationId}),
    ${fallbackLimit(context)})`
}

const LIMIT = /* @__PURE__ */ sql`case limit_kind when 'finite' then limit_seats else limit_kind end`

function fallbackLimit({ defaultLimit }: SeatContext): SQL {
  const fallback = limitView(defaultLimit)
  return typeof fallback === 'number' ? sql`cast(${fallback} as integer)` : sql`${fallback}`
}
