/**
 * The counts and the limits that providers of seats read from D1, and the place of users who wait.
 *
 * @module
 */
import { eq, sql, type SQL } from 'drizzle-orm'
import type { Database, Statement } from '../../database/database.ts'
import { rowsWhere } from '../../database/kept-query.ts'
import { batch } from '../../database/batch.ts'
import type { RefusalOf } from '../../base/result.ts'
import { entitlements } from '../../database/schema/seats-tables.ts'
import { guardSelecting } from '../../database/commit.ts'
import {
  SEATS_POOL,
  typeOfSeat,
  type SeatType,
  type SeatTypeContext,
} from '../../base/seat-types.ts'
import { seatsHeld, seatsReserved } from './counts.ts'
import { finite, seatLimit, unknown, unlimited, type SeatCount, type SeatLimit } from './limit.ts'
import type { Entitlement, ProviderContext, SeatContext, SeatRequest } from './provider.ts'
import type { ReserveRefusal } from './reserve-rules.ts'

/**
 * Counts an organization's seats of a type in D1. Reads a row for all memberships, and one for each
 * invitation.
 */
export async function countSeats(
  context: SeatContext,
  organizationId: string,
  type: SeatType = null
): Promise<SeatCount> {
  const { db, now } = context
  const { entitlement, seats } = await batch(db, {
    entitlement: entitlementOf(db, organizationId),
    seats: db
      .select({
        held: seatsHeld(organizationId, type).as('held'),
        reserved: seatsReserved(organizationId, now(), type).as('reserved'),
      })
      .from(sql`(select 1)`),
  })
  const { limit, version } = limitFrom(entitlement, type)
  const [{ held, reserved } = { held: 0, reserved: 0 }] = seats
  return { limit: limit ?? limitByDefault(context, type), version, held, reserved }
}

/** Returns the limit of a type for an organization without an entitlement. */
export function limitByDefault(context: SeatContext, type: SeatType) {
  return type === null ? context.defaultLimit : seatLimit(context.seatTypes.get(type)?.defaultLimit)
}

/** Selects an organization's entitlement; its id may be a subquery. */
export function entitlementOf(db: Database, organizationId: string | SQL<string | null>) {
  return rowsWhere(db, entitlements, eq(entitlements.organizationId, organizationId))
}

/** Reads the row of an entitlement. */
export function entitlementFrom(row: typeof entitlements.$inferSelect): Entitlement {
  const { organizationId, version, limitKind, limitSeats, typeLimits } = row
  const known = limitSeats === null ? unknown : finite(limitSeats)
  const limit = limitKind === 'unlimited' ? unlimited : known
  return { organizationId, version, limit, ...(typeLimits && { typeLimits }) }
}

/** Returns the limit of a type and the version of its entitlement; without one, null and version 0. */
export function limitFrom(
  [row]: readonly (typeof entitlements.$inferSelect)[],
  type: SeatType = null
) {
  if (row === undefined) return { version: 0, limit: null }
  if (type === null) {
    const { version, limit } = entitlementFrom(row)
    return { version, limit }
  }
  const limit = row.typeLimits?.[type]
  if (limit === undefined) return { version: 0, limit: null }
  return { version: row.version, limit: seatLimit(limit) }
}

/** Builds a scalar subquery of the number of users who wait for a seat of a type. */
export function waitingFor(
  organizationId: SQL | string,
  context: Pick<SeatContext, 'isWaiting' | 'seatTypes'>,
  type: SeatType = null
): SQL<number> {
  const { isWaiting } = context
  if (isWaiting === null) return sql<number>`0`
  return sql<number>`(select count(*) from seatgate_join_requests
    where organization_id = ${organizationId} and ${isWaiting}${waitsFor(context, type)})`
}

/**
 * Builds a scalar subquery of the number of seats of a type that are in use, or are to be left to users who
 * wait: a user who has not waited gets one only if there are more.
 */
export function seatsWanted(
  organizationId: SQL | string,
  context: Pick<SeatContext, 'isWaiting' | 'seatTypes'>,
  now: Date,
  type: SeatType = null
): SQL<number> {
  return sql<number>`${seatsHeld(organizationId, type)}
    + ${seatsReserved(organizationId, reservedSince(now), type)}
    + ${waitingFor(organizationId, context, type)}`
}

