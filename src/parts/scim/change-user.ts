/**
 * The change of one pushed user: what replacing and patching have in common.
 *
 * @module
 */
import { and, eq } from 'drizzle-orm'
import { scimUsers, type ScimUserRow } from '../../database/schema/scim-tables.ts'
import { guardAccess } from '../../engine/access/access-guards.ts'
import { authorizeRole } from '../../engine/access/authorize.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import { scimEvent } from '../../engine/audit/part-actions.ts'
import { perform } from '../../engine/changes/operation.ts'
import { unchanged, type Plan } from '../../engine/model/plan.ts'
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
import { planNoWaiting, planPresence, withEnd } from './plan-presence.ts'
import type { PushedUser } from './read-user.ts'
import { placeOf } from './scim-token.ts'
import type { ScimContext } from './scim.ts'
import { settled } from './settle-waiting.ts'
import {
  guardScimUser,
  hostUserOf,
  presenceQueries,
  targetIn,
  usersWithKeys,
  userWith,
  type UserKeys,
} from './user-rows.ts'
import { attributesOf, scimUserView, type ScimUser } from './user-view.ts'

/** Options of a change of a user. */
export interface ScimChangeOptions {
  /** The value of `If-Match`: the change is refused if the user has another version. */
  readonly ifMatch?: string | undefined
}

/** Why a change of a user is refused. */
export type ScimChangeRefusal =
  | AccessRefusal
  | InputRefusal
  | JoinRefusal
  | HookRefusal
  | CommitRefusal
  | 'not_found'
  | 'scim_invalid'
  | 'not_unique'
  | 'version_mismatch'
  | 'last_owner'
  | 'role_not_configured'

/** A requested change: the keys that it may change, and the new state from the old one. */
export interface ScimChange {
  readonly name: 'replace' | 'patch'
  readonly keys: Omit<UserKeys, 'userId'>
  readonly next: (row: ScimUserRow) => Result<PushedUser, ScimChangeRefusal>
}

/** Changes a user as `next` returns. A change that leaves all as it is writes no row and no event. */
export async function changeScimUser(
  context: ScimContext,
  scope: OrganizationScope,
  id: string,
  change: ScimChange,
  { ifMatch }: ScimChangeOptions
): Promise<Result<ScimUser, ScimChangeRefusal>> {
  const { roles } = context
  const place = placeOf(scope)
  return perform(context, scope, {
    name: `organization.scim_user.${change.name}`,
    input: id,
    grows: true,
    refusals: [...HOOK_REFUSALS, ...JOIN_REFUSALS, 'last_owner'],
    finish: (user) => settled(context, scope, user),
    queries: {
      targets: userWith(context, place, id),
      others: usersWithKeys(context, place, { ...change.keys, userId: null }),
      ...presenceQueries(context, place, hostUserOf(place, id)),
    },
    plan({ rows, ...found }, caller, now): Result<Plan<ScimUser>, ScimChangeRefusal> {
      const access = authorizeRole(roles, { rows, ...found }, [roles.owner])
      if (!access.ok) return access
      const target = targetIn(rows, ifMatch)
      if (!target.ok) return target
      const { row } = target.value
      const { organizationId, userId } = row
      const pushed = change.next(row)
      if (!pushed.ok) return pushed
      if (rows.others.some((other) => other.id !== id && hasKeyOf(pushed.value, other))) {
        return refused({ code: 'not_unique' })
      }
      const about = { organizationId, userId, rows, caller, now, actor: access.value }
      const wanted = pushed.value.active
      const planned = planPresence({ ...context, roles: access.value.roles }, wanted, about)
      if (!planned.ok) return planned
      const presence =
        wanted === false ? withEnd(planned.value, planNoWaiting(context, about)) : planned.value
      const next = changedRow(row, pushed.value, now)
      const value = scimUserView(next ?? row, presence.active)
      if (next === null && presence.events.length === 0) return ok(unchanged(value))
      return ok({
        ...presence,
        value,
        statements: [
          guardAccess(context, access.value),
          guardScimUser(context, row),
          ...presence.statements,
          ...(next ? [updateOf(context, next)] : []),
        ],
        events: [...presence.events, ...(next ? [updatedEvent(next, row)] : [])],
      })
    },
  })
}

function hasKeyOf(pushed: PushedUser, other: ScimUserRow): boolean {
  const { userNameKey, externalId } = pushed
  return (
    other.userNameKey === userNameKey ||
    (externalId !== undefined && other.externalId === externalId)
  )
}

// Null if it is as it was.
function changedRow(row: ScimUserRow, pushed: PushedUser, now: Date): ScimUserRow | null {
  const { userName, userNameKey, externalId = null, email } = pushed
  const next = {
    ...row,
    userName,
    userNameKey,
    externalId,
    email: email ?? row.email,
    attributes: textOfValue(pushed.attributes),
  }
  const isSame =
    next.userName === row.userName &&
    next.externalId === row.externalId &&
    next.attributes === row.attributes
  return isSame ? null : { ...next, version: row.version + 1, updatedAt: now }
}

function updateOf({ db }: ScimContext, next: ScimUserRow) {
  const { organizationId, id, position: _position, userId: _userId, createdAt: _at, ...set } = next
  return db
    .update(scimUsers)
    .set(set)
    .where(and(eq(scimUsers.organizationId, organizationId), eq(scimUsers.id, id)))
}

function updatedEvent(next: ScimUserRow, row: ScimUserRow) {
  const [now, before] = [attributesOf(next), attributesOf(row)]
  const changed = [...new Set([...Object.keys(now), ...Object.keys(before)])].filter((name) => {
    const [a, b] = [now[name], before[name]]
    return a === undefined || b === undefined || textOfValue(a) !== textOfValue(b)
  })
  const names = [
    ...(next.userName === row.userName ? [] : ['userName']),
    ...(next.externalId === row.externalId ? [] : ['externalId']),
    ...changed,
  ]
  return scimEvent(next, 'organization.scim_user.updated', {
    user_id: next.userId,
    attributes: names.toSorted().join(' '),
  })
}
