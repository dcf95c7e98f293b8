/**
 * The seats that are in D1, and their holders.
 *
 * @module
 */
import { and, eq, gt, inArray, isNotNull, sql, type SQL } from 'drizzle-orm'
import { batch } from '../../database/batch.ts'
import type { Database, DatabaseContext, Statement } from '../../database/database.ts'
import { invitations } from '../../database/schema/invitations-tables.ts'
import { memberships } from '../../database/schema/organizations-tables.ts'
import { seatFences, seatLedgers } from '../../database/schema/seats-tables.ts'
import { isPending } from './counts.ts'
import { invitationHolder } from '../../base/seat-types.ts'

/** A seat that is in D1: held by a membership or, with `until`, reserved by an invitation. */
export interface CarriedSeat {
  readonly seatId: string
  readonly holder: string
  readonly until: Date | null
  /** When the row that carries the seat was last changed. */
  readonly changedAt: Date
}

/** Seats by their ids. */
export type CarriedSeats = ReadonlyMap<string, CarriedSeat>

const PAGE = 5000

/** Reads the seats in use, page by page. A seat that exists during the whole read is found. */
export async function readCarriedSeats(
  db: Database,
  organizationId: string,
  now: Date
): Promise<CarriedSeats> {
  const members: MemberRow[] = []
  for (let last = ''; ;) {
    const { page } = await batch(db, {
      page: membersOf(db, organizationId, gt(memberships.userId, last)).limit(PAGE),
    })
    members.push(...page)
    if (page.length < PAGE) break
    last = page.at(-1)?.holder ?? ''
  }
  const reservations: ReservationRow[] = []
  for (let last = ''; ;) {
    const { page } = await batch(db, {
      page: reservationsOf(db, organizationId, now, gt(invitations.seatId, last)).limit(PAGE),
    })
    reservations.push(...page)
    if (page.length < PAGE) break
    last = page.at(-1)?.seatId ?? ''
  }
  return carriedSeats(members, reservations)
}

/** Selects those of the given seats that an organization has now, for {@link carriedSeats}. */
export function selectCarriedSeats(
  db: Database,
  organizationId: string,
  seatIds: readonly string[],
  now: Date
) {
  const ids = sql`(select value from json_each(${JSON.stringify(seatIds)}))`
  return {
    members: membersOf(db, organizationId, inArray(memberships.seatId, ids)),
    reservations: reservationsOf(db, organizationId, now, inArray(invitations.seatId, ids)),
  }
}

interface MemberRow {
  readonly seatId: string | null
  readonly holder: string
  readonly changedAt: Date
}

interface ReservationRow {
  readonly seatId: string | null
  readonly until: Date
  readonly changedAt: Date
}

/**
 * Reads the selected seats. A seat of both a member and an invitation, possible only by a change by hand,
 * is the member's.
 */
export function carriedSeats(
  members: readonly MemberRow[],
  reservations: readonly ReservationRow[]
): CarriedSeats {
  const seats = [
    ...reservations.map(({ seatId, ...row }) => ({
      ...row,
      seatId,
      holder: invitationHolder(seatId ?? ''),
    })),
    ...members.map((row) => ({ ...row, until: null })),
  ]
  return new Map(
    seats.flatMap(({ seatId, ...row }) => (seatId === null ? [] : [[seatId, { seatId, ...row }]]))
  )
}

function membersOf(db: Database, organizationId: string, which: SQL) {
  return db
    .select({
      seatId: memberships.seatId,
      holder: memberships.userId,
      changedAt: memberships.updatedAt,
    })
    .from(memberships)
    .where(
      and(eq(memberships.organizationId, organizationId), which, isNotNull(memberships.seatId))
    )
    .orderBy(memberships.userId)
}

function reservationsOf(db: Database, organizationId: string, now: Date, which: SQL) {
  return db
    .select({
      seatId: invitations.seatId,
      until: invitations.expiresAt,
      changedAt: invitations.updatedAt,
    })
    .from(invitations)
    .where(and(eq(invitations.organizationId, organizationId), which, isPending(now)))
    .orderBy(invitations.seatId)
}

/**
 * Invalidates every seat that the organization's ledger has granted and that is not in D1 yet: such an
 * admission is rolled back and planned again, by the limit that D1 has then. The ledger of this epoch
 * grants no seat until it starts again.
 */
export function invalidateGrants({ db }: DatabaseContext, organizationId: string): Statement {
  return db
    .update(seatLedgers)
    .set({ epoch: sql`epoch + 1` })
    .where(eq(seatLedgers.organizationId, organizationId))
}

/** Selects the epoch of an organization's ledger; no row before the first start. */
export function ledgerEpoch(db: Database, organizationId: SQL<string | null>) {
  return db
    .select({ epoch: seatLedgers.epoch })
    .from(seatLedgers)
    .where(eq(seatLedgers.organizationId, organizationId))
}

const FENCES_PER_SWEEP = 1000
const KEPT_MS = 24 * 60 * 60 * 1000

/**
 * Builds the statements that delete fences of seats that were given up a day ago. The same batch raises
 * the organization's `fencedThrough`: from then on a write is refused if its seat was granted up to that
 * instant, no matter how late it is. A seat is granted before it is fenced, so every write that the
 * deleted fence would have refused is still refused.
 */
export function purgeFences(
  { db }: DatabaseContext,
  now: Date,
  keptMs = KEPT_MS
): readonly Statement[] {
  const through = now.getTime() - keptMs
  // Without a ledger's row there is no place to store the instant: the fence stays.
  const settled = sql`from seatgate_seat_fences where fenced_at <= ${through}
    and exists (select 1 from seatgate_seat_ledgers
      where seatgate_seat_ledgers.organization_id = seatgate_seat_fences.organization_id)
    order by fenced_at, seat_id limit ${FENCES_PER_SWEEP}`
  return [
    db
      .update(seatLedgers)
      .set({ fencedThrough: new Date(through) })
      .where(
        sql`organization_id in (select organization_id from (select organization_id ${settled}))
          and fenced_through < ${through}`
      ),
    db
      .delete(seatFences)
      .where(inArray(seatFences.seatId, sql`(select seat_id from (select seat_id ${settled}))`)),
  ]
}
