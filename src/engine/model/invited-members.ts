/**
 * The work of the part of invitations when members come, change and go. The part carries it, so that a host
 * without invitations does not load it and reads no invitation.
 *
 * @module
 */
import { sql, type SQL } from 'drizzle-orm'
import { guard } from '../../database/commit.ts'
import { rowsWhere } from '../../database/kept-query.ts'
import {
  hasUserId,
  type Database,
  type DatabaseContext,
  type Statement,
  type UserContext,
} from '../../database/database.ts'
import { invitations, type InvitationRow } from '../../database/schema/invitations-tables.ts'
import { organizationIdOf } from '../access/organization-ref.ts'
import { userIdOf, type OrganizationScope, type Principal } from '../access/principal.ts'
import { mayInvite, mayMoveSeats, type AccessContext } from '../access/roles.ts'
import { isPending } from '../seats/counts.ts'
import type { ProviderContext } from '../seats/provider.ts'
import { endInvitation, endInvitations, type Ending } from './end-invitation.ts'
import { guardPending, guardUnfinished, isUnfinished, lateAcceptance } from './invitation.ts'
import type { Loss, LossContext, Lost } from './leave.ts'
import type { RightsLeft } from './plan.ts'
import { personOf, type Newcomer } from './membership.ts'

/** Selects the open invitation to a user's address; no query if the host has not configured its users. */
function unfinishedForUser(
  context: UserContext,
  organizationId: SQL<string | null> | string,
  userId: SQL<string | null> | string | null
) {
  return rowsWhere(context.db, invitations, isToUser(context, organizationId, userId))
}

function isToUser(
  { users }: Pick<UserContext, 'users'>,
  organizationId: SQL<string | null> | string,
  userId: SQL<string | null> | string | null
): SQL {
  const address = users
    ? sql`(select ${users.email} from ${users} where ${hasUserId(users, userId)})`
    : sql`null`
  return sql`${invitations.organizationId} = ${organizationId}
        and ${invitations.email} = ${address} and ${isUnfinished()}`
}

/** Selects all unfinished invitations of an organization, expired ones included. */
function unfinishedIn(db: Database, { organization }: OrganizationScope) {
  return rowsWhere(
    db,
    invitations,
    sql`${invitations.organizationId} = ${organizationIdOf(organization)} and ${isUnfinished()}`
  )
}

/** Selects the open invitations that a user has sent, in organizations (a subquery of ids). */
function invitationsBy(
  { db }: DatabaseContext,
  organizationIds: SQL,
  userId: SQL<string | null> | string | null
) {
  return rowsWhere(db, invitations, sql`${isBy(organizationIds, userId)} and ${isUnfinished()}`)
}

/** Selects the open invitations that users (a subquery of ids) have sent in an organization. */
function invitationsBySeveral(db: Database, organizationId: SQL<string | null>, userIds: SQL) {
  return rowsWhere(
    db,
    invitations,
    sql`organization_id = ${organizationId} and invited_by_id in (${userIds}) and ${isUnfinished()}`
  )
}

/** Selects those and the invitations to the user's address. */
function invitationsAround(
  context: UserContext,
  organizationIds: SQL,
  userId: SQL<string | null> | string
) {
  return rowsWhere(
    context.db,
    invitations,
    sql`${isAround(context, organizationIds, userId)} and ${isUnfinished()}`
  )
}

/**
 * Builds the end of the invitations of a loss, from what was read. If rights are left, the context has the
 * roles of the organization.
 */
