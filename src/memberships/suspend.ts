import { perform, type OperationOptions } from '../operations/perform.ts'
import { unchanged } from '../operations/plan.ts'
import { standingWith } from '../organizations/standing.ts'
import { ok, refused, type Result } from '../result.ts'
import type { OrganizationScope } from '../scope.ts'
import type { Seatgate } from '../seatgate.ts'
import { suspend } from './exit.ts'
import { guardAnotherOwner, guardStanding, guardUnchanged } from './guards.ts'
import { membershipView, type Membership } from './membership.ts'
import { membershipOf } from './lookup.ts'
import { mayChangeRole } from './roles.ts'

/**
 * Suspends a member: from the next request on they have no access, their seat is free, and the
 * membership stays with its history. Who is suspended already stays so. The last owner who can act
 * cannot be.
 *
 * Refusals: `unauthenticated`, `organization_not_found`, `insufficient_role`, `not_found`,
 * `last_owner`, `hook_refused`, `hook_failed`.
 *
 * @example
 * ```ts
 * await suspendMember(seatgate, { caller, organization: 'acme' }, userId)
 * ```
 */
export async function suspendMember(
  seatgate: Seatgate,
  scope: OrganizationScope,
  userId: string,
  options: OperationOptions = {}
): Promise<Result<Membership>> {
  const { db, roles } = seatgate
  return perform(
    seatgate,
    scope,
    {
      name: 'organization.member_suspend',
      input: userId,
      grows: false,
      queries: { target: membershipOf(db, scope, userId) },
      plan(found, caller, now) {
        const standing = standingWith(roles, found, [...roles.memberAdmins, roles.owner])
        if (!standing.ok) return standing
        const [target] = found.rows.target
        if (!mayChangeRole(roles, standing.value.role, target?.role ?? null, null)) {
          return refused({ code: 'insufficient_role' })
        }
        if (target === undefined) return refused({ code: 'not_found' })
        if (target.status === 'suspended') return ok(unchanged(membershipView(target)))
        const departure = suspend(seatgate, target, 'admin', now)
        return ok({
          value: membershipView({ ...target, status: 'suspended', updatedAt: now }),
          ...departure,
          before: [
            {
              hook: 'beforeMemberSuspend',
              state: { membership: membershipView(target), path: 'admin', caller },
            },
          ],
          statements: [
            guardStanding(seatgate, standing.value),
            guardUnchanged(seatgate, target),
            ...guardAnotherOwner(seatgate, target),
            ...departure.statements,
          ],
        })
      },
    },
    options
  )
}
