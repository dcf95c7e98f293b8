/**
 * Ends invitations without a member, and frees their seats.
 *
 * @module
 */
import { eq, inArray, sql, type SQL } from 'drizzle-orm'
import { invitationEvent, seatEvent, type EventDraft } from '../audit/event.ts'
import type { DatabaseContext, Statement, UserContext } from '../../database/database.ts'
import { invitations, type InvitationRow } from '../../database/schema.ts'
import { withHook } from './plan.ts'
import type { ProviderContext, SeatReference } from '../seats/provider.ts'
import { invitationView, isUnfinished } from './invitation.ts'
import { mayInvite, type AccessContext } from '../access/roles.ts'
import { guard } from '../../database/commit.ts'
import { personOf } from './exclusions.ts'
import { isPending } from '../seats/counts.ts'

/** The parts of a batch that ends invitations. */
export interface Ending {
  readonly statements: readonly Statement[]
  readonly freedSeats: readonly SeatReference[]
  readonly events: readonly EventDraft[]
}

/** The reason for the end, its author (null: not a user) and its time. */
export interface EndingCause {
  readonly reason:
    | 'revoked'
    | 'superseded'
    | 'organization_deleted'
    | 'declined'
    | 'inviter_lost_role'
    | 'invitee_put_out'
  readonly by: string | null
  readonly now: Date
  /** Whether the seat passes on to the invitation or membership that takes its place. */
  readonly keepsSeat?: (row: InvitationRow) => boolean
}

/** Builds the end of an invitation. With `keepSeat` its seat passes on to its replacement. */
export function endInvitation(
  context: DatabaseContext & Pick<ProviderContext, 'seats'>,
  row: InvitationRow,
  reason: EndingCause['reason'],
  by: string | null,
  now: Date,
  keepSeat = false
): Ending {
  return endInvitations(context, [row], { reason, by, now, keepsSeat: () => keepSeat })
}

/**
 * Builds the end of invitations with one reason: one statement, and for each an event and the release of
 * its seat. The batch guards that they are unchanged.
 */
export function endInvitations(
  context: DatabaseContext & Pick<ProviderContext, 'seats'>,
  rows: readonly InvitationRow[],
  { reason, by, now, keepsSeat = () => false }: EndingCause
): Ending {
  if (rows.length === 0) return { statements: [], freedSeats: [], events: [] }
  const each = rows.map((row) => ({
    event: endingEvent(row, { reason, by, now }),
    freed: freedSeat(context, row, keepsSeat(row)),
  }))
  return {
    statements: [
      context.db
        .update(invitations)
        .set({ ...endedColumns(reason, by, now), updatedAt: now })
        .where(isOneOf(rows)),
    ],
    freedSeats: each.flatMap(({ freed }) => freed.map(({ seat }) => seat)),
    events: each.flatMap(({ event, freed }) => [event, ...freed.map((seat) => seat.event)]),
  }
}

/** Returns the seat that an invitation frees, and its event. */
export function freedSeat(
  { seats }: Pick<ProviderContext, 'seats'>,
  { id, organizationId, seatId }: InvitationRow,
  keepSeat: boolean
): readonly { readonly seat: SeatReference; readonly event: EventDraft }[] {
  if (seatId === null || keepSeat || !seats.enforces) return []
  const seat = { organizationId, seatId }
  return [{ seat, event: seatEvent(seat, 'seat.released', { invitation_id: id }) }]
}

// A single id is compared directly: a list costs D1 more rows to read.
function isOneOf(rows: readonly InvitationRow[]): SQL {
  const [only, ...others] = rows
  if (only && others.length === 0) return eq(invitations.id, only.id)
  const ids = JSON.stringify(rows.map(({ id }) => id))
  return inArray(invitations.id, sql`(select value from json_each(${ids}))`)
}

function endingEvent(row: InvitationRow, { reason, by, now }: EndingCause): EventDraft {
  const invitation = invitationView({ ...row, ...endedColumns(reason, by, now) }, now)
  if (reason === 'declined') {
    return withHook(
      invitationEvent(row, 'organization.invitation.declined'),
      'afterInvitationDecline',
      { invitation }
    )
  }
  return withHook(
    invitationEvent(row, 'organization.invitation.revoked', { reason }),
    'afterInvitationRevoke',
    { invitation, path: reason }
  )
}