function endLost(context: LossContext, around: readonly InvitationRow[], loss: Loss): Lost {
  const { roles } = context
  const outlive = context.invitations?.outliveInviter ?? false
  const { userId, rights, putOut, by, now } = loss
  const open = around.filter(
    ({ expiresAt, invitedById }) =>
      expiresAt > lateAcceptance(now) && (putOut || invitedById === userId)
  )
  const couldSend = (to: string) => rights !== null && mayInvite(roles, rights, to)
  const sent = open.filter((row) => row.invitedById === userId && !couldSend(row.role))
  const received = open.filter((row) => row.invitedById !== userId)
  const ending = { by, now }
  const bySender = endInvitations(context, outlive ? [] : sent, {
    ...ending,
    reason: 'inviter_lost_role',
  })
  const toPerson = endInvitations(context, putOut ? received : [], {
    ...ending,
    reason: 'invitee_put_out',
  })
  const ended = [...(outlive ? [] : sent), ...(putOut ? received : [])]
  return {
    statements: [guardAround(context, loss, open), ...bySender.statements, ...toPerson.statements],
    freedSeats: [...bySender.freedSeats, ...toPerson.freedSeats],
    events: [...bySender.events, ...toPerson.events],
    counts: countsOf(ended, ({ organizationId }) => organizationId),
    count: ended.length,
    invitations: ended,
  }
}

/**
 * Builds the end of the open invitations that members have sent and may not send any more with the rights
 * that are left to them, with their number for each member. The context has the roles of the organization.
 */
function endLostBySeveral(
  context: LossContext,
  organizationId: string,
  sent: readonly InvitationRow[],
  losses: readonly RightsLeft[],
  { by, now }: { readonly by: string | null; readonly now: Date }
): Ending & { readonly counts: ReadonlyMap<string, number> } {
  const left = new Map(losses.map(({ userId, rights }) => [userId, rights]))
  if (context.invitations?.outliveInviter || left.size === 0) return NOTHING_ENDED
  const open = sent.filter(
    ({ expiresAt, invitedById }) => expiresAt > lateAcceptance(now) && left.has(invitedById ?? '')
  )
  const ended = open.filter(({ invitedById, role }) => {
    const rights = left.get(invitedById ?? '')
    return rights !== undefined && !mayInvite(context.roles, rights, role)
  })
  const ending = endInvitations(context, ended, { by, now, reason: 'inviter_lost_role' })
  const users = sql`select value from json_each(${JSON.stringify([...left.keys()])})`
  const theirs = sql`organization_id = ${organizationId} and invited_by_id in (${users})`
  return {
    ...ending,
    statements: [guardAsRead(context, theirs, open, now), ...ending.statements],
    counts: countsOf(ended, ({ invitedById }) => invitedById ?? ''),
  }
}

const NOTHING_ENDED = {
  statements: [],
  events: [],
  freedSeats: [],
  counts: /* @__PURE__ */ new Map<string, number>(),
}

// Guards that the open invitations are exactly those that were read, with their roles and seats.
function guardAround(
  context: UserContext,
  { userId, organizationIds, putOut, now }: Loss,
  open: readonly InvitationRow[]
): Statement {
  const ids =
    organizationIds.length === 1
      ? sql`${organizationIds[0]}`
      : sql`select value from json_each(${JSON.stringify(organizationIds)})`
  return guardAsRead(
    context,
    putOut ? isAround(context, ids, userId) : isBy(ids, userId),
    open,
    now
  )
}

function guardAsRead(
  { db }: DatabaseContext,
  theirs: SQL,
  open: readonly InvitationRow[],
  now: Date
): Statement {
  const known = JSON.stringify(
    open.map(({ id, role, seatId, invitedById }) => [id, role, seatId, invitedById].join(' '))
  )
  const row = sql`id || ' ' || role || ' ' || coalesce(seat_id, '')
    || ' ' || coalesce(invited_by_id, '')`
  return guard(
    db,
    'stale',
    sql`(select count(*) = ${open.length} and count(*) filter (where ${row}
        not in (select value from json_each(${known}))) = 0
      from seatgate_invitations
      where ${theirs} and ${isPending(lateAcceptance(now))})`
  )
}

function isBy(organizationIds: SQL, userId: SQL<string | null> | string | null): SQL {
  return sql`organization_id in (${organizationIds}) and invited_by_id = ${userId}`
}

