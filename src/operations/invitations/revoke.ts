import { partOf } from '../../engine/changes/part.ts'
import { guardAccess } from '../../engine/access/access-guards.ts'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import { authorizeFor } from '../../engine/access/authorize.ts'
import {
  HOOK_REFUSALS,
  ok,
  refused,
  type AccessRefusal,
  type HookRefusal,
  type Result,
  type StoreRefusal,
} from '../../base/result.ts'
import { userIdOf, type OrganizationScope } from '../../engine/access/principal.ts'
import { endInvitation } from '../../engine/model/end-invitation.ts'
import { guardUnfinished, invitationView, stateOf } from '../../engine/model/invitation.ts'
import { invitationOf } from '../../engine/model/invitation-lookup.ts'
import type { InvitationContext } from './invitation-config.ts'

/** Why {@link revokeInvitation} refuses. */
export type RevokeInvitationRefusal =
  | AccessRefusal
  | HookRefusal
  | StoreRefusal
  | 'not_found'
  | 'not_pending'

/**
 * Revokes an invitation: its tokens become invalid, and its seat is free when this returns. An expired
 * invitation can be revoked too.
 *
 * Refusals: `AccessRefusal`, `HookRefusal`, `StoreRefusal`, `not_found`, `not_pending`.
 *
 * @example
 * ```ts
 * await revokeInvitation(seatgate, scope, invitation.id)
 * ```
 */
export async function revokeInvitation(
  context: InvitationContext,
  scope: OrganizationScope,
  id: string,
  options: OperationOptions = {}
): Promise<Result<null, RevokeInvitationRefusal>> {
  partOf(context, 'invitations')
  const { db, roles } = context
  return perform(
    context,
    scope,
    {
      name: 'organization.invitation.revoke',
      input: id,
      grows: false,
      refusals: [...HOOK_REFUSALS],
      queries: { target: invitationOf(db, scope, id) },
      plan(found, caller, now) {
        const access = authorizeFor(roles, found, 'members:invite')
        if (!access.ok) return access
        const [target] = found.rows.target
        if (target === undefined) return refused({ code: 'not_found' })
        const state = stateOf(target, now)
        if (state !== 'pending' && state !== 'expired') return refused({ code: 'not_pending' })
        const ending = endInvitation(context, target, 'revoked', userIdOf(caller), now)
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
            guardAccess(context, access.value),
            guardUnfinished(context, target),
            ...ending.statements,
          ],
        })
      },
    },
    options
  )
}
