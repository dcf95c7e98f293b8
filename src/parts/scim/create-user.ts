import { and, eq, isNotNull, sql } from 'drizzle-orm'
import { organizationDomains } from '../../database/schema/joining-tables.ts'
import { scimUsers, type ScimUserRow } from '../../database/schema/scim-tables.ts'
import { guardAccess } from '../../engine/access/access-guards.ts'
import { authorizeRole, find } from '../../engine/access/authorize.ts'
import { requestInfoOf, type OrganizationScope } from '../../engine/access/principal.ts'
import { scimEvent } from '../../engine/audit/part-actions.ts'
import { perform } from '../../engine/changes/operation.ts'
import { storeRefusal } from '../../engine/changes/operation-refusals.ts'
import type { Plan } from '../../engine/model/plan.ts'
import {
  HOOK_REFUSALS,
  JOIN_REFUSALS,
  ok,
  refused,
  type AccessRefusal,
  type CommitRefusal,
  type HookRefusal,
  type InputRefusal,
  type Result,
  type JoinRefusal,
} from '../../base/result.ts'
import { textOfValue } from './attribute-values.ts'
import { planPresence } from './plan-presence.ts'
import { allowedByHost, provisioned } from './provisioned.ts'
import { nameOf, readUser, type PushedUser } from './read-user.ts'
import { scimInvalid } from './scim-invalid.ts'
import { placeOf } from './scim-token.ts'
import type { Provisioned, ScimContext } from './scim.ts'
import { settled } from './settle-waiting.ts'
import { hostUserWith, presenceQueries, usersWithKeys, type UserKeys } from './user-rows.ts'
import { scimUserView, type ScimUser } from './user-view.ts'

/** Why {@link createScimUser} refuses. */
export type CreateScimUserRefusal =
  | AccessRefusal
  | InputRefusal
  | JoinRefusal
  | HookRefusal
  | CommitRefusal
  | 'scim_invalid'
  | 'not_unique'
  | 'address_not_allowed'
  | 'role_not_configured'
  | 'last_owner'
  | 'not_found'

/**
 * Takes a user from an identity provider, as POST does: finds or creates the host's user by `provision`,
 * and admits them through the gate. A member is linked and takes no second seat. With `active: false` the
 * person is no member yet. The same user again is refused with `not_unique`, and changes no row.
 *
 * Where the host has configured its users, the user that `provision` returns must have this address, and
 * have it verified where `emailVerification` says so: an account that another person has opened with it is
 * refused. It makes two round trips before its batch, since the host's own call is between them.
 *
 * Refusals: `AccessRefusal`, `InputRefusal`, `JoinRefusal`, `HookRefusal`, `CommitRefusal`,
 * `scim_invalid`, `not_unique` (`userName`, `externalId`, or the host's user), `address_not_allowed`,
 * `role_not_configured`, `last_owner`.
 *
 * @example
 * ```ts
 * const created = await createScimUser(seatgate, scope, {
 *   schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
 *   userName: 'ann@acme.example',
 *   externalId: '00u1',
 * })
 * if (!created.ok && created.error.code === 'seat_limit_reached') console.log(created.error.limit)
 * ```
 */
export async function createScimUser(
  context: ScimContext,
  scope: OrganizationScope,
  input: object
): Promise<Result<ScimUser, CreateScimUserRefusal>> {
  const read = readUser(input)
  try {
    const person = await personAllowed(context, scope, read)
    if (!person.ok) return person
    const userId = await provisioned(context, person.value.person)
    return userId.ok ? await admit(context, scope, userId.value, person.value) : userId
  } catch (error) {
    return refused(storeRefusal(context, error, { grows: true }))
  }
}

interface Pushed {
  readonly pushed: PushedUser
  readonly person: Provisioned
}

