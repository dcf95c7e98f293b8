import { memberships, type MembershipRow } from '../../database/schema/organizations-tables.ts'
import { and, eq, sql, type SQL } from 'drizzle-orm'
import {
  hasUserId,
  userIdText,
  type Database,
  type Statement,
  type UserContext,
  type UserTable,
} from '../../database/database.ts'
import { insertRow } from '../../database/batch.ts'
import { organizationIdOf } from '../access/organization-ref.ts'
import type { OrganizationScope } from '../access/principal.ts'
import { seatEvent } from '../audit/event.ts'
import type { FoundingClaim, SeatClaim } from './plan.ts'
import { invitationHolder } from '../../base/seat-types.ts'

/** A membership in responses. Timestamps are ISO 8601 UTC. */
export interface Membership {
  readonly id: string
  readonly organizationId: string
  readonly userId: string
  readonly role: string
  readonly status: 'active' | 'suspended'
  readonly createdAt: string
  readonly updatedAt: string
}

/** The invitations that ended together with a user's rights. */
export interface EndedWith {
  /** How many open invitations ended, mainly those that they had sent and could no longer send. */
  readonly endedInvitations: number
}

/** A changed membership. */
export interface ChangedMembership extends Membership, EndedWith {}

/** A user who is about to become a member. */
export interface Newcomer {
  readonly organizationId: string
  readonly userId: string
  readonly role: string
}

/** Returns the row of a new membership; `claimSeats` adds its seat. */
export function newMembership(id: string, newcomer: Newcomer, now: Date) {
  return {
    id,
    ...newcomer,
    status: 'active',
    suspendedBy: null,
    groupRoles: null,
    createdAt: now,
    updatedAt: now,
  } as const satisfies Omit<MembershipRow, 'seatId'>
}

/** Builds the condition on memberships for the row of this user in this organization. */
export function isMembership({
  organizationId,
  userId,
}: Pick<MembershipRow, 'organizationId' | 'userId'>) {
  return and(eq(memberships.organizationId, organizationId), eq(memberships.userId, userId))
}

/** Whether a member stays suspended until a user restores them. A suspension by a limit ends when there are seats. */
export function isPutOut({
  status,
  suspendedBy,
}: Pick<MembershipRow, 'status' | 'suspendedBy'>): boolean {
  return status === 'suspended' && suspendedBy !== 'over_limit'
}

export function membershipView(
  row: Omit<MembershipRow, 'seatId' | 'suspendedBy' | 'groupRoles'>
): Membership {
  return {
    id: row.id,
    organizationId: row.organizationId,
    userId: row.userId,
    role: row.role,
    status: row.status,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  }
}

/** Builds the condition that a membership is in the scope's organization. */
export function inScope({ organization }: OrganizationScope): SQL {
  return eq(memberships.organizationId, organizationIdOf(organization))
}

/** Builds a scalar subquery of the id of a user of the host, if the user exists. */
export function knownId(users: UserTable, userId: string): SQL<string | null> {
  return sql<
    string | null
  >`(select ${userIdText(users)} from ${users} where ${hasUserId(users, userId)})`
}

/** Selects a user of the host; no query if the host has not configured its users. */
export function existingUser({ db, users }: UserContext, userId: SQL | string) {
  return users
    ? db
        .select({ id: userIdText(users) })
        .from(users)
        .where(hasUserId(users, userId))
    : db.select({ id: sql`1` }).from(sql`(select 1) where false`)
}

type NewMembership = Omit<MembershipRow, 'seatId'>

/** Claims the seat of the user who creates an organization; it is counted and never refused. */
export function claimAsFounder(db: Database, membership: NewMembership): FoundingClaim {
  return claim(membership, 'founding', null, inserting(db))
}

/**
 * Claims the seat of a new member. `seatId` is the seat that an invitation reserves for them; `awaited`
 * claims the seat of the first user on the waitlist.
 */
export function claimAsMember(
  db: Database,
  membership: NewMembership,
  { seatId, awaited }: { readonly seatId: string | null; readonly awaited: boolean }
): SeatClaim {
  return claim(membership, awaited ? 'awaited' : 'new', seatId, inserting(db))
}

/** Claims a new seat for a suspended member, who becomes active again. */
export function claimAgain(db: Database, membership: NewMembership): SeatClaim {
  // Only what changes: SQLite writes every index of a named column again.
  return claim(
    membership,
    'new',
    null,
    ({ role, status, suspendedBy, seatId, updatedAt, ...row }) =>
      db
        .update(memberships)
        .set({ role, status, suspendedBy, seatId, updatedAt })
        .where(isMembership(row))
  )
}

function inserting(db: Database) {
  return (row: MembershipRow): Statement => insertRow(db, memberships, row)
}

function claim<Kind extends SeatClaim['kind']>(
  membership: NewMembership,
  kind: Kind,
  seatId: string | null,
  write: (row: MembershipRow) => Statement
): SeatClaim<Kind> {
  const { organizationId, userId } = membership
  return {
    organizationId,
    kind,
    role: membership.role,
    seatId,
    heldBy: {},
    // The seat of an invitation keeps its holder when it becomes the seat of a membership.
    holder: (id, kept) => (kept ? invitationHolder(id) : userId),
    until: null,
    write: (id) => write({ ...membership, seatId: id }),
    events: (seat, counts) => [seatEvent(seat, 'seat.assigned', { user_id: userId, ...counts })],
  }
}

/** A user as an organization knows them: by id, and by address if the host has configured its users. */
export interface Person {
  readonly userId: SQL<string | null> | string | null
  readonly address: SQL<string | null>
}

/** Returns a user of the host's table; without the table the address is null. */
export function personOf(
  { users }: Pick<UserContext, 'users'>,
  userId: SQL<string | null> | string | null
): Person {
  return {
    userId,
    address: users
      ? sql<string | null>`(select ${users.email} from ${users} where ${hasUserId(users, userId)})`
      : sql<string | null>`null`,
  }
}