function endedColumns(reason: EndingCause['reason'], by: string | null, now: Date) {
  if (reason === 'declined') return { declinedAt: now }
  // The table has three reasons; the event has the full one.
  const revokeReason =
    reason === 'superseded' || reason === 'organization_deleted' ? reason : ('revoked' as const)
  return { revokedAt: now, revokedById: by, revokeReason }
}

/** A loss of rights: with `role` null the user has no active membership any more. */
export interface Loss {
  readonly userId: string
  /** The organizations that the loss concerns. */
  readonly organizationIds: readonly string[]
  readonly role: string | null
  /** Whether another user removes or suspends them: an old invitation must not let them return. */
  readonly putOut: boolean
  /** The author of the loss; null: not a user. */
  readonly by: string | null
  readonly now: Date
}

/** The parts of the batch that ends them, and their number. */
export interface Lost extends Ending {
  /** For each organization. */
  readonly counts: ReadonlyMap<string, number>
  readonly count: number
}

/** The context of a function that ends the invitations of a loss. */
export interface LossContext extends AccessContext, UserContext, Pick<ProviderContext, 'seats'> {
  /** Null if invitations are not configured: those from before end as by default. */
  readonly invitations: { readonly outliveInviter: boolean } | null
}

/** Selects the open invitations that a user has sent, in organizations (a subquery of ids). */
export function invitationsBy(
  { db }: DatabaseContext,
  organizationIds: SQL,
  userId: SQL<string | null> | string | null
) {
  return db
    .select()
    .from(invitations)
    .where(sql`${isBy(organizationIds, userId)} and ${isUnfinished()}`)
}

/** Selects those and the invitations to the user's address. */
export function invitationsAround(context: UserContext, organizationIds: SQL, userId: string) {
  return context.db
    .select()
    .from(invitations)
    .where(sql`${isAround(context, organizationIds, userId)} and ${isUnfinished()}`)
}

/** Builds the end of the invitations of a loss, from what was read. */
export function endLost(context: LossContext, around: readonly InvitationRow[], loss: Loss): Lost {
  const { roles } = context
  const outlive = context.invitations?.outliveInviter ?? false
  const { userId, role, putOut, by, now } = loss
  const open = around.filter(
    ({ expiresAt, invitedById }) => expiresAt > now && (putOut || invitedById === userId)
  )
  const couldSend = (to: string) => role !== null && mayInvite(roles, role, to)
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
    counts: countsOf(ended),
    count: ended.length,
  }
}

// Guards that the open invitations are exactly those that were read, with their roles and seats.
function guardAround(
  context: UserContext,
  { userId, organizationIds, putOut, now }: Loss,
  open: readonly InvitationRow[]
): Statement {
  const known = JSON.stringify(
    open.map(({ id, role, seatId, invitedById }) => [id, role, seatId, invitedById].join(' '))
  )
  const ids =
    organizationIds.length === 1
      ? sql`${organizationIds[0]}`
      : sql`select value from json_each(${JSON.stringify(organizationIds)})`
  const row = sql`id || ' ' || role || ' ' || coalesce(seat_id, '')
    || ' ' || coalesce(invited_by_id, '')`
  return guard(
    context.db,
    'stale',
    sql`(select count(*) = ${open.length} and count(*) filter (where ${row}
        not in (select value from json_each(${known}))) = 0
      from seatgate_invitations
      where ${putOut ? isAround(context, ids, userId) : isBy(ids, userId)} and ${isPending(now)})`
  )
}

function isBy(organizationIds: SQL, userId: SQL<string | null> | string | null): SQL {
  return sql`organization_id in (${organizationIds}) and invited_by_id = ${userId}`
}

function isAround(context: Pick<UserContext, 'users'>, organizationIds: SQL, userId: string): SQL {
  const { address } = personOf(context, userId)
  return sql`organization_id in (${organizationIds})
    and (invited_by_id = ${userId} or email = lower(${address}))`
}

function countsOf(rows: readonly InvitationRow[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { organizationId } of rows) {
    counts.set(organizationId, (counts.get(organizationId) ?? 0) + 1)
  }
  return counts
}
