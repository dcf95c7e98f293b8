import { and, eq, sql, type SQL } from 'drizzle-orm'
import { hasUserId, userIdText, type Database, type UserContext } from '../../database/database.ts'
import { rowsWhere } from '../../database/kept-query.ts'
import { invitations } from '../../database/schema/invitations-tables.ts'
import { memberships, organizations } from '../../database/schema/organizations-tables.ts'
import { organizationIdOf } from '../access/organization-ref.ts'
import type { OrganizationScope } from '../access/principal.ts'
import { isVerified, type VerificationContext } from './exclusions.ts'
import { isUnfinished } from './invitation.ts'

/** Selects an invitation of the scope's organization. */
export function invitationOf(db: Database, { organization }: OrganizationScope, id: string) {
  return rowsWhere(
    db,
    invitations,
    and(eq(invitations.id, id), eq(invitations.organizationId, organizationIdOf(organization)))
  )
}

/** Selects an invitation by its id, in any organization. */
export function invitationById(db: Database, id: string) {
  return rowsWhere(db, invitations, eq(invitations.id, id))
}

/** Builds a subquery of the id of an invitation's organization. */
export function placeOf(id: string): SQL {
  return sql`select organization_id from seatgate_invitations where id = ${id}`
}

/** Selects the organization of an invitation, if it is live. */
export function invitingOrganization(db: Database, id: string) {
  return rowsWhere(
    db,
    organizations,
    sql`${organizations.id} = (select organization_id from seatgate_invitations where id = ${id})
        and ${organizations.deletedAt} is null`
  )
}

/** Selects the name of the user who sent an invitation. */
export function inviterOf({ db, users }: UserContext, id: string) {
  return users
    ? db
        .select({ name: sql<string | null>`${users.name}`.as('inviter_name') })
        .from(users)
        .where(
          hasUserId(users, sql`(select invited_by_id from seatgate_invitations where id = ${id})`)
        )
    : db.select({ name: sql<string | null>`null`.as('inviter_name') }).from(sql`(select 1)`)
}

/** Selects a user's membership in the organization of an invitation, active or suspended. */
export function membershipThere(
  db: Database,
  id: string,
  userId: SQL<string | null> | string | null
) {
  return rowsWhere(
    db,
    memberships,
    sql`${memberships.organizationId} =
          (select organization_id from seatgate_invitations where id = ${id})
        and ${memberships.userId} = ${userId}`
  )
}

/** Selects the unfinished invitation of an address, expired ones included. */
export function unfinishedFor(db: Database, { organization }: OrganizationScope, email: string) {
  return rowsWhere(
    db,
    invitations,
    sql`${invitations.organizationId} = ${organizationIdOf(organization)}
        and ${invitations.email} = ${email} and ${isUnfinished()}`
  )
}

/**
 * Selects the members with one of these addresses, a subquery of `value`. Hosts store addresses as
 * `normalizeEmail` returns them.
 */
export function membersWithAddresses(
  { db, users }: UserContext,
  { organization }: OrganizationScope,
  emails: SQL
) {
  return users
    ? db
        .select({ email: sql<string>`${users.email}`.as('member_email') })
        .from(users)
        .where(
          sql`${users.email} in (${emails}) and exists (select 1 from seatgate_memberships
            where organization_id = ${organizationIdOf(organization)} and user_id = ${userIdText(users)})`
        )
    : db.select({ email: sql<string>`''`.as('member_email') }).from(sql`(select 1) where false`)
}

/** A user of the host: their address, and whether it is verified. */
export interface KnownUser {
  readonly id: string
  readonly email: string
  readonly name: string | null
  readonly verified: number
}

/**
 * Selects a user with their address.
 *
 * @throws {TypeError} if the host has configured no `users`.
 */
export function knownUser(
  context: UserContext & VerificationContext,
  userId: SQL<string | null> | string | null
) {
  const { db, users } = context
  if (users === null) throw new TypeError('Invitations need identity.users in createSeatgate.')
  return db
    .select({
      id: userIdText(users).as('known_id'),
      email: sql<string>`${users.email}`.as('known_email'),
      name: sql<string | null>`${users.name}`.as('known_name'),
      verified: isVerified(context).as('known_verified'),
    })
    .from(users)
    .where(hasUserId(users, userId))
}