/**
 * Returns the instant after which an invitation may have expired and still reserves its seat. An acceptance
 * that was planned just before the expiry may be written just after, for which the seat stays for a minute.
 */
export function reservedSince(now: Date): Date {
  return new Date(now.getTime() - 60_000)
}

/** Builds the further condition that a request is for a seat of a type. */
export function waitsFor({ seatTypes }: SeatTypeContext, type: SeatType): SQL {
  if (seatTypes.size === 0) return sql``
  if (type !== null) return sql` and role in ${seatTypes.get(type)?.roles ?? []}`
  return sql` and role not in ${[...seatTypes.values()].flatMap(({ roles }) => roles)}`
}

/** Returns the end of a guard's code, which names the type of the seat. */
export function typeInCode(context: SeatTypeContext, type: SeatType): string {
  return type === null ? '' : `:${placeOfType(context, type)}`
}

/**
 * Prevents a user who has not waited from taking a seat of the waitlist: with this seat taken, one must
 * be left for every user who waits. `count` is the count of the grant, this seat included. Reads at most
 * as many requests as there are seats, and no request if the waitlist is empty.
 */
export function guardWaitlist(
  context: SeatContext,
  { organizationId, seatId, kind }: SeatRequest,
  { limit, held, reserved }: SeatCount
): readonly Statement[] {
  const { isWaiting } = context
  if (kind !== 'new' || limit.kind !== 'finite' || isWaiting === null) return []
  const type = typeOfSeat(seatId)
  const used = held + reserved
  const left = Math.max(0, limit.seats - used)
  const code = `seat_limit_reached:${limit.seats}:${used - 1}${typeInCode(context, type)}`
  return [
    guardSelecting(
      context.db,
      sql`select ${code}
        where exists (select 1 from seatgate_join_requests
          where organization_id = ${organizationId} and ${isWaiting}${waitsFor(context, type)}
          limit 1 offset ${left})`
    ),
  ]
}

/** How many seats may be taken, and the refusal of one more. */
export interface Room {
  readonly seats: number
  readonly refusal: RefusalOf<ReserveRefusal>
}

/**
 * Counts the free seats of a type beside those that the users on the waitlist need; null without a limit. Costs
 * a call of the provider and a round trip.
 */
export async function roomBesideWaitlist(
  { seats, seatContext }: ProviderContext,
  organizationId: string,
  type: SeatType
): Promise<Room | null> {
  const counted = await seats.usage(seatContext, organizationId, type)
  if (!counted.ok) return { seats: 0, refusal: counted.error }
  const { limit, held, reserved } = counted.value
  if (limit.kind !== 'finite') return null
  const { db } = seatContext
  const line = waitingFor(organizationId, seatContext, type)
  const { waiting } = await batch(db, {
    waiting: db.select({ users: line.as('users') }).from(sql`(select 1)`),
  })
  const used = held + reserved
  return {
    seats: Math.max(0, limit.seats - used - (waiting[0]?.users ?? 0)),
    refusal: {
      code: 'seat_limit_reached',
      limit: limit.seats,
      used,
      ...(type !== null && { seatType: type }),
    },
  }
}

/** Returns the organization and the type of a pool. */
export function readPool(pool: string): {
  readonly organizationId: string
  readonly type: SeatType
} {
  const at = pool.lastIndexOf(SEATS_POOL)
  if (at === -1) return { organizationId: pool, type: null }
  return { organizationId: pool.slice(0, at), type: pool.slice(at + SEATS_POOL.length) }
}

/** Returns the place of a type in the configuration, from 1, as a guard names it; 0: the default type. */
function placeOfType({ seatTypes }: SeatTypeContext, type: SeatType): number {
  return type === null ? 0 : [...seatTypes.keys()].indexOf(type) + 1
}

/** The option of a provider that enforces limits. */
export interface DefaultLimitOption {
  /** The limit of an organization without an entitlement. Default `"unlimited"`. */
  readonly defaultLimit?: number | 'unlimited'
}

/**
 * Returns the default limit of a provider.
 *
 * @throws {TypeError} if it is not a limit. The message begins with `where`.
 */
export function checkedDefaultLimit(
  where: string,
  { defaultLimit = 'unlimited' }: DefaultLimitOption
): SeatLimit {
  const limit = seatLimit(defaultLimit)
  if (limit.kind !== 'unknown') return limit
  throw new TypeError(`${where}: defaultLimit must be "unlimited" or a whole number from 0.`)
}
