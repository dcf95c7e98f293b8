/**
 * What D1, the truth, says about seats: the questions that the ledger and the D1-only provider ask.
 *
 * @module
 */
import { and, eq, gt, inArray, isNotNull, lt, sql, type SQL } from 'drizzle-orm'
import type { Database } from '../database/database.ts'
import { batch } from '../database/batch.ts'
import {
  entitlements,
  invitations,
  memberships,
  seatFences,
  seatLedgers,
} from '../database/schema.ts'
import { finite, unknown, unlimited, type SeatLimit } from './limit.ts'
import type { Entitlement, SeatContext } from './provider.ts'
import type { SeatCount } from './usage.ts'

/** A seat that is in D1: a membership carries it, or (`until`) an invitation holds it. */
export interface CarriedSeat {
  readonly seatId: string
  readonly holder: string
  readonly until: Date | null
}

/** Who holds the seat of an invitation. No two invitations share it, whoever they are for. */
export function invitationHolder(seatId: string): string {
  return `invitation:${seatId}`
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
export async function startLedger(
  db: Database,
  organizationId: string,
  now: Date
): Promise<LedgerStart> {
  const { epoch, entitlement } = await raiseEpoch(db, organizationId, now.getTime())
  const seats: CarriedSeat[] = []
  for (let last = ''; ;) {
    const { page } = await batch(db, { page: membersAfter(db, organizationId, last) })
    for (const { seatId, userId } of page) {
      if (seatId !== null) seats.push({ seatId, holder: userId, until: null })
    }
    if (page.length < IMPORT_PAGE) break
    last = page.at(-1)?.userId ?? ''
  }
  for (let last = ''; ;) {
    const { page } = await batch(db, { page: promisesAfter(db, organizationId, last, now) })
    for (const { seatId, expiresAt } of page) {
      if (seatId !== null)
        seats.push({ seatId, holder: invitationHolder(seatId), until: expiresAt })
    }
    if (page.length < IMPORT_PAGE) break
    last = page.at(-1)?.seatId ?? ''
  }
  const { version, limit } = limitFrom(entitlement)
  return { epoch, version, limit, seats }
}

// An epoch is the time of its start. Asked to count up instead, a request that was given up for lost and
// arrives after all would raise it over the head of the ledger in force, and a D1 that was restored
// would give an epoch a second time.
async function raiseEpoch(
  db: Database,
  organizationId: string,
  epoch: number
): Promise<{
  readonly epoch: number
  readonly entitlement: readonly (typeof entitlements.$inferSelect)[]
}> {
  const { raised, inForce, entitlement } = await batch(db, {
    raised: db
      .insert(seatLedgers)
      .values({ organizationId, epoch })
      .onConflictDoUpdate({
        target: seatLedgers.organizationId,
        set: { epoch },
        setWhere: lt(seatLedgers.epoch, epoch),
      })
      .returning(),
    inForce: db.select().from(seatLedgers).where(eq(seatLedgers.organizationId, organizationId)),
    entitlement: entitlementOf(db, organizationId),
  })
  if (raised.length > 0) return { epoch, entitlement }
  // The clock has not moved since the last start, or was ahead then.
  return raiseEpoch(db, organizationId, (inForce[0]?.epoch ?? epoch) + 1)
}

/**
 * Settles reservations whose deadline has passed: fences every seat that neither a membership nor a
 * live invitation carries, and answers the others: until when an invitation holds the seat, null for
 * a membership's. D1's single writer decides between the fence and a late write.
 */
export async function settleSeats(
  db: Database,
  organizationId: string,
  seatIds: readonly string[],
  now: Date
): Promise<ReadonlyMap<string, Date | null>> {
  const ids = sql`(select value from json_each(${JSON.stringify(seatIds)}))`
  const { held, promised } = await batch(db, {
    fenced: db
      .insert(seatFences)
      .select(
        sql`select value, ${organizationId}, ${now.getTime()}
          from json_each(${JSON.stringify(seatIds)})
          where not exists (select 1 from memberships where seat_id = value)
          and not exists (select 1 from invitations where seat_id = value and ${isPending(now)})`
      )
      .onConflictDoNothing(),
    held: db
      .select({ seatId: memberships.seatId })
      .from(memberships)
      .where(inArray(memberships.seatId, ids)),
    promised: db
      .select({ seatId: invitations.seatId, until: invitations.expiresAt })
      .from(invitations)
      .where(and(inArray(invitations.seatId, ids), isPending(now))),
  })
  return new Map(
    [...promised, ...held.map(({ seatId }) => ({ seatId, until: null }))].flatMap(
      ({ seatId, until }) => (seatId === null ? [] : [[seatId, until] as const])
    )
  )
}

/** Counts an organization's seats in D1: one row says how many members have, each invitation its own. */
export async function countSeats(
  { db, defaultLimit, now }: SeatContext,
  organizationId: string
): Promise<SeatCount> {
  const { entitlement, seats } = await batch(db, {
    entitlement: entitlementOf(db, organizationId),
    seats: db
      .select({
        held: seatsHeld(organizationId).as('held'),
        reserved: seatsPromised(organizationId, now()).as('reserved'),
      })
      .from(sql`(select 1)`),
  })
  const { limit, version } = limitFrom(entitlement)
  const [{ held, reserved } = { held: 0, reserved: 0 }] = seats
  return { limit: limit ?? defaultLimit, version, held, reserved }
}

/** The number of seats that memberships carry, as a scalar subquery on the count that triggers keep. */
export function seatsHeld(organizationId: string): SQL<number> {
  return sql<number>`coalesce((select seats from member_counts
    where organization_id = ${organizationId}), 0)`
}

/** The number of seats that pending invitations hold, as a scalar subquery. */
export function seatsPromised(organizationId: string, now: Date): SQL<number> {
  return sql<number>`(select count(seat_id) from invitations
    where organization_id = ${organizationId} and ${isPending(now)})`
}

/** An invitation is open, as a condition on invitations: nothing has ended it, the clock included. */
export function isPending(now: Date): SQL {
  return sql`accepted_at is null and revoked_at is null and declined_at is null
    and expires_at > ${now.getTime()}`
}

/** Selects an organization's entitlement; its id may be a subquery. */
export function entitlementOf(db: Database, organizationId: string | SQL<string | null>) {
  return db.select().from(entitlements).where(eq(entitlements.organizationId, organizationId))
}

function membersAfter(db: Database, organizationId: string, userId: string) {
  return db
    .select({ seatId: memberships.seatId, userId: memberships.userId })
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

function promisesAfter(db: Database, organizationId: string, seatId: string, now: Date) {
  return db
    .select({ seatId: invitations.seatId, expiresAt: invitations.expiresAt })
    .from(invitations)
    .where(
      and(
        eq(invitations.organizationId, organizationId),
        gt(invitations.seatId, seatId),
        isPending(now)
      )
    )
    .orderBy(invitations.seatId)
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
