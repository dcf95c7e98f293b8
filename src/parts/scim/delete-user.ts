import { and, eq } from 'drizzle-orm'
import { scimUsers } from '../../database/schema/scim-tables.ts'
import { guardAccess } from '../../engine/access/access-guards.ts'
import { authorizeRole } from '../../engine/access/authorize.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import { scimEvent } from '../../engine/audit/part-actions.ts'
import { perform } from '../../engine/changes/operation.ts'
import type { Plan } from '../../engine/model/plan.ts'
import {
  HOOK_REFUSALS,
  ok,
  type AccessRefusal,
  type CommitRefusal,
  type HookRefusal,
  type Result,
} from '../../base/result.ts'
import type { ScimChangeOptions } from './change-user.ts'
import { planNoWaiting, planPresence, withEnd, type PresenceRefusal } from './plan-presence.ts'
import { placeOf } from './scim-token.ts'
import type { ScimContext } from './scim.ts'
import { guardScimUser, hostUserOf, presenceQueries, targetIn, userWith } from './user-rows.ts'

/** Why {@link deleteScimUser} refuses. */
export type DeleteScimUserRefusal =
  | AccessRefusal
  | HookRefusal
  | CommitRefusal
  | PresenceRefusal
  | 'version_mismatch'
  | 'last_owner'

/**
 * Deletes a pushed user, as DELETE does: the member is suspended or removed, as `deprovision` says, the
 * seat is free, and the name and the ids can be used again. The host's user stays. The last owner stays a
 * member, and is refused.
 *
 * Refusals: `AccessRefusal`, `HookRefusal`, `CommitRefusal`, `not_found`, `version_mismatch`,
 * `last_owner`.
 *
 * @example
 * ```ts
 * await deleteScimUser(seatgate, scope, user.id)
 * ```
 */
export async function deleteScimUser(
  context: ScimContext,
  scope: OrganizationScope,
  id: string,
  { ifMatch }: ScimChangeOptions = {}
): Promise<Result<null, DeleteScimUserRefusal>> {
  const { db, roles } = context
  const place = placeOf(scope)
  return perform(context, scope, {
    name: 'organization.scim_user.delete',
    input: id,
    grows: false,
    refusals: [...HOOK_REFUSALS, 'last_owner'],
    queries: {
      targets: userWith(context, place, id),
      ...presenceQueries(context, place, hostUserOf(place, id)),
    },
    plan({ rows, ...found }, caller, now): Result<Plan<null>, DeleteScimUserRefusal> {
      const access = authorizeRole(roles, { rows, ...found }, [roles.owner])
      if (!access.ok) return access
      const target = targetIn(rows, ifMatch)
      if (!target.ok) return target
      const { row } = target.value
      const { organizationId, userId } = row
      const about = { organizationId, userId, rows, caller, now, actor: access.value }
      const presence = planPresence(context, false, about)
      if (!presence.ok) return presence
      const out = withEnd(presence.value, planNoWaiting(context, about))
      return ok({
        ...out,
        value: null,
        statements: [
          guardAccess(context, access.value),
          guardScimUser(context, row),
          ...out.statements,
          db
            .delete(scimUsers)
            .where(and(eq(scimUsers.organizationId, organizationId), eq(scimUsers.id, id))),
        ],
        events: [
          ...out.events,
          scimEvent(row, 'organization.scim_user.deleted', { user_id: userId }),
        ],
      })
    },
  })
}
