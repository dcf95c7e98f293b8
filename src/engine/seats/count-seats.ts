/**
 * The counts and the limits that providers of seats read from D1.
 *
 * @module
 */
import { eq, sql, type SQL } from 'drizzle-orm'
import type { Database } from '../../database/database.ts'
import { rowsWhere } from '../../database/kept-query.ts'
import { batch } from '../../database/batch.ts'
import { entitlements } from '../../database/schema/seats-tables.ts'
import type { SeatType } from '../../base/seat-types.ts'
import { seatsHeld, seatsReserved } from './counts.ts'
import { finite, seatLimit, unknown, unlimited, type SeatCount, type SeatLimit } from './limit.ts'
import type { Entitlement, SeatContext } from './provider.ts'

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
