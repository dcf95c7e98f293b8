import { sql } from 'drizzle-orm'
import * as v from 'valibot'
import { withHook } from '../../engine/model/plan.ts'
import { bothOf, parseInput, shortText } from '../../base/input.ts'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import { proving, readProof, withoutProof, type ProofInput } from '../../engine/access/step-up.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import { authorizeRole } from '../../engine/access/authorize.ts'
import {
  HOOK_REFUSALS,
  PROOF_REFUSALS,
  SEAT_REFUSALS,
  invalid,
  ok,
  refused,
  type AccessRefusal,
  type HookRefusal,
  type InputRefusal,
  type ProofRefusal,
  type Result,
  type SeatRefusal,
  type StoreRefusal,
} from '../../base/result.ts'
import { mayMoveSeats, rightsOf, isConfigured, unknownRole } from '../../engine/access/roles.ts'
import { userIdOf, type OrganizationScope } from '../../engine/access/principal.ts'
import { NOTHING_LOST, endedInvitations } from '../../engine/model/leave.ts'
import { guardAccess, guardUnchanged } from '../../engine/access/access-guards.ts'
import { membershipView, type EndedWith, type Membership } from '../../engine/model/membership.ts'
import { changedRole } from '../../engine/model/role-change.ts'
import type { MembershipContext } from '../../engine/changes/change-context.ts'
import { roleInput, type Roles, type HasRoles } from '../../engine/access/roles.ts'

/** The two memberships after a transfer: the former owner's and the new owner's. */
export interface Transfer extends EndedWith {
  readonly from: Membership
  readonly to: Membership
}

/** The input of {@link transferOwnership}, with a proof of identity. */
export interface TransferOwnershipInput<Role extends string = string> extends ProofInput {
  /** The member who becomes the owner. */
  readonly userId: string
  /** The role of the former owner. Default: the first role that is not the owner's. */
  readonly role?: Role | null | undefined
}

/** Why {@link transferOwnership} refuses. */
export type TransferOwnershipRefusal =
  | AccessRefusal
  | InputRefusal
  | ProofRefusal
  | SeatRefusal
  | HookRefusal
  | StoreRefusal
  | 'not_a_member'
  | 'owned_limit_reached'

/**
 * Makes another member owner `{ userId, role?, password | stepUpProof }` and gives the caller, an owner,
 * another role: `role`, or the first of the roles that administer members without owning. It is one
 * batch: the organization always has an owner, and of two concurrent transfers one succeeds. The caller
 * proves their identity, as for deletion. Open invitations that the caller has sent, and could not send
 * in the new role, end with it. A new owner whose role takes no seat claims one first, also if the former
 * owner's new role frees one.
 *
 * Refusals: `AccessRefusal`, `InputRefusal`, `ProofRefusal`, `SeatRefusal`, `HookRefusal`, `StoreRefusal`,
 * `not_a_member` (the other user is no member, or is suspended), `owned_limit_reached` (the new owner would own
 * too many).
 *
 * @throws {TypeError} if the host has configured neither `verifyPassword` nor `stepUp`.
 *
 * @example
 * ```ts
 * const transferred = await transferOwnership(seatgate, scope, { userId, role: 'admin', password })
 * ```
 */
export async function transferOwnership<Role extends string = string>(
  context: MembershipContext & HasRoles<Role>,
  scope: OrganizationScope,
  input: TransferOwnershipInput<NoInfer<Role>>,
  options: OperationOptions = {}
): Promise<Result<Transfer, TransferOwnershipRefusal>> {
  const { roles } = context
  const parsed = bothOf(
    parseInput(
      v.object({ userId: shortText(), role: v.nullish(roleInput(roles)) }, 'Must be an object.'),
      input
    ),
    readProof(context, scope.caller, input)
  )
  const userId = parsed.ok ? parsed.value.userId : ''
  return perform(
    context,
    scope,
    {
      name: 'organization.ownership_transfer',
      input: withoutProof(input),
      grows: mayMoveSeats(roles),
      refusals: [...PROOF_REFUSALS, ...HOOK_REFUSALS, ...SEAT_REFUSALS, 'owned_limit_reached'],
      target: { userId },
      queries: {
        sent:
          context.invitations?.members.by(
            context,
            sql`${organizationIdOf(scope.organization)}`,
            userIdOf(scope.caller)
          ) ?? null,
      },
      plan(found, caller, now) {
        const access = authorizeRole(roles, found, [roles.owner])
        if (!access.ok) return access
        const { membership: owner, roles: own } = access.value
        // The host itself is not an owner; it changes roles instead.
        if (owner === null) return refused({ code: 'insufficient_role' })
        if (!parsed.ok) return parsed
        const lesser = parsed.value.role ?? lesserRole(roles)
        if (lesser !== undefined && !isConfigured(own, lesser)) return unknownRole(own)
        const errors = {
          ...(userId === owner.userId && { userId: ['Is already the owner.'] }),
          ...((lesser === undefined || lesser === roles.owner) && {
            role: ['Must not be the owner’s role.'],
          }),
        }
        if (lesser === undefined || Object.keys(errors).length > 0) {
          return refused(invalid(errors))
        }
        const { target } = found
        if (target?.status !== 'active') return refused({ code: 'not_a_member' })
        const { organizationId } = owner
        const rights = rightsOf(own, { ...owner, role: lesser })
        const lost =
          context.invitations?.members.endLost({ ...context, roles: own }, found.rows.sent, {
            userId: owner.userId,
            organizationIds: [organizationId],
            rights,
            putOut: false,
            by: owner.userId,
            now,
          }) ?? NOTHING_LOST
        const to = changedRole(context, target, roles.owner, now)
        const from = changedRole(context, owner, lesser, now)
        return ok({
          value: { from: from.membership, to: to.membership, endedInvitations: lost.count },
          proof: proving(parsed.value),
          before: [
            {
              hook: 'beforeTransfer',
              state: { from: membershipView(owner), to: membershipView(target), caller },
            },
          ],
          statements: [
            guardAccess(context, access.value),
            guardUnchanged(context, target),
            ...lost.statements,
            ...to.statements,
            ...from.statements,
          ],
          claims: [...to.claims, ...from.claims],
          losses: [{ organizationId, userId: owner.userId, rights, roles: own }],
          events: [
            withHook(
              {
                organizationId,
                action: 'organization.ownership_transfer',
                target: { type: 'user', id: target.userId },
                metadata: {
                  from_user_id: owner.userId,
                  to_user_id: target.userId,
                  old_owner_role: lesser,
                  ...endedInvitations(lost.count),
                },
              },
              'afterTransfer',
              { from: from.membership, to: to.membership }
            ),
            ...lost.events,
          ],
          freedSeats: lost.freedSeats,
        })
      },
    },
    options
  )
}

function lesserRole({ all, owner, memberAdmins }: Roles): string | undefined {
  return [...memberAdmins, ...all].find((role) => role !== owner)
}
