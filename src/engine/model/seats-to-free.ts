/**
 * How many seats have to be free before a limit fits, and whose they could be.
 *
 * @module
 */
import { and, desc, eq, ne, sql, type SQL } from 'drizzle-orm'
import { guard } from '../../database/commit.ts'
import type { DatabaseContext, Statement } from '../../database/database.ts'
import { invitations } from '../../database/schema/invitations-tables.ts'
import { memberships } from '../../database/schema/organizations-tables.ts'
import type { SeatsToFree } from '../../base/result.ts'
import type { Runtime } from '../../base/runtime.ts'
import type { AccessContext } from '../access/roles.ts'
import { isPendingOnPage, seatsHeld, seatsReserved, seatsUsed, isOfType } from '../seats/counts.ts'
import type { SeatLimit } from '../seats/limit.ts'

const MOST_CANDIDATES = 50

/** The context of these queries. */
export interface ToFreeContext extends AccessContext, Pick<Runtime, 'now'> {}

/**
 * Builds the queries of the seats in use and of the candidates: the newest members, never an owner, and
 * the newest open invitations.
 */
export function toFreeQueries({ db, roles, now }: ToFreeContext, id: SQL<string | null>) {
  return {
    used: db
      .select({
        held: seatsHeld(sql`${id}`).as('held'),
        reserved: seatsReserved(sql`${id}`, now()).as('reserved'),
      })
      .from(sql`(select 1)`),
    candidates: db
      .select({ userId: memberships.userId, role: memberships.role })
      .from(memberships)
      .where(
        and(eq(memberships.organizationId, id), isOfType(null), ne(memberships.role, roles.owner))
      )
      .orderBy(desc(memberships.createdAt), desc(memberships.id))
      .limit(MOST_CANDIDATES),
    reservations: db
      .select({ id: invitations.id, email: invitations.email, role: invitations.role })
      .from(invitations)
      .where(and(eq(invitations.organizationId, id), isOfType(null), isPendingOnPage(now())))
      .orderBy(desc(invitations.createdAt), desc(invitations.id))
      .limit(MOST_CANDIDATES),
  }
}

/** The rows of {@link toFreeQueries}. */
export interface ToFreeRows {
  readonly used?: readonly { readonly held: number; readonly reserved: number }[]
  readonly candidates?: SeatsToFree['candidates']
  readonly reservations?: SeatsToFree['invitations']
}

/** The seats that members free who are removed in the same batch, and the invitations that end with them. */
export interface Freeing {
  readonly seats: number
  readonly userIds: readonly string[]
  readonly invitationIds: readonly string[]
}

/** No member is removed. */
export const FREEING_NO_SEAT: Freeing = { seats: 0, userIds: [], invitationIds: [] }

/** Returns how many further seats have to be free, with candidates. */
export function toFree(
  { used: [used] = [], candidates = [], reservations = [] }: ToFreeRows,
  limit: SeatLimit,
  { seats, userIds, invitationIds }: Freeing = FREEING_NO_SEAT
): SeatsToFree {
  const inUse = (used?.held ?? 0) + (used?.reserved ?? 0) - seats
  const over = limit.kind === 'finite' ? Math.max(0, inUse - limit.seats) : 0
  if (over === 0) return { seats: 0, candidates: [], invitations: [] }
  return {
    seats: over,
    candidates: candidates.filter(({ userId }) => !userIds.includes(userId)),
    invitations: reservations.filter(({ id }) => !invitationIds.includes(id)),
  }
}

/** Guards, at its place in a batch, that the seats in use fit a limit. */
export function guardFits(
  { db }: DatabaseContext,
  organizationId: string,
  limit: SeatLimit,
  now: Date
): readonly Statement[] {
  if (limit.kind !== 'finite') return []
  return [guard(db, 'stale', sql`${seatsUsed(organizationId, now)} <= ${limit.seats}`)]
}
