/**
 * The end or suspension of memberships, with the release of their seats.
 *
 * @module
 */
import { endPointers, type SessionStoreContext } from './session-store.ts'
import { and, eq, inArray, sql } from 'drizzle-orm'
import { guard } from '../../database/commit.ts'
import { memberEvent, seatEvent, type EventDraft } from '../audit/event.ts'
import type { Statement, UserContext } from '../../database/database.ts'
import type { InvitationRow } from '../../database/schema/invitations-tables.ts'
import { memberships, type MembershipRow } from '../../database/schema/organizations-tables.ts'
import { withHook, type Job } from './plan.ts'
import type { Ending } from './end-invitation.ts'
import type { InvitedMembers } from './invited-members.ts'
import type { AccessContext, Rights } from '../access/roles.ts'
import type { ProviderContext, SeatReference } from '../seats/provider.ts'
import { isMembership, membershipView } from './membership.ts'

/** A loss of rights: with `rights` null the user has no active membership any more. */
export interface Loss {
  readonly userId: string
  /** The organizations that the loss concerns. */
  readonly organizationIds: readonly string[]
  /** The rights that are left. */
  readonly rights: Rights | null
  /** Whether another user removes or suspends them: an old invitation must not let them return. */
  readonly putOut: boolean
  /** The author of the loss; null: not a user. */
  readonly by: string | null
  readonly now: Date
}

/** The parts of the batch that ends invitations, and their number. */
export interface Lost extends Ending {
  /** For each organization. */
  readonly counts: ReadonlyMap<string, number>
  readonly count: number
  readonly invitations: readonly InvitationRow[]
}

/** The context of a function that ends the invitations of a loss. */
export interface LossContext extends AccessContext, UserContext, Pick<ProviderContext, 'seats'> {
  /** Null without the part: then no invitation is read. */
  readonly invitations: {
    readonly outliveInviter: boolean
    readonly members: InvitedMembers
  } | null
}

/** The empty end: there is no part of invitations. */
export const NOTHING_LOST: Lost = {
  statements: [],
  freedSeats: [],
  events: [],
  counts: /* @__PURE__ */ new Map(),
  count: 0,
  invitations: [],
}

/** The parts of a batch that ends memberships. */
export interface LeavePlan {
  readonly statements: readonly Statement[]
  readonly freedSeats: readonly SeatReference[]
  readonly events: readonly EventDraft[]
  readonly jobs: readonly Job[]
}

/** The context of a function that ends or suspends memberships. */
export interface LeaveContext extends SessionStoreContext, Pick<ProviderContext, 'seats'> {}

/** Returns the number of ended invitations for the metadata of an event; empty for 0. */
export function endedInvitations(count = 0): { readonly ended_invitations?: number } {
  return count > 0 ? { ended_invitations: count } : {}
}

/**
 * Builds the end of memberships. Session pointers end first, then the rows. The release of each seat is
 * an event, which frees it even if the call to the seat provider is lost. `endedWith` returns how many
 * invitations end with a membership.
 */
export function planLeave(
  context: LeaveContext,
  leavers: readonly MembershipRow[],
  reason: 'left' | 'user_deleted' | null,
  endedWith: (leaver: MembershipRow) => number | undefined
): LeavePlan {
  return planLeaving(
    context,
    leavers,
    context.db.delete(memberships).where(areMemberships(leavers)),
    (leaver) =>
      withHook(
        memberEvent(leaver, 'organization.member_remove', {
          ...(reason !== null && { reason }),
          ...endedInvitations(endedWith(leaver)),
        }),
        'afterMemberRemove',
        { membership: membershipView(leaver), path: reason ?? 'removed', reason }
      )
  )
}

/** Builds a suspension: the row stays, without its seat. */
export function planSuspension(
  context: LeaveContext,
  membership: MembershipRow,
  by: NonNullable<MembershipRow['suspendedBy']>,
  now: Date,
  ended = 0
): LeavePlan {
  return planLeaving(
    context,
    [membership],
    context.db
      .update(memberships)
      .set({ status: 'suspended', suspendedBy: by, seatId: null, updatedAt: now })
      .where(isMembership(membership)),
    (leaver) =>
      withHook(
        memberEvent(leaver, 'organization.member_suspend', { by, ...endedInvitations(ended) }),
        'afterMemberSuspend',
        {
          membership: membershipView({ ...leaver, status: 'suspended', updatedAt: now }),
          path: by,
        }
      )
  )
}

/** Frees the seats of members whose role takes no seat. */
export function unseat(
  { db, roles, seats }: AccessContext & Pick<ProviderContext, 'seats'>,
  organizationId: string,
  members: readonly { readonly userId: string; readonly seatId: string }[]
): Ending {
  if (members.length === 0) return { statements: [], events: [], freedSeats: [] }
  const listed = JSON.stringify(members.map(({ seatId }) => seatId))
  const theirs = and(
    eq(memberships.organizationId, organizationId),
    inArray(memberships.role, roles.seatless),
    sql`${memberships.seatId} in (select value from json_each(${listed}))`
  )
  const freed = seats.enforces ? members.map((member) => ({ organizationId, ...member })) : []
  return {
    statements: [
      guard(
        db,
        'stale',
        sql`(select count(*) from ${memberships} where ${theirs}) = ${members.length}`
      ),
      db.update(memberships).set({ seatId: null }).where(theirs),
    ],
    events: freed.map((seat) => seatEvent(seat, 'seat.released', { user_id: seat.userId })),
    freedSeats: freed,
  }
}

// A single one is compared directly: a list costs D1 more rows to read.
function areMemberships(rows: readonly MembershipRow[]) {
  const [only, ...others] = rows
  if (only && others.length === 0) return isMembership(only)
  const keys = JSON.stringify(rows.map(({ organizationId, userId }) => [organizationId, userId]))
  return sql`(${memberships.organizationId}, ${memberships.userId}) in
    (select value ->> 0, value ->> 1 from json_each(${keys}))`
}

function planLeaving(
  context: LeaveContext,
  leavers: readonly MembershipRow[],
  write: Statement,
  eventOf: (leaver: MembershipRow) => EventDraft
): LeavePlan {
  const pointers = endPointers(context, leavers)
  const freed = (context.seats.enforces ? leavers : []).flatMap(
    ({ organizationId, seatId, userId }) =>
      seatId === null ? [] : [{ seat: { organizationId, seatId, userId }, userId }]
  )
  const released = freed.map(({ seat, userId }) =>
    seatEvent(seat, 'seat.released', { user_id: userId })
  )
  return {
    statements: [...pointers.statements, write],
    freedSeats: freed.map(({ seat }) => seat),
    events: [...leavers.map(eventOf), ...released],
    jobs: pointers.jobs,
  }
}
