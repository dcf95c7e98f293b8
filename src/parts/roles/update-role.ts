import * as v from 'valibot'
import { parseInput } from '../../base/input.ts'
import {
  invalid,
  ok,
  refused,
  type AccessRefusal,
  type InputRefusal,
  type Result,
  type StoreRefusal,
} from '../../base/result.ts'
import { guardAccess } from '../../engine/access/access-guards.ts'
import { authorizeFor } from '../../engine/access/authorize.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import { userIdOf, type OrganizationScope } from '../../engine/access/principal.ts'
import { rolesIn } from '../../engine/access/roles.ts'
import { roleEvent } from '../../engine/audit/role-actions.ts'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import { endedInvitations } from '../../engine/model/leave.ts'
import { unchanged, type Plan } from '../../engine/model/plan.ts'
import { endLostOf, losesAny, lossQueries, NOTHING_ENDS } from './end-lost.ts'
import type { OwnRolesContext } from './own-roles.ts'
import {
  ownRoleNamed,
  permissionList,
  RoleName,
  storedRoles,
  withRoles,
  writeRoles,
  type Role,
} from './role.ts'
import { guardUnused, replaceRole, usesIn, usesOf } from './role-uses.ts'

/** The input of {@link updateRole}. A member that is left out stays. */
export interface UpdateRoleInput {
  /** A new name: members, invitations and all others that have the role keep it under this name. */
  readonly name?: string | undefined
  /** All permissions that the role has after it. */
  readonly permissions?: readonly string[] | undefined
}

/** Why {@link updateRole} refuses. */
export type UpdateRoleRefusal =
  | AccessRefusal
  | InputRefusal
  | StoreRefusal
  | 'not_found'
  | 'role_in_use'

/**
 * Renames an organization's own role or changes its permissions `{ name?, permissions? }`, in one batch for
 * everything that has the role. The caller needs `organization:update`, and adds no permission that they do
 * not have. If a permission is taken away, the invitations, links and keys that depend on it end.
 *
 * Refusals: `AccessRefusal`, `InputRefusal` (on `name`, also if a role of this name exists),
 * `StoreRefusal`, `not_found` (also for a configured role), `role_in_use` (members or invitations still
 * have a formerly configured role of the new name).
 *
 * @example
 * ```ts
 * await updateRole(seatgate, scope, 'auditor', { permissions: ['audit:read', 'billing:manage'] })
 * ```
 */
export async function updateRole(
  context: OwnRolesContext,
  scope: OrganizationScope,
  name: string,
  input: UpdateRoleInput,
  options: OperationOptions = {}
): Promise<Result<Role, UpdateRoleRefusal>> {
  const { roles } = context
  const parsed = parseInput(
    v.object(
      { name: v.optional(RoleName), permissions: v.optional(permissionList(roles)) },
      'Must be an object.'
    ),
    input
  )
  const place = organizationIdOf(scope.organization)
  const newName = parsed.ok ? (parsed.value.name ?? '') : ''
  return perform(
    context,
    scope,
    {
      name: 'organization.role.update',
      input: [name, input],
      grows: false,
      refusals: [],
      queries: {
        uses: usesOf(context, { organizationId: place, role: newName, now: context.now() }),
        ...lossQueries(context, place, name),
      },
      plan(found, caller, now): Result<Plan<Role>, UpdateRoleRefusal> {
        const access = authorizeFor(roles, found, 'organization:update')
        if (!access.ok) return access
        if (!parsed.ok) return parsed
        const { organization, roles: known } = access.value
        const before = ownRoleNamed(roles, organization, name)
        if (before === null) return refused({ code: 'not_found' })
        const { name: to = name, permissions = before.permissions } = parsed.value
        const role = { name: to, permissions, own: true }
        const added = permissions.filter((each) => !before.permissions.includes(each))
        if (added.some((each) => !access.value.permissions.includes(each))) {
          return refused({ code: 'insufficient_role' })
        }
        const own = storedRoles(organization)
        if (to !== name && (known.all.includes(to) || Object.hasOwn(own, to))) {
          return refused(invalid({ name: ['This role already exists.'] }))
        }
        const uses = to === name ? null : usesIn(found.rows.uses)
        if (uses !== null) return refused({ code: 'role_in_use', uses })
        const loses = losesAny(before.permissions, permissions)
        if (to === name && added.length === 0 && !loses) return ok(unchanged(role))
        const renamed = Object.entries(own).map(([each, given]) =>
          each === name ? [to, permissions] : [each, given]
        )
        const row = withRoles(organization, Object.fromEntries(renamed), now)
        const { id: organizationId } = organization
        const by = userIdOf(caller)
        const after = {
          organizationId,
          role: name,
          newRole: to,
          roles: rolesIn(roles, row),
          by,
          now,
        }
        const lost = loses ? endLostOf(context, found.rows, after) : NOTHING_ENDS
        return ok({
          value: role,
          statements: [
            guardAccess(context, access.value),
            ...lost.statements,
            ...(to === name
              ? []
              : [
                  guardUnused(context, { organizationId, role: to, now }),
                  ...replaceRole(context, after),
                ]),
            ...writeRoles(context, row),
          ],
          losses: lost.losses,
          freedSeats: lost.freedSeats,
          events: [
            ...lost.events,
            roleEvent(after, 'organization.role.updated', {
              ...(to !== name && { new_role: to }),
              ...((loses || added.length > 0) && {
                old_permissions: before.permissions.join(' '),
                new_permissions: permissions.join(' '),
              }),
              ...endedInvitations(lost.count),
            }),
          ],
        })
      },
    },
    options
  )
}
