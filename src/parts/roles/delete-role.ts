import * as v from 'valibot'
import { parseInput } from '../../base/input.ts'
import { typeOfRole } from '../../base/seat-types.ts'
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
import { rolesIn, takesSeat } from '../../engine/access/roles.ts'
import { roleEvent } from '../../engine/audit/role-actions.ts'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import { endedInvitations } from '../../engine/model/leave.ts'
import type { Plan } from '../../engine/model/plan.ts'
import { endLostOf, losesAny, lossQueries, NOTHING_ENDS } from './end-lost.ts'
import type { OwnRolesContext } from './own-roles.ts'
import { ownRoleNamed, storedRoles, withRoles, writeRoles } from './role.ts'
import { guardUnused, replaceRole, usesIn, usesOf } from './role-uses.ts'

/** The input of {@link deleteRole}. */
export interface DeleteRoleInput {
  /** The role that members, invitations and all others that have the role have after it. */
  readonly replacement?: string | undefined
}

/** Why {@link deleteRole} refuses. */
export type DeleteRoleRefusal =
  | AccessRefusal
  | InputRefusal
  | StoreRefusal
  | 'not_found'
  | 'role_in_use'

const Input = v.object(
  { replacement: v.optional(v.string('Must be a string.')) },
  'Must be an object.'
)

/**
 * Deletes an organization's own role. The caller needs `organization:update`. With `{ replacement }`,
 * everything that has the role receives the replacement in the same batch. The replacement takes a seat of
 * the default type, is not the owner's role, and has no permission that the caller does not have.
 *
 * Refusals: `AccessRefusal`, `InputRefusal` (on `replacement`), `StoreRefusal`, `not_found` (also for a
 * configured role), `role_in_use` (the role is in use and no replacement is given; with the number of
 * uses).
 *
 * @example
 * ```ts
 * await deleteRole(seatgate, scope, 'auditor', { replacement: 'member' })
 * ```
 */
export async function deleteRole(
  context: OwnRolesContext,
  scope: OrganizationScope,
  name: string,
  input: DeleteRoleInput = {},
  options: OperationOptions = {}
): Promise<Result<null, DeleteRoleRefusal>> {
  const { roles } = context
  const parsed = parseInput(Input, input)
  const place = organizationIdOf(scope.organization)
  return perform(
    context,
    scope,
    {
      name: 'organization.role.delete',
      input: [name, input],
      grows: false,
      refusals: [],
      queries: {
        uses: usesOf(context, { organizationId: place, role: name, now: context.now() }),
        ...lossQueries(context, place, name),
      },
      plan(found, caller, now): Result<Plan<null>, DeleteRoleRefusal> {
        const access = authorizeFor(roles, found, 'organization:update')
        if (!access.ok) return access
        if (!parsed.ok) return parsed
        const { organization, permissions } = access.value
        const before = ownRoleNamed(roles, organization, name)
        if (before === null) return refused({ code: 'not_found' })
        const { replacement } = parsed.value
        const { [name]: _deleted, ...own } = storedRoles(organization)
        const row = withRoles(organization, own, now)
        const left = rolesIn(roles, row)
        const fits = (role: string) =>
          role !== left.owner &&
          left.all.includes(role) &&
          takesSeat(left, role) &&
          typeOfRole(left, role) === null
        if (replacement !== undefined && !fits(replacement)) {
          const open = left.all.filter(fits).join(', ')
          return refused(invalid({ replacement: [`Must be one of ${open}.`] }))
        }
        const given = replacement === undefined ? [] : (left.grants.get(replacement) ?? [])
        if (given.some((each) => !permissions.includes(each))) {
          return refused({ code: 'insufficient_role' })
        }
        const uses = usesIn(found.rows.uses)
        if (uses !== null && replacement === undefined)
          return refused({ code: 'role_in_use', uses })
        const { id: organizationId } = organization
        const by = userIdOf(caller)
        const after = {
          organizationId,
          role: name,
          newRole: replacement ?? name,
          roles: left,
          by,
          now,
        }
        const loses = replacement !== undefined && losesAny(before.permissions, given)
        const lost = loses ? endLostOf(context, found.rows, after) : NOTHING_ENDS
        return ok({
          value: null,
          statements: [
            guardAccess(context, access.value),
            ...lost.statements,
            ...(replacement === undefined
              ? [guardUnused(context, after)]
              : replaceRole(context, after)),
            ...writeRoles(context, row),
          ],
          losses: lost.losses,
          freedSeats: lost.freedSeats,
          events: [
            ...lost.events,
            roleEvent(after, 'organization.role.deleted', {
              permissions: before.permissions.join(' '),
              ...(replacement !== undefined && { replacement }),
              ...endedInvitations(lost.count),
            }),
          ],
        })
      },
    },
    options
  )
}
