import { invitations, type InvitationRow } from '../../database/schema/invitations-tables.ts'
import { eq, sql, type SQL } from 'drizzle-orm'
import { seatEvent } from '../audit/event.ts'
import {
  hasUserId,
  userIdText,
  type Database,
  type Statement,
  type UserContext,
} from '../../database/database.ts'
import type { SeatClaim } from './plan.ts'
import { invitationHolder } from '../../base/seat-types.ts'
import { guard } from '../../database/commit.ts'
import { areFew } from '../../database/batch.ts'
import { mayMoveSeats, type AccessContext } from '../access/roles.ts'
import { isPending } from '../seats/counts.ts'
import type { KnownUser } from './invitation-lookup.ts'

/** The state of an invitation. A past expiry ends it like an action of a user. */
export type InvitationState = 'pending' | 'accepted' | 'revoked' | 'declined' | 'expired'

/** An invitation in responses. Timestamps are ISO 8601 UTC. */
export interface Invitation {
  readonly id: string
  readonly organizationId: string
  readonly email: string
  readonly role: string
  readonly status: InvitationState
  readonly expiresAt: string
  /** The inviter; null if it was not a user. */
  readonly invitedBy: string | null
  /** The state of its mail; `skipped` if the host sends no mail. */
  readonly mailStatus: 'queued' | 'sent' | 'failed' | 'skipped'
  readonly createdAt: string
}

/** An invitation with its tokens, which are returned only once. */
export interface InvitationWithToken extends Invitation {
  /** The token for the inviter to pass on. It admits its holder and verifies no address. */
  readonly token: string
  /**
   * The token for a host that sends the mail itself. It must only be in a mail to the address, because
   * accepting with it verifies the address. Do not show it to the inviter.
   */
  readonly mailToken: string
}

/** Removes the mail's token from an invitation, for responses. */
export function withoutMailToken({ mailToken: _mailToken, ...invitation }: InvitationWithToken) {
  return invitation
}

export function stateOf(row: Omit<InvitationRow, 'seatId'>, now: Date): InvitationState {
  if (row.acceptedAt !== null) return 'accepted'
  if (row.revokedAt !== null) return 'revoked'
  if (row.declinedAt !== null) return 'declined'
  return row.expiresAt <= now ? 'expired' : 'pending'
}

export function invitationView(row: Omit<InvitationRow, 'seatId'>, now: Date): Invitation {
  return {
    id: row.id,
    organizationId: row.organizationId,
    email: row.email,
    role: row.role,
    status: stateOf(row, now),
    expiresAt: row.expiresAt.toISOString(),
    invitedBy: row.invitedById,
    mailStatus: row.mailStatus,
    createdAt: row.createdAt.toISOString(),
  }
}

type UnseatedInvitation = Omit<InvitationRow, 'seatId'>

/** Claims the seat of a new invitation; `seatId` is the seat of the invitation that it replaces. */
export function claimForInvitation(
  db: Database,
  invitation: UnseatedInvitation,
  seatId: string | null
): SeatClaim {
  return claim(invitation, seatId, (row) => db.insert(invitations).values(row))
}

/**
 * Claims the seat of a renewed invitation; `seatId` is the seat that it already holds, and `present` the one in
 * its row, which after its expiry may be another user's.
 */
export function claimForRenewal(
  db: Database,
  invitation: UnseatedInvitation,
  seatId: string | null,
  present: string | null
): SeatClaim {
  return claim(invitation, seatId, (row) => writeRenewal(db, row, present))
}

/** Builds the write of a renewed invitation, whose row has the seat `present`. */
export function writeRenewal(db: Database, row: InvitationRow, present: string | null): Statement {
  const { role, tokenHash, tokenVersion, expiresAt, mailStatus, locale, invitedById, updatedAt } =
    row
  // Only what changes: SQLite writes every index of a named column again.
  return db
    .update(invitations)
    .set({
      role,
      tokenHash,
      tokenVersion,
      expiresAt,
      mailStatus,
      locale,
      invitedById,
      updatedAt,
      ...(present !== row.seatId && { seatId: row.seatId }),
    })
    .where(eq(invitations.id, row.id))
}

/** Claims a seat for the new role of an invitation, or frees `seatId` if the role takes no seat. */
export function claimInRole(
  db: Database,
  invitation: UnseatedInvitation,
  seatId: string | null
): SeatClaim {
  const { id, role, invitedById, updatedAt } = invitation
  return claim(invitation, seatId, (row) =>
    db
      .update(invitations)
      .set({ role, invitedById, updatedAt, seatId: row.seatId })
      .where(eq(invitations.id, id))
  )
}

