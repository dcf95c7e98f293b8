/**
 * The open invitations that end with a user's rights: those that they have sent and could no longer send,
 * and those to their own address, if they were removed or suspended.
 *
 * @module
 */
import type { AccessContext } from '../access/roles.ts'
import type { UserContext } from '../../database/user-table.ts'
import type { ProviderContext } from '../seats/provider.ts'
import { sql, type SQL } from 'drizzle-orm'
import { guard } from '../../database/commit.ts'
import type { Statement, DatabaseContext } from '../../database/database.ts'
import { invitations, type InvitationRow } from '../../database/schema.ts'
import { personOf } from './exclusions.ts'
import { isPending } from '../seats/counts.ts'
import { endInvitations, type Ending } from './end-invitation.ts'
import { isUnfinished } from './invitation-guards.ts'
import { mayInvite } from '../access/roles.ts'

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
export function invitationsAround(seatgate: UserContext, organizationIds: SQL, userId: string) {
  return seatgate.db
    .select()
    .from(invitations)
    .where(sql`${isAround(seatgate, organizationIds, userId)} and ${isUnfinished()}`)
}

/** Builds the end of the invitations of a loss, from what was read. */
export function endLost(seatgate: LossContext, around: readonly InvitationRow[], loss: Loss): Lost {
  const { roles } = seatgate
  const outlive = seatgate.invitations?.outliveInviter ?? false
  const { userId, role, putOut, by, now } = loss
  const open = around.filter(
    ({ expiresAt, invitedById }) => expiresAt > now && (putOut || invitedById === userId)
  )
  const couldSend = (to: string) => role !== null && mayInvite(roles, role, to)
  const sent = open.filter((row) => row.invitedById === userId && !couldSend(row.role))
  const received = open.filter((row) => row.invitedById !== userId)
  const ending = { by, now }
  const bySender = endInvitations(seatgate, outlive ? [] : sent, {
    ...ending,
    reason: 'inviter_lost_role',
  })
  const toPerson = endInvitations(seatgate, putOut ? received : [], {
    ...ending,
    reason: 'invitee_put_out',
  })
  const ended = [...(outlive ? [] : sent), ...(putOut ? received : [])]
  return {
    statements: [guardAround(seatgate, loss, open), ...bySender.statements, ...toPerson.statements],
    freedSeats: [...bySender.freedSeats, ...toPerson.freedSeats],
    events: [...bySender.events, ...toPerson.events],
    counts: countsOf(ended),
    count: ended.length,
  }
}

// Guards that the open invitations are exactly those that were read, with their roles and seats.
function guardAround(
  seatgate: UserContext,
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
    seatgate.db,
    'stale',
    sql`(select count(*) = ${open.length} and count(*) filter (where ${row}
        not in (select value from json_each(${known}))) = 0
      from seatgate_invitations
      where ${putOut ? isAround(seatgate, ids, userId) : isBy(ids, userId)} and ${isPending(now)})`
  )
}

function isBy(organizationIds: SQL, userId: SQL<string | null> | string | null): SQL {
  return sql`organization_id in (${organizationIds}) and invited_by_id = ${userId}`
}

function isAround(seatgate: Pick<UserContext, 'users'>, organizationIds: SQL, userId: string): SQL {
  const { address } = personOf(seatgate, userId)
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
