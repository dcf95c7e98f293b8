import { and, asc, eq, gt, inArray, isNull, lt, sql, type SQL } from 'drizzle-orm'
import { batch } from '../../database/batch.ts'
import { rowsWhere } from '../../database/kept-query.ts'
import type { Database } from '../../database/database.ts'
import { invitations } from '../../database/schema/invitations-tables.ts'
import { memberships } from '../../database/schema/organizations-tables.ts'
import { seatLedgers } from '../../database/schema/seats-tables.ts'
import {
  carriedSeats,
  selectCarriedSeats,
  type CarriedSeat,
  type CarriedSeats,
} from '../../engine/seats/assigned-seats.ts'
import type { SeatLimit } from '../../engine/seats/limit.ts'
import { seatsHeld } from '../../engine/seats/counts.ts'
import { entitlementOf, limitFrom } from '../../engine/seats/count-seats.ts'
import { readPool, typeOfSeat, type SeatType } from '../../base/seat-types.ts'

/** How far an import is: `after` is the place of the last invitation, or the last user id. */
export interface ImportPlace {
  readonly stage: 'invitations' | 'members'
  readonly after: string
}

/** Seats of a page, and where the next page begins; null if this is the last one. */
export interface SeatPage {
  readonly seats: readonly CarriedSeat[]
  readonly next: ImportPlace | null
}

/** The state that a ledger starts with, and its first seats. */
export interface LedgerStart extends SeatPage {
  readonly epoch: number
  readonly version: number
  readonly limit: SeatLimit | null
  /** The number of seats that members hold in D1, imported or not. */
  readonly members: number
}

/** How many rows one call imports. */
export const IMPORT_PAGE = 2000

const MEMBERS: ImportPlace = { stage: 'members', after: '' }

/**
 * Starts the ledger of a pool, in one batch: raises the epoch, so that a write admitted by an earlier ledger is
 * refused, counts the members' seats and reads the first page. From then on a seat comes into D1 only
 * with a grant of the new ledger, and leaves it only with a release to the new ledger.
 */
export async function startLedger(
  db: Database,
  pool: string,
  now: Date,
  most = IMPORT_PAGE,
  epoch = now.getTime()
): Promise<LedgerStart> {
  const { organizationId, type } = readPool(pool)
  const found = await batch(db, {
    raised: raiseEpoch(db, pool, epoch),
    inForce: rowsWhere(db, seatLedgers, eq(seatLedgers.organizationId, pool)),
    entitlement: entitlementOf(db, organizationId),
    counts: db.select({ seats: seatsHeld(organizationId, type).as('seats') }).from(sql`(select 1)`),
    invited: invitedAfter(db, organizationId, '', most),
    members: membersAfter(db, organizationId, '', most),
  })
  if (found.raised.length === 0) {
    // The clock has not moved since the last start, or was ahead then.
    const later = (found.inForce[0]?.epoch ?? epoch) + 1
    return startLedger(db, pool, now, most, later)
  }
  const invited = invitedPage(found.invited, type, now, most)
  const joined = memberPage(found.members, type, most)
  const first =
    invited.next === MEMBERS
      ? { seats: [...invited.seats, ...joined.seats], next: joined.next }
      : invited
  const members = found.counts[0]?.seats ?? 0
  return { epoch, ...limitFrom(found.entitlement, type), members, ...first }
}

/** Reads the next page of an import: at most so many rows. */
export async function readSeatPage(
  db: Database,
  pool: string,
  { stage, after }: ImportPlace,
  now: Date,
  most: number
): Promise<SeatPage> {
  const { organizationId, type } = readPool(pool)
  if (stage === 'members') {
    const { members } = await batch(db, { members: membersAfter(db, organizationId, after, most) })
    return memberPage(members, type, most)
  }
  const { invited } = await batch(db, { invited: invitedAfter(db, organizationId, after, most) })
  return invitedPage(invited, type, now, most)
}

