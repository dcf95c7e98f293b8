/**
 * What D1, the truth, says about seats: the questions that the ledger and the D1-only provider ask.
 *
 * @module
 */
import { and, eq, gt, inArray, isNotNull, sql, type SQL } from 'drizzle-orm'
import type { Database } from '../database/database.ts'
import { batch } from '../database/batch.ts'
import { entitlements, memberships, seatFences, seatLedgers } from '../database/schema.ts'
import { finite, unknown, unlimited, type SeatLimit } from './limit.ts'
import type { Entitlement } from './provider.ts'
import type { SeatCount } from './usage.ts'

/** A seat that a membership carries in D1. */
export interface CarriedSeat {
  readonly seatId: string
  readonly holder: string
}

/** What a ledger starts from. */
export interface LedgerStart {
  readonly epoch: number
  readonly version: number
  readonly limit: SeatLimit | null
  readonly seats: readonly CarriedSeat[]
}

const IMPORT_PAGE = 5000

/**
 * Starts a ledger: raises the epoch, so that no write admitted by an earlier ledger can land any
 * more, then reads the seats in use. From here on seats can only disappear from D1 without the new
 * ledger's word, and each disappearance is told to it; so reading page by page misses nothing.
 */
export async function startLedger(db: Database, organizationId: string): Promise<LedgerStart> {
  const { ledger, entitlement } = await batch(db, {
    ledger: db
      .insert(seatLedgers)
      .values({ organizationId, epoch: 1 })
      .onConflictDoUpdate({
        target: seatLedgers.organizationId,
        set: { epoch: sql`${seatLedgers.epoch} + 1` },
      })
      .returning(),
    entitlement: entitlementOf(db, organizationId),
  })
  const seats: CarriedSeat[] = []
  for (;;) {
    const { page } = await batch(db, {
      page: seatsAfter(db, organizationId, seats.at(-1)?.holder ?? ''),
    })
    for (const { seatId, holder } of page) if (seatId !== null) seats.push({ seatId, holder })
    if (page.length < IMPORT_PAGE) break
  }
  const [{ epoch } = { epoch: 0 }] = ledger
  const { version, limit } = limitFrom(entitlement)
  return { epoch, version, limit, seats }
}

/**
 * Settles reservations whose deadline has passed: fences every seat that no membership carries, and
 * answers those that one does. D1's single writer decides between the fence and a late write.
 */
export async function settleSeats(
  db: Database,
  organizationId: string,
  seatIds: readonly string[],
  now: Date
): Promise<ReadonlySet<string>> {
  const ids = sql`json_each(${JSON.stringify(seatIds)})`
  const { carried } = await batch(db, {
    fenced: db
      .insert(seatFences)
      .select(
        sql`select value, ${organizationId}, ${now.getTime()} from ${ids}
          where not exists (select 1 from memberships where seat_id = value)`
      )
      .onConflictDoNothing(),
    carried: db
      .select({ seatId: memberships.seatId })
      .from(memberships)
      .where(inArray(memberships.seatId, sql`(select value from ${ids})`)),
  })
  return new Set(carried.flatMap(({ seatId }) => (seatId === null ? [] : [seatId])))
}

/** Counts an organization's seats in D1: one row says how many there are. */
export async function countSeats(
  db: Database,
  organizationId: string,
  defaultLimit: SeatLimit
): Promise<SeatCount> {
  const { entitlement, seats } = await batch(db, {
    entitlement: entitlementOf(db, organizationId),
    seats: db.select({ held: seatsUsed(organizationId).as('held') }).from(sql`(select 1)`),
  })
  const { limit, version } = limitFrom(entitlement)
  return { limit: limit ?? defaultLimit, version, held: seats[0]?.held ?? 0, reserved: 0 }
}

/** The number of seats that memberships carry, as a scalar subquery on the count that triggers keep. */
export function seatsUsed(organizationId: string): SQL<number> {
  return sql<number>`coalesce((select seats from member_counts
    where organization_id = ${organizationId}), 0)`
}

/** Selects an organization's entitlement; its id may be a subquery. */
export function entitlementOf(db: Database, organizationId: string | SQL<string | null>) {
  return db.select().from(entitlements).where(eq(entitlements.organizationId, organizationId))
}

function seatsAfter(db: Database, organizationId: string, userId: string) {
  return db
    .select({ seatId: memberships.seatId, holder: memberships.userId })
    .from(memberships)
    .where(
      and(
        eq(memberships.organizationId, organizationId),
        gt(memberships.userId, userId),
        isNotNull(memberships.seatId)
      )
    )
    .orderBy(memberships.userId)
    .limit(IMPORT_PAGE)
}

/** An entitlement as it is on record. */
export function entitlementFrom(row: typeof entitlements.$inferSelect): Entitlement {
  const { organizationId, version, limitKind, limitSeats } = row
  if (limitKind === 'unlimited') return { organizationId, version, limit: unlimited }
  return { organizationId, version, limit: limitSeats === null ? unknown : finite(limitSeats) }
}

function limitFrom([row]: readonly (typeof entitlements.$inferSelect)[]) {
  return row === undefined ? { version: 0, limit: null } : entitlementFrom(row)
}
