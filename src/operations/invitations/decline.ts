import { partOf } from '../../engine/changes/part.ts'
import { normalizeEmail } from '../../base/email.ts'
import { perform } from '../../engine/changes/operation.ts'
import {
  HOOK_REFUSALS,
  ok,
  refused,
  type CommitRefusal,
  type HookRefusal,
  type InvitationRefusal,
  type Result,
} from '../../base/result.ts'
import { isUser, requestInfoOf, userIdOf, type Scope } from '../../engine/access/principal.ts'
import { endInvitation } from '../../engine/model/end-invitation.ts'
import { guardAddress, guardPending, invitationView } from '../../engine/model/invitation.ts'
import {
  invitationById,
  invitingOrganization,
  knownUser,
} from '../../engine/model/invitation-lookup.ts'
import { openInvitation, readToken, type TokenInput } from './verify-token.ts'
import type { InvitationContext } from './invitation-config.ts'

/** Why {@link declineInvitation} refuses. */
export type DeclineInvitationRefusal =
  | 'unauthenticated'
  | InvitationRefusal
  | HookRefusal
  | CommitRefusal
  | 'invitation_mismatch'

/**
 * Declines an invitation `{ token }`: its seat is free when this returns. The token is enough for `{
 * type: 'anonymous' }`; a user must be the one it was sent to.
 *
 * Refusals: `unauthenticated`, `InvitationRefusal`, `HookRefusal`, `CommitRefusal`,
 * `invitation_mismatch`.
 *
 * @throws {TypeError} if the host has configured no `secret` or no `users`.
 *
 * @example
 * ```ts
 * await declineInvitation(seatgate, { caller: { type: 'anonymous' } }, { token })
 * ```
 */
export async function declineInvitation(
  context: InvitationContext,
  { caller, ...request }: Scope,
  input: TokenInput
): Promise<Result<null, DeclineInvitationRefusal>> {
  partOf(context, 'invitations')
  const { db } = context
  const read = readToken(context, input)
  const envelope = read.ok ? read.value : null
  const id = envelope?.invitationId ?? ''
  return perform(
    context,
    { caller, ...requestInfoOf(request) },
    {
      name: 'organization.invitation.decline',
      input: null,
      grows: false,
      refusals: [...HOOK_REFUSALS],
      queries: {
        rows: invitationById(db, id),
        organizations: invitingOrganization(db, id),
        user: knownUser(context, userIdOf(caller)),
      },
      plan({ rows: found }, by, now) {
        if (!read.ok) return read
        const open = openInvitation(envelope, found, now)
        if (!open.ok) return open
        const { invitation } = open.value
        const [user] = found.user
        if (isUser(by) && (!user || normalizeEmail(user.email) !== invitation.email)) {
          return refused({ code: 'invitation_mismatch' })
        }
        const ending = endInvitation(context, invitation, 'declined', null, now)
        return ok({
          value: null,
          ...ending,
          before: [
            {
              hook: 'beforeInvitationDecline',
              state: { invitation: invitationView(invitation, now), caller: by },
            },
          ],
          statements: [
            guardPending(context, invitation, now),
            ...(user ? guardAddress(context, user) : []),
            ...ending.statements,
          ],
        })
      },
    }
  )
}