/** Reads the seats of a pool that have one of these ids, or one of these holders. */
export async function readSeatsOf(
  db: Database,
  pool: string,
  asked: readonly { readonly seatId: string; readonly holder: string }[],
  now: Date
): Promise<readonly CarriedSeat[]> {
  const { organizationId, type } = readPool(pool)
  const seatIds = asked.map(({ seatId }) => seatId)
  const holders = JSON.stringify(asked.map(({ holder }) => holder))
  const { members, reservations, existing } = await batch(db, {
    ...selectCarriedSeats(db, organizationId, seatIds, now),
    existing: selectMembers(db)
      .where(
        and(
          eq(memberships.organizationId, organizationId),
          inArray(memberships.userId, sql`(select value from json_each(${holders}))`)
        )
      )
      .limit(asked.length),
  })
  const held = memberPage(existing, type, Infinity).seats
  return [...carriedSeats(members, reservations).values(), ...held]
}

// An epoch is the time of its start. A counter would be unsafe: a lost request that arrives late would
// raise it above the ledger in force, and a restored D1 would give an epoch a second time.
function raiseEpoch(db: Database, pool: string, epoch: number) {
  return db
    .insert(seatLedgers)
    .values({ organizationId: pool, epoch })
    .onConflictDoUpdate({
      target: seatLedgers.organizationId,
      set: { epoch },
      setWhere: lt(seatLedgers.epoch, epoch),
    })
    .returning()
}

function selectMembers(db: Database) {
  return db
    .select({
      seatId: memberships.seatId,
      holder: memberships.userId,
      changedAt: memberships.updatedAt,
    })
    .from(memberships)
    .$dynamic()
}

// Members without a seat are read, too: else a page could read any number of them.
function membersAfter(db: Database, organizationId: string, after: string, most: number) {
  return selectMembers(db)
    .where(and(eq(memberships.organizationId, organizationId), gt(memberships.userId, after)))
    .orderBy(asc(memberships.userId))
    .limit(most)
}

function memberPage(
  rows: Parameters<typeof carriedSeats>[0],
  type: SeatType,
  most: number
): SeatPage {
  const last = rows.at(-1)
  return {
    seats: ofType(carriedSeats(rows, []), type),
    next: rows.length < most || !last ? null : { stage: 'members', after: last.holder },
  }
}

// In the order of creation, which an index has. A place is the time of the last one and its id.
function invitedAfter(db: Database, organizationId: string, after: string, most: number) {
  return db
    .select({
      seatId: invitations.seatId,
      id: invitations.id,
      createdAt: invitations.createdAt,
      until: invitations.expiresAt,
      changedAt: invitations.updatedAt,
    })
    .from(invitations)
    .where(
      and(
        eq(invitations.organizationId, organizationId),
        isBehind(after),
        isNull(invitations.acceptedAt),
        isNull(invitations.revokedAt),
        isNull(invitations.declinedAt)
      )
    )
    .orderBy(asc(invitations.createdAt), asc(invitations.id))
    .limit(most)
}

const PLACE = /^(\d+) (.+)$/

// An import that older code began has an address as its place, and begins again.
function isBehind(place: string): SQL | undefined {
  const [, createdAt, id] = PLACE.exec(place) ?? []
  return id === undefined ? undefined : sql`(created_at, id) > (${Number(createdAt)}, ${id})`
}

type InvitedRow = Parameters<typeof carriedSeats>[1][number] & {
  readonly id: string
  readonly createdAt: Date
}

function invitedPage(
  rows: readonly InvitedRow[],
  type: SeatType,
  now: Date,
  most: number
): SeatPage {
  const last = rows.at(-1)
  const pending = rows.filter(({ until }) => until > now)
  return {
    seats: ofType(carriedSeats([], pending), type),
    next:
      rows.length < most || !last
        ? MEMBERS
        : { stage: 'invitations', after: `${last.createdAt.getTime()} ${last.id}` },
  }
}

// Seats of other types are read, too: a page is of an organization's rows.
function ofType(seats: CarriedSeats, type: SeatType): readonly CarriedSeat[] {
  return [...seats.values()].filter(({ seatId }) => typeOfSeat(seatId) === type)
}
