import { and, eq, getTableColumns, inArray, sql, type SQL } from 'drizzle-orm'
import { guard } from '../../database/commit.ts'
import { rowsWhere } from '../../database/kept-query.ts'
import {
  hasUserId,
  userIdText,
  type DatabaseContext,
  type Statement,
} from '../../database/database.ts'
import { isVerified } from '../../engine/model/exclusions.ts'
import { joinRequests } from '../../database/schema/joining-tables.ts'
import { memberships, type MembershipRow } from '../../database/schema/organizations-tables.ts'
import { scimUsers, type ScimUserRow } from '../../database/schema/scim-tables.ts'
import { existingUser, personOf } from '../../engine/model/membership.ts'
import { ok, refused, type Result } from '../../base/result.ts'
import type { ScimContext } from './scim.ts'
import { isNamedBy, scimUserView } from './user-view.ts'

/** The organization of a caller as a scalar subquery; null without one, so that no row matches. */
export type Place = SQL<string | null>

/** Selects users with whether each is an active member. */
export function usersWhere({ db }: DatabaseContext, condition: SQL) {
  const status = sql<string | null>`(select status from seatgate_memberships
    where seatgate_memberships.organization_id = seatgate_scim_users.organization_id
    and seatgate_memberships.user_id = seatgate_scim_users.user_id)`
  return db
    .select({ ...getTableColumns(scimUsers), status: status.as('membership_status') })
    .from(scimUsers)
    .where(condition)
}

/** Builds the condition for the users of an organization. */
export function isIn(place: Place): SQL {
  return sql`${scimUsers.organizationId} = ${place}`
}

/** Builds the condition for one user of an organization. */
export function isUserWith(place: Place, id: string): SQL {
  return sql`${isIn(place)} and ${scimUsers.id} = ${id}`
}

/** Selects one user of an organization. */
export function userWith({ db }: DatabaseContext, place: Place, id: string) {
  return rowsWhere(db, scimUsers, isUserWith(place, id))
}

/** The keys of a user that no other one of the organization may have; null: not asked for. */
export interface UserKeys {
  readonly userNameKey: string | null
  readonly externalId: string | null
  readonly userId: string | null
}

/** Selects the users of an organization that have one of these keys, each by its own index. */
export function usersWithKeys({ db }: DatabaseContext, place: Place, keys: UserKeys) {
  const { userNameKey, externalId, userId } = keys
  const own = isIn(place)
  return rowsWhere(
    db,
    scimUsers,
    sql`(${own} and ${scimUsers.userNameKey} = ${userNameKey})
        or (${own} and ${scimUsers.externalId} = ${externalId})
        or (${own} and ${scimUsers.userId} = ${userId})`
  )
}

/** Guards that a user of SCIM is unchanged since it was read. */
export function guardScimUser(
  { db }: DatabaseContext,
  { organizationId, id, version }: ScimUserRow
): Statement {
  return guard(
    db,
    'stale',
    sql`exists (select 1 from seatgate_scim_users where organization_id = ${organizationId}
      and id = ${id} and version = ${version})`
  )
}

/** Builds the queries about a person's membership: what lets them in, and what they leave behind. */
export function presenceQueries(context: ScimContext, place: Place, userId: SQL<string> | string) {
  const { db, invitations, joining } = context
  const person = sql<string>`${userId}`
  return {
    membership: rowsWhere(
      db,
      memberships,
      and(eq(memberships.organizationId, place), eq(memberships.userId, person))
    ),
    user: existingUser(context, person),
    invited: invitations?.members.toUser(context, place, person) ?? null,
    around: invitations?.members.around(context, place, person) ?? null,
    excluded: joining?.members.exclusionsOf(context, place, personOf(context, person)) ?? null,
    address: joining?.members.addressOf(context, person) ?? null,
    waiting: joining
      ? rowsWhere(
          db,
          joinRequests,
          and(
            eq(joinRequests.organizationId, place),
            eq(joinRequests.userId, person),
            inArray(joinRequests.state, ['open', 'waiting'])
          )
        )
      : null,
  }
}

/**
 * Selects a user of the host if they have this address, and if it is verified where the host records that;
 * no query if the host has not configured its users.
 */
export function hostUserWith(context: ScimContext, userId: string, email: string) {
  const { db, users, emailVerification } = context
  if (!users) return null
  const verified = emailVerification === null ? sql`true` : isVerified(context)
  return db
    .select({ id: userIdText(users) })
    .from(users)
    .where(sql`${hasUserId(users, userId)} and ${users.email} = ${email} and ${verified}`)
}

/** Builds a scalar subquery of the host's user of a user of SCIM. */
export function hostUserOf(place: Place, id: string): SQL<string> {
  return sql<string>`(select person.user_id from seatgate_scim_users person
    where person.organization_id = ${place} and person.id = ${id})`
}

/** Returns the user that a change is about, if they have the version that `If-Match` names. */
export function targetIn(
  {
    targets: [row],
    membership: [member],
  }: {
    readonly targets: readonly ScimUserRow[]
    readonly membership: readonly Pick<MembershipRow, 'status'>[]
  },
  ifMatch: string | undefined
): Result<
  { readonly row: ScimUserRow; readonly isActive: boolean },
  'not_found' | 'version_mismatch'
> {
  if (!row) return refused({ code: 'not_found' })
  const isActive = member?.status === 'active'
  const isMeant = ifMatch === undefined || isNamedBy(ifMatch, scimUserView(row, isActive))
  return isMeant ? ok({ row, isActive }) : refused({ code: 'version_mismatch' })
}