function claim(
  invitation: UnseatedInvitation,
  seatId: string | null,
  write: (row: InvitationRow) => Statement
): SeatClaim {
  const { id, organizationId, role, expiresAt } = invitation
  const promise = { invitation_id: id, expires_at: expiresAt.toISOString() }
  return {
    organizationId,
    kind: 'new',
    role,
    seatId,
    heldBy: { invitation_id: id },
    holder: invitationHolder,
    until: expiresAt,
    write: (granted) => write({ ...invitation, seatId: granted }),
    events: (seat, counts, kept) =>
      kept ? [] : [seatEvent(seat, 'seat.reserved', { ...promise, ...counts })],
  }
}

/** Guards that the invitation is open now, with the token, the role and the seat that were read. */
export function guardPending(context: AccessContext, row: InvitationRow, now: Date): Statement {
  const { id, tokenHash, role } = row
  return guard(
    context.db,
    'stale',
    sql`exists (select 1 from seatgate_invitations
      where ${hasItsSeat(context, row)}id = ${id} and token_hash = ${tokenHash} and role = ${role}
      and ${isReserved()} and ${isPending(now)})`
  )
}

// Only a change between roles of different seats gives an open invitation another one.
function hasItsSeat({ roles }: AccessContext, { seatId }: InvitationRow): SQL {
  return mayMoveSeats(roles) ? sql`seat_id is ${seatId} and ` : sql``
}

// A write that arrives long after it was planned finds the seat of an expired invitation with another
// user: then the trail has an event that is later than the minute for which the seat stays reserved.
function isReserved(): SQL {
  return sql`coalesce((select occurred_at from seatgate_audit_events
      where organization_id = seatgate_invitations.organization_id order by sequence desc limit 1), 0) <= expires_at + 60000`
}

/** Guards that the user exists, with the address that was compared with the invitation's. */
export function guardAddress({ db, users }: UserContext, { id, email }: KnownUser): Statement[] {
  if (users === null) return []
  const same = sql`exists (select 1 from ${users}
    where ${hasUserId(users, id)} and ${users.email} = ${email})`
  return [guard(db, 'stale', same)]
}

const LATE_MS = 600_000

/**
 * When a sender loses rights or a recipient is put out, invitations end that expire after this instant: ten
 * minutes ago, because an acceptance that was planned before the expiry may be written after it.
 */
export function lateAcceptance(now: Date): Date {
  return new Date(now.getTime() - LATE_MS)
}

/** Guards that the invitation was not ended or changed; it may have expired. */
export function guardUnfinished(context: AccessContext, row: InvitationRow): Statement {
  const { id, tokenHash, role } = row
  return guard(
    context.db,
    'stale',
    sql`exists (select 1 from seatgate_invitations
      where ${hasItsSeat(context, row)}id = ${id} and token_hash = ${tokenHash} and role = ${role} and ${isUnfinished()})`
  )
}

/** Guards that these invitations are as they were read. */
export function guardAllUnfinished(
  context: AccessContext,
  rows: readonly InvitationRow[]
): readonly Statement[] {
  if (areFew(rows)) return rows.map((row) => guardUnfinished(context, row))
  const known = JSON.stringify(rows.map(({ id, tokenHash, role }) => [id, tokenHash, role]))
  const seats = JSON.stringify(rows.map(({ id, seatId }) => `${id} ${seatId ?? ''}`))
  const haveTheirs = sql` and id || ' ' || coalesce(seat_id, '') in (select value from json_each(${seats}))`
  const unfinished = sql`select count(*) from seatgate_invitations
    where (id, token_hash, role) in
      (select value ->> 0, value ->> 1, value ->> 2 from json_each(${known}))
    and ${isUnfinished()}${mayMoveSeats(context.roles) ? haveTheirs : sql``}`
  const { length } = rows
  return [guard(context.db, 'stale', sql`(${unfinished}) = ${length}`)]
}

/** Guards that no member has one of these addresses. */
export function guardNoMembers(
  { db, users }: UserContext,
  organizationId: string,
  emails: readonly string[]
): Statement[] {
  if (users === null) return []
  const [only, ...others] = emails
  const list =
    only !== undefined && others.length === 0
      ? sql`${only}`
      : sql`select value from json_each(${JSON.stringify(emails)})`
  const members = sql`select 1 from ${users} where ${users.email} in (${list})
    and exists (select 1 from seatgate_memberships
      where organization_id = ${organizationId} and user_id = ${userIdText(users)})`
  return [guard(db, 'stale', sql`not exists (${members})`)]
}

/** Builds the condition that an invitation was not ended. */
export function isUnfinished() {
  return sql`accepted_at is null and revoked_at is null and declined_at is null`
}
