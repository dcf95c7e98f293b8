import { guardStanding } from '../memberships/guards.ts'
import { perform, type OperationOptions } from '../operations/perform.ts'
import { standingWith } from '../organizations/standing.ts'
import { ok, refused, type Result } from '../result.ts'
import { userIdOf, type OrganizationScope } from '../scope.ts'
import { endInvitation } from './end.ts'
import { guardUnfinished } from './guards.ts'
import { invitationView, stateOf } from './invitation.ts'
import { invitationOf } from './lookup.ts'
import type { InvitationContext } from './rules.ts'

/**
 * Revokes an invitation: its token is worth nothing any more, its seat is free when this answers. One
 * that has expired can be revoked too.
 *
 * Refusals: `unauthenticated`, `organization_not_found`, `insufficient_role`, `not_found`,
 * `not_pending`, `hook_refused`, `hook_failed`.
 *
 * @example
 * ```ts
 * await revokeInvitation(seatgate, scope, invitation.id)
 * ```
 */
export async function revokeInvitation(
  seatgate: InvitationContext,
  scope: OrganizationScope,
  id: string,
  options: OperationOptions = {}
): Promise<Result<null>> {
  const { db, roles } = seatgate
  return perform(
    seatgate,
    scope,
    {
      name: 'organization.invitation.revoke',
      input: id,
      grows: false,
      queries: { target: invitationOf(db, scope, id) },
      plan(found, caller, now) {
        const standing = standingWith(roles, found, roles.invitationAdmins)
        if (!standing.ok) return standing
        const [target] = found.rows.target
        if (target === undefined) return refused({ code: 'not_found' })
        const state = stateOf(target, now)
        if (state !== 'pending' && state !== 'expired') return refused({ code: 'not_pending' })
        const ending = endInvitation(seatgate, target, 'revoked', userIdOf(caller), now)
        return ok({
          value: null,
          ...ending,
          before: [
            {
              hook: 'beforeInvitationRevoke',
              state: { invitation: invitationView(target, now), caller },
            },
          ],
          statements: [
            guardStanding(seatgate, standing.value),
            guardUnfinished(seatgate, target),
            ...ending.statements,
          ],
        })
      },
    },
    options
  )
}