function isAround(
  context: Pick<UserContext, 'users'>,
  organizationIds: SQL,
  userId: SQL<string | null> | string
): SQL {
  const { address } = personOf(context, userId)
  return sql`organization_id in (${organizationIds})
    and (invited_by_id = ${userId} or email = lower(${address}))`
}

function countsOf(
  rows: readonly InvitationRow[],
  keyOf: (row: InvitationRow) => string
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const row of rows) counts.set(keyOf(row), (counts.get(keyOf(row)) ?? 0) + 1)
  return counts
}

/** Guards that an organization has exactly these open invitations, unchanged. */
function guardOnlyUnfinished(
  { db, roles }: AccessContext,
  organizationId: string,
  rows: readonly InvitationRow[]
): Statement {
  const bySeat = mayMoveSeats(roles)
  const known = JSON.stringify(
    rows.map(({ tokenHash, seatId }) => (bySeat ? `${tokenHash} ${seatId ?? ''}` : tokenHash))
  )
  const row = bySeat ? sql`token_hash || ' ' || coalesce(seat_id, '')` : sql`token_hash`
  return guard(
    db,
    'stale',
    sql`(select count(*) from seatgate_invitations
      where organization_id = ${organizationId} and ${isUnfinished()}) = ${rows.length}
      and not exists (select 1 from seatgate_invitations
        where organization_id = ${organizationId} and ${isUnfinished()}
        and ${row} not in (select value from json_each(${known})))`
  )
}

/** Builds the end of the open invitations of an organization that is deleted. */
function endAll(
  context: AccessContext & Pick<ProviderContext, 'seats'>,
  organizationId: string,
  rows: readonly InvitationRow[],
  by: string | null,
  now: Date
): Ending {
  const ended = endInvitations(context, rows, { reason: 'organization_deleted', by, now })
  return {
    ...ended,
    statements: [guardOnlyUnfinished(context, organizationId, rows), ...ended.statements],
  }
}

/** The invitation that a new member no longer needs has ended, and its seat is theirs. */
export interface TakenOver extends Ending {
  readonly seatId: string | null
}

/**
 * Builds the end of the open invitation to a new member, which passes its seat on, so that no user takes
 * two seats. An expired one is only ended. If there is no invitation, guards that no other user makes one before the batch.
 */
function takeOver(
  context: UserContext & AccessContext & Pick<ProviderContext, 'seats'>,
  { organizationId, userId }: Newcomer,
  [invitation]: readonly InvitationRow[],
  caller: Principal,
  now: Date
): TakenOver {
  if (invitation === undefined) {
    const statements = guardNotInvited(context, organizationId, userId)
    return { seatId: null, statements, freedSeats: [], events: [] }
  }
  const seatId = invitation.expiresAt > now ? invitation.seatId : null
  const by = userIdOf(caller)
  const ending = endInvitation(context, invitation, 'superseded', by, now, seatId !== null)
  const unchanged =
    seatId === null ? guardUnfinished(context, invitation) : guardPending(context, invitation, now)
  return { ...ending, seatId, statements: [unchanged, ...ending.statements] }
}

function guardNotInvited(
  context: UserContext,
  organizationId: string,
  userId: string
): readonly Statement[] {
  if (context.users === null) return []
  const invited = sql`select 1 from seatgate_invitations where ${isToUser(context, organizationId, userId)}`
  return [guard(context.db, 'stale', sql`not exists (${invited})`)]
}

/** The functions that a context with the part of invitations has. */
export const invitedMembers = {
  toUser: unfinishedForUser,
  by: invitationsBy,
  bySeveral: invitationsBySeveral,
  around: invitationsAround,
  inOrganization: unfinishedIn,
  endLost,
  endLostBySeveral,
  endAll,
  takeOver,
}

export type InvitedMembers = typeof invitedMembers
