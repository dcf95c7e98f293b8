/**
 * The queries about seats that the ledger and the D1-only provider share. D1 is the source of truth.
 *
 * @module
 */
import { eq, sql, type SQL } from 'drizzle-orm'
import type { Database, Statement } from '../../database/database.ts'
import { batch } from '../../database/batch.ts'
import { entitlements } from '../../database/schema/seats-tables.ts'
import { guardSelecting } from '../../database/commit.ts'
import { finite, limitView, unknown, unlimited, type SeatCount } from './limit.ts'
import type { Entitlement, SeatContext, SeatRequest } from './provider.ts'

/**
 * Counts an organization's seats in D1. Reads one row for all memberships, and one for each invitation.
 */
export async function countSeats(
  { db, defaultLimit, now }: SeatContext,
  organizationId: string
): Promise<SeatCount> {
  const { entitlement, seats } = await batch(db, {
    entitlement: entitlementOf(db, organizationId),
    seats: db
      .select({
        held: seatsHeld(organizationId).as('held'),
        reserved: seatsReserved(organizationId, now()).as('reserved'),
      })
      .from(sql`(select 1)`),
  })
  const { limit, version } = limitFrom(entitlement)
  const [{ held, reserved } = { held: 0, reserved: 0 }] = seats
  return { limit: limit ?? defaultLimit, version, held, reserved }
}

/** Builds a scalar subquery of the number of held seats, from the count that triggers keep. */
export function seatsHeld(organizationId: string | SQL): SQL<number> {
  return sql<number>`coalesce((select seats from seatgate_member_counts
    where organization_id = ${organizationId}), 0)`
}

/** Builds a scalar subquery of the number of seats that pending invitations reserve. */
export function seatsReserved(organizationId: string | SQL, now: Date): SQL<number> {
  return sql<number>`(select count(seat_id) from seatgate_invitations
    where organization_id = ${organizationId} and ${isPending(now)})`
}

/** Builds a scalar subquery of the number of seats in use: held and reserved. */
export function seatsUsed(organizationId: string | SQL<string | null>, now: Date): SQL<number> {
  const id = sql`${organizationId}`
  return sql<number>`${seatsHeld(id)} + ${seatsReserved(id, now)}`
}

/** Builds the condition that an invitation is open: it has not ended, and has not expired. */
export function isPending(now: Date): SQL {
  return sql`accepted_at is null and revoked_at is null and declined_at is null
    and expires_at > ${now.getTime()}`
}

/** Selects an organization's entitlement; its id may be a subquery. */
export function entitlementOf(db: Database, organizationId: string | SQL<string | null>) {
  return db.select().from(entitlements).where(eq(entitlements.organizationId, organizationId))
}

/** Reads the row of an entitlement. */
export function entitlementFrom(row: typeof entitlements.$inferSelect): Entitlement {
  const { organizationId, version, limitKind, limitSeats } = row
  if (limitKind === 'unlimited') return { organizationId, version, limit: unlimited }
  return { organizationId, version, limit: limitSeats === null ? unknown : finite(limitSeats) }
}

/** Returns the limit and version of an entitlement; version 0 and null if there is none. */
export function limitFrom([row]: readonly (typeof entitlements.$inferSelect)[]) {
  return row === undefined ? { version: 0, limit: null } : entitlementFrom(row)
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

/** Builds a scalar subquery of the number of users who wait for a seat. */
export function waitingFor(organizationId: SQL | string): SQL<number> {
  return sql<number>`(select count(*) from seatgate_join_requests
    where organization_id = ${organizationId} and state = 'waiting')`
}

/**
 * Prevents a user who has not waited from taking a seat of the waitlist: with this seat taken, one must
 * be left for every user who waits. `count` is the count of the grant, this seat included. Reads at most
 * as many requests as there are seats, and no request if the waitlist is empty.
 */
export function guardWaitlist(
  db: Database,
  { organizationId, kind }: SeatRequest,
  { limit, held, reserved }: SeatCount
): readonly Statement[] {
  if (kind !== 'new' || limit.kind !== 'finite') return []
  const used = held + reserved
  const left = Math.max(0, limit.seats - used)
  return [
    guardSelecting(
      db,
      sql`select ${`seat_limit_reached:${limit.seats}:${used - 1}`}
        where exists (select 1 from seatgate_join_requests
          where organization_id = ${organizationId} and state = 'waiting' limit 1 offset ${left})`
    ),
  ]
}
