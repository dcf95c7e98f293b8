import * as v from 'valibot'
import { LineOfText, parseInput } from '../input.ts'
import { perform, type OperationOptions } from '../operations/perform.ts'
import { unchanged } from '../operations/plan.ts'
import { standingWith } from '../organizations/standing.ts'
import { invalid } from '../refusal.ts'
import { ok, refused, type Result } from '../result.ts'
import type { OrganizationScope } from '../scope.ts'
import type { Seatgate } from '../seatgate.ts'
import { guardStanding, guardUserExists } from './guards.ts'
import { membershipView, type Membership } from './membership.ts'
import { existingUser, membershipOf } from './queries.ts'
import { mayChangeRole, roleInput } from './roles.ts'

/** `created` is false if the person was a member with this role already. */
export interface AddedMember {
  readonly membership: Membership
  readonly created: boolean
}

/**
 * Adds a member `{ userId, role }`: asks for a seat, then writes membership and audit events in one
 * batch. Who is a member already is told so before anybody counts seats.
 *
 * Refusals: `unauthenticated`, `organization_not_found`, `insufficient_role`, `validation_error` (on
 * `userId` and `role`), `already_member` (with another role), `seat_limit_reached`,
 * `operation_in_progress`, `seats_unavailable`.
 *
 * @example
 * ```ts
 * const scope = { caller: { userId: ownerId }, organization: 'acme' }
 * const added = await addMember(seatgate, scope, { userId, role: 'member' })
 * if (!added.ok && added.error.code === 'seat_limit_reached') console.log(added.error.limit)
 * ```
 */
export async function addMember(
  seatgate: Seatgate,
  scope: OrganizationScope,
  input: unknown,
  options: OperationOptions = {}
): Promise<Result<AddedMember>> {
  const { db, users, roles, newId } = seatgate
  const parsed = parseInput(
    v.object({ userId: UserId, role: roleInput(roles) }, 'Must be an object.'),
    input
  )
  const userId = parsed.ok ? parsed.value.userId : ''
  return perform(
    seatgate,
    scope,
    {
      name: 'organization.member_add',
      input,
      grows: true,
      queries: {
        present: membershipOf(db, scope, userId),
        user: existingUser(seatgate, userId),
      },
      plan(found, _caller, now) {
        const standing = standingWith(found, roles.memberAdmins)
        if (!standing.ok) return standing
        if (!parsed.ok) return parsed
        const { role } = parsed.value
        const { organization, membership: actor } = standing.value
        if (!mayChangeRole(roles, actor.role, null, role)) {
          return refused({ code: 'insufficient_role' })
        }
        if (users && found.rows.user.length === 0) {
          return refused(invalid({ userId: ['There is no such user.'] }))
        }
        const [present] = found.rows.present
        if (present) {
          if (present.role !== role) return refused({ code: 'already_member' })
          const value = { membership: membershipView(present), created: false }
          return ok(unchanged(organization.id, value))
        }
        const membership = {
          id: newId(),
          organizationId: organization.id,
          userId,
          role,
          status: 'active',
          createdAt: now,
          updatedAt: now,
        } as const
        return ok({
          value: { membership: membershipView(membership), created: true },
          organizationId: organization.id,
          statements: [
            guardStanding(seatgate, standing.value),
            ...guardUserExists(seatgate, userId),
          ],
          admission: { membership, founding: false },
          events: [
            {
              action: 'organization.member_add',
              target: { type: 'user', id: userId },
              metadata: { role, user_id: userId },
            },
          ],
        })
      },
    },
    options
  )
}

const UserId = v.pipe(
  LineOfText,
  v.minLength(1, 'Must not be empty.'),
  v.maxLength(255, 'Must be at most 255 characters long.')
)
