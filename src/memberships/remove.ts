import { perform, type OperationOptions } from '../operations/perform.ts'
import { standingOf } from '../organizations/standing.ts'
import { ok, refused, type Result } from '../result.ts'
import type { OrganizationScope } from '../scope.ts'
import type { Seatgate } from '../seatgate.ts'
import { depart } from './exit.ts'
import { guardAnotherOwner, guardStanding, guardUnchanged } from './guards.ts'
import { membershipOf } from './queries.ts'
import { mayChangeRole } from './roles.ts'

/**
 * Removes a member; removing oneself is leaving, which every role may. The seat is free when this
 * answers. Never refused for seats or limits; the last owner stays.
 *
 * Refusals: `unauthenticated`, `organization_not_found`, `insufficient_role`, `not_found`,
 * `last_owner`.
 *
 * @example
 * ```ts
 * await removeMember(seatgate, { caller: { userId }, organization: 'acme' }, userId) // leaves
 * ```
 */
export async function removeMember(
  seatgate: Seatgate,
  scope: OrganizationScope,
  userId: string,
  options: OperationOptions = {}
): Promise<Result<null>> {
  const { db, roles } = seatgate
  return perform(
    seatgate,
    scope,
    {
      name: 'organization.member_remove',
      input: userId,
      grows: false,
      queries: { target: membershipOf(db, scope, userId) },
      plan(found, caller) {
        const standing = standingOf(found)
        if (!standing.ok) return standing
        const leaving = userId === caller.userId
        const actorRole = standing.value.membership.role
        const [target] = found.rows.target
        if (!leaving && !mayChangeRole(roles, actorRole, target?.role ?? null, null)) {
          return refused({ code: 'insufficient_role' })
        }
        if (target === undefined) return refused({ code: 'not_found' })
        const departure = depart(seatgate, target, leaving ? { reason: 'left' } : {})
        return ok({
          value: null,
          organizationId: target.organizationId,
          ...departure,
          statements: [
            guardStanding(seatgate, standing.value),
            guardUnchanged(seatgate, target),
            ...(target.role === roles.owner && target.status === 'active'
              ? [guardAnotherOwner(seatgate, target)]
              : []),
            ...departure.statements,
          ],
        })
      },
    },
    options
  )
}
