import { and, asc, eq, gt, inArray, isNull, lt, sql } from 'drizzle-orm'
import { batch } from '../../database/batch.ts'
import type { Database } from '../../database/database.ts'
import { invitations } from '../../database/schema/invitations-tables.ts'
import { memberCounts, memberships } from '../../database/schema/organizations-tables.ts'
import { seatLedgers } from '../../database/schema/seats-tables.ts'
import {
  carriedSeats,
  selectCarriedSeats,
  type CarriedSeat,
} from '../../engine/seats/assigned-seats.ts'
import type { SeatLimit } from '../../engine/seats/limit.ts'
import { entitlementOf, limitFrom } from '../../engine/seats/counts.ts'

/** How far an import is: `after` is the last address or user id that was read. */
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
 * Starts a ledger, in one batch: raises the epoch, so that a write admitted by an earlier ledger is
 * refused, counts the members' seats and reads the first page. From then on a seat comes into D1 only
 * with a grant of the new ledger, and leaves it only with a release to the new ledger.
 */
export async function startLedger(
  db: Database,
  organizationId: string,
  now: Date,
  most = IMPORT_PAGE,
  epoch = now.getTime()
): Promise<LedgerStart> {
  const found = await batch(db, {
    raised: raiseEpoch(db, organizationId, epoch),
    inForce: db.select().from(seatLedgers).where(eq(seatLedgers.organizationId, organizationId)),
    entitlement: entitlementOf(db, organizationId),
    counts: db
      .select({ seats: memberCounts.seats })
      .from(memberCounts)
      .where(eq(memberCounts.organizationId, organizationId)),
    invited: invitedAfter(db, organizationId, '', most),
    members: membersAfter(db, organizationId, '', most),
  })
  if (found.raised.length === 0) {
    // The clock has not moved since the last start, or was ahead then.
    const later = (found.inForce[0]?.epoch ?? epoch) + 1
    return startLedger(db, organizationId, now, most, later)
  }
  const invited = invitedPage(found.invited, now, most)
  const joined = memberPage(found.members, most)
  const first =
    invited.next === MEMBERS
      ? { seats: [...invited.seats, ...joined.seats], next: joined.next }
      : invited
  return { epoch, ...limitFrom(found.entitlement), members: found.counts[0]?.seats ?? 0, ...first }
}

/** Reads the next page of an import: at most so many rows. */
export async function readSeatPage(
  db: Database,
  organizationId: string,
  { stage, after }: ImportPlace,
  now: Date,
  most: number
): Promise<SeatPage> {
  if (stage === 'members') {
    const { members } = await batch(db, { members: membersAfter(db, organizationId, after, most) })
    return memberPage(members, most)
  }
  const { invited } = await batch(db, { invited: invitedAfter(db, organizationId, after, most) })
  return invitedPage(invited, now, most)
}

/** Reads the seats that have one of these ids, or one of these holders. */
export async function readSeatsOf(
  db: Database,
  organizationId: string,
  asked: readonly { readonly seatId: string; readonly holder: string }[],
  now: Date
): Promise<readonly CarriedSeat[]> {
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
  return [...carriedSeats(members, reservations).values(), ...memberPage(existing, Infinity).seats]
}

// An epoch is the time of its start. A counter would be unsafe: a lost request that arrives late would
// raise it above the ledger in force, and a restored D1 would give an epoch a second time.
function raiseEpoch(db: Database, organizationId: string, epoch: number) {
  return db
    .insert(seatLedgers)
    .values({ organizationId, epoch })
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

function memberPage(rows: Parameters<typeof carriedSeats>[0], most: number): SeatPage {
  const last = rows.at(-1)
  return {
    seats: [...carriedSeats(rows, []).values()],
    next: rows.length < most || !last ? null : { stage: 'members', after: last.holder },
  }
}

// In the order of addresses, of which an organization has one unfinished invitation each.
function invitedAfter(db: Database, organizationId: string, after: string, most: number) {
  return db
    .select({
      seatId: invitations.seatId,
      email: invitations.email,
      until: invitations.expiresAt,
      changedAt: invitations.updatedAt,
    })
    .from(invitations)
    .where(
      and(
        eq(invitations.organizationId, organizationId),
        gt(invitations.email, after),
        isNull(invitations.acceptedAt),
        isNull(invitations.revokedAt),
        isNull(invitations.declinedAt)
      )
    )
    .orderBy(asc(invitations.email))
    .limit(most)
}

type InvitedRow = Parameters<typeof carriedSeats>[1][number] & { readonly email: string }

function invitedPage(rows: readonly InvitedRow[], now: Date, most: number): SeatPage {
  const last = rows.at(-1)
  const pending = rows.filter(({ until }) => until > now)
  return {
    seats: [...carriedSeats([], pending).values()],
    next: rows.length < most || !last ? MEMBERS : { stage: 'invitations', after: last.email },
  }
}