// Before the host's own call, which a caller without access, a repeat and an address from elsewhere do not cause.
async function personAllowed(
  context: ScimContext,
  scope: OrganizationScope,
  read: Result<PushedUser, 'scim_invalid' | 'validation_error'>
): Promise<Result<Pushed, CreateScimUserRefusal>> {
  const { db, roles } = context
  const place = placeOf(scope)
  const email = read.ok ? (read.value.email ?? '') : ''
  const found = await find(db, scope, {
    others: usersWithKeys(context, place, keysOf(read, null)),
    domains: db
      .select({ id: organizationDomains.id })
      .from(organizationDomains)
      .where(
        and(
          eq(organizationDomains.organizationId, place),
          eq(organizationDomains.domain, email.slice(email.lastIndexOf('@') + 1)),
          isNotNull(organizationDomains.verifiedAt)
        )
      ),
  })
  const access = authorizeRole(roles, found, [roles.owner])
  if (!access.ok) return access
  if (!read.ok) return read
  if (found.rows.others.length > 0) return refused({ code: 'not_unique' })
  const pushed = read.value
  if (pushed.email === null) return scimInvalid('invalidValue', 'emails: Must have an address.')
  const { userName, externalId = null, attributes } = pushed
  const organizationId = access.value.organization.id
  const name = nameOf(attributes)
  const person = { organizationId, email: pushed.email, userName, externalId, name }
  const isOwn = found.rows.domains.length > 0
  const allowed = isOwn ? ok(true) : await allowedByHost(context, person)
  if (!allowed.ok) return allowed
  return allowed.value ? ok({ pushed, person }) : refused({ code: 'address_not_allowed' })
}

function keysOf(read: Result<PushedUser>, userId: string | null): UserKeys {
  const { userNameKey = null, externalId = null } = read.ok ? read.value : {}
  return { userNameKey, externalId, userId }
}

function admit(
  context: ScimContext,
  scope: OrganizationScope,
  userId: string,
  { pushed, person }: Pushed
): Promise<Result<ScimUser, CreateScimUserRefusal>> {
  const { db, roles, newId } = context
  const place = placeOf(scope)
  const id = newId()
  return perform(
    context,
    { ...scope, ...requestInfoOf(scope) },
    {
      name: 'organization.scim_user.create',
      input: person,
      grows: true,
      refusals: [...HOOK_REFUSALS, ...JOIN_REFUSALS, 'last_owner'],
      finish: (user) => settled(context, scope, user),
      queries: {
        others: usersWithKeys(context, place, keysOf(ok(pushed), userId)),
        ...presenceQueries(context, place, userId),
        proven: hostUserWith(context, userId, person.email),
      },
      plan({ rows, ...found }, caller, now): Result<Plan<ScimUser>, CreateScimUserRefusal> {
        const access = authorizeRole(roles, { rows, ...found }, [roles.owner])
        if (!access.ok) return access
        if (rows.others.length > 0) return refused({ code: 'not_unique' })
        if (context.users && rows.proven.length === 0) {
          return refused({ code: 'address_not_allowed' })
        }
        const organizationId = access.value.organization.id
        const about = { organizationId, userId, rows, caller, now, actor: access.value }
        const presence = planPresence(
          { ...context, roles: access.value.roles },
          pushed.active ?? true,
          about
        )
        if (!presence.ok) return presence
        const row = newRow(id, userId, person, pushed, now)
        const names = ['userName', ...(pushed.externalId === undefined ? [] : ['externalId'])]
        return ok({
          ...presence.value,
          value: scimUserView(row, presence.value.active),
          statements: [
            guardAccess(context, access.value),
            ...presence.value.statements,
            db.insert(scimUsers).values({ ...row, position: nextPosition(organizationId) }),
          ],
          events: [
            ...presence.value.events,
            scimEvent(row, 'organization.scim_user.created', {
              user_id: userId,
              attributes: [...names, ...Object.keys(pushed.attributes)].toSorted().join(' '),
            }),
          ],
        })
      },
    }
  )
}

function newRow(
  id: string,
  userId: string,
  { organizationId, email }: Provisioned,
  { userName, userNameKey, externalId, attributes }: PushedUser,
  now: Date
): Omit<ScimUserRow, 'position'> {
  return {
    organizationId,
    id,
    userId,
    userName,
    userNameKey,
    externalId: externalId ?? null,
    email,
    attributes: textOfValue(attributes),
    version: 1,
    createdAt: now,
    updatedAt: now,
  }
}

function nextPosition(organizationId: string) {
  return sql<number>`(select coalesce(max(position), 0) + 1 from seatgate_scim_users
    where organization_id = ${organizationId})`
}
