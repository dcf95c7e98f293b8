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
import type { OrganizationScope } from '../../engine/access/principal.ts'
import { roleEvent } from '../../engine/audit/role-actions.ts'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import type { Plan } from '../../engine/model/plan.ts'
import type { OwnRolesContext } from './own-roles.ts'
import { permissionList, RoleName, storedRoles, withRoles, writeRoles, type Role } from './role.ts'
import { guardUnused, usesIn, usesOf } from './role-uses.ts'

/** The input of {@link createRole}. */
export interface CreateRoleInput {
  /** 1 to 32 characters of `a-z`, `0-9`, `_` and `-`, beginning with a letter. */
  readonly name: string
  /** A part of the caller's own; may be empty. */
  readonly permissions: readonly string[]
}

/** Why {@link createRole} refuses. */
export type CreateRoleRefusal =
  | AccessRefusal
  | InputRefusal
  | StoreRefusal
  | 'too_many'
  | 'role_in_use'

/**
 * Creates an organization's own role `{ name, permissions }`. The caller needs `organization:update`, and
 * gives no permission that they do not have. A member with the role takes a seat of the default type.
 *
 * Refusals: `AccessRefusal`, `InputRefusal` (on `name`, also if the role exists), `StoreRefusal`,
 * `too_many` (the organization has `limit` own roles), `role_in_use` (members or invitations still have a
 * formerly configured role of this name).
 *
 * @example
 * ```ts
 * await createRole(seatgate, scope, { name: 'auditor', permissions: ['audit:read'] })
 * ```
 */
export async function createRole(
  context: OwnRolesContext,
  scope: OrganizationScope,
  input: CreateRoleInput,
  options: OperationOptions = {}
): Promise<Result<Role, CreateRoleRefusal>> {
  const { roles, ownRoles } = context
  const parsed = parseInput(
    v.object({ name: RoleName, permissions: permissionList(roles) }, 'Must be an object.'),
    input
  )
  const role = parsed.ok ? parsed.value.name : ''
  return perform(
    context,
    scope,
    {
      name: 'organization.role.create',
      input,
      grows: false,
      refusals: [],
      queries: {
        uses: usesOf(context, {
          organizationId: organizationIdOf(scope.organization),
          role,
          now: context.now(),
        }),
      },
      plan(found, _caller, now): Result<Plan<Role>, CreateRoleRefusal> {
        const access = authorizeFor(roles, found, 'organization:update')
        if (!access.ok) return access
        if (!parsed.ok) return parsed
        const { name, permissions } = parsed.value
        const { organization } = access.value
        if (permissions.some((each) => !access.value.permissions.includes(each))) {
          return refused({ code: 'insufficient_role' })
        }
        const own = storedRoles(organization)
        if (access.value.roles.all.includes(name) || Object.hasOwn(own, name)) {
          return refused(invalid({ name: ['This role already exists.'] }))
        }
        const uses = usesIn(found.rows.uses)
        if (uses !== null) return refused({ code: 'role_in_use', uses })
        if (access.value.roles.all.length - roles.all.length >= ownRoles.limit)
          return refused({ code: 'too_many' })
        const place = { organizationId: organization.id, role: name, now }
        return ok({
          value: { name, permissions, own: true },
          statements: [
            guardAccess(context, access.value),
            guardUnused(context, place),
            ...writeRoles(context, withRoles(organization, { ...own, [name]: permissions }, now)),
          ],
          events: [
            roleEvent(place, 'organization.role.created', { permissions: permissions.join(' ') }),
          ],
        })
      },
    },
    options
  )
}
