import { partOf } from '../../engine/changes/part.ts'
import { invitationEvent } from '../../engine/audit/part-actions.ts'
import { withHook } from '../../engine/model/plan.ts'
import { guardAccess } from '../../engine/access/access-guards.ts'
import { isConfigured, mayInvite } from '../../engine/access/roles.ts'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import { authorizeFor } from '../../engine/access/authorize.ts'
import {
  HOOK_REFUSALS,
  SEAT_REFUSALS,
  ok,
  refused,
  type AccessRefusal,
  type HookRefusal,
  type Result,
  type SeatRefusal,
  type StoreRefusal,
} from '../../base/result.ts'
import { userIdOf, type OrganizationScope } from '../../engine/access/principal.ts'
import { freedSeat } from '../../engine/model/end-invitation.ts'
import {
  claimForRenewal,
  guardUnfinished,
  invitationView,
  stateOf,
  writeRenewal,
  type InvitationWithToken,
} from '../../engine/model/invitation.ts'
import { invitationOf } from '../../engine/model/invitation-lookup.ts'
import { mailJob, mailStatus } from './mail.ts'
import { drawToken, tokenSealing } from './token.ts'
import { countedSoFar, countMore, ratesOf, reached } from '../../engine/model/rate-limits.ts'
import type { InvitationContext } from './invitation-config.ts'

/** Why {@link resendInvitation} refuses. */
export type ResendInvitationRefusal =
  | AccessRefusal
  | SeatRefusal
  | HookRefusal
  | StoreRefusal
  | 'stored_result_unreadable'
  | 'rate_limited_user'
  | 'rate_limited_organization'
  | 'not_found'
  | 'not_pending'
  | 'role_not_configured'

/**
 * Gives an invitation new tokens and its full lifetime, and mails it. The old tokens are revoked. It
 * works at a full limit while the seat is reserved; an expired invitation claims a new seat.
 *
 * Refusals: `AccessRefusal`, `SeatRefusal`, `HookRefusal`, `StoreRefusal`, `stored_result_unreadable`,
 * `rate_limited_user`, `rate_limited_organization`, `not_found`, `not_pending`, `role_not_configured`
 * (change it first).
 *
 * @throws {TypeError} if the host has configured no `secret`.
 *
 * @example
 * ```ts
 * const again = await resendInvitation(seatgate, scope, invitation.id)
 * ```
 */
export async function resendInvitation(
  context: InvitationContext,
  scope: OrganizationScope,
  id: string,
  options: OperationOptions = {}
): Promise<Result<InvitationWithToken, ResendInvitationRefusal>> {
  const { db, roles } = context
  const { limits, holdSeats, ttlSeconds } = partOf(context, 'invitations')
  const seed = await drawToken(context)
  return perform(
    context,
    scope,
    {
      name: 'organization.invitation.resend',
      input: id,
      grows: holdSeats,
      refusals: [
        ...HOOK_REFUSALS,
        ...SEAT_REFUSALS,
        'rate_limited_user',
        'rate_limited_organization',
      ],
      sealing: tokenSealing(context, seed),
      queries: {
        target: invitationOf(db, scope, id),
        counted: countedSoFar(db, scope.caller, organizationIdOf(scope.organization)),
      },
      plan(found, caller, now) {
        const access = authorizeFor(roles, found, 'members:invite')
        if (!access.ok) return access
        const [target] = found.rows.target
        if (target === undefined) return refused({ code: 'not_found' })
        if (!mayInvite(access.value.roles, access.value, target.role)) {
          return refused({ code: 'insufficient_role' })
        }
        const state = stateOf(target, now)
        if (state !== 'pending' && state !== 'expired') return refused({ code: 'not_pending' })
        // The mail would lead to a refusal: the role has to be changed first.
        if (!isConfigured(access.value.roles, target.role))
          return refused({ code: 'role_not_configured' })
        const { organizationId, email } = target
        const rates = ratesOf(limits, { caller, organizationId })
        const full = reached(rates, found.rows.counted, now)
        if (full !== null) return refused(full)

        const expiresAt = new Date(now.getTime() + ttlSeconds * 1000)
        const { seatId, ...before } = target
        const { token, mailToken, tokenHash } = seed.seal({ id, email, expiresAt })
        const row = {
          ...before,
          tokenHash,
          tokenVersion: before.tokenVersion + 1,
          expiresAt,
          // The user who resends it becomes the inviter.
          invitedById: userIdOf(caller) ?? before.invitedById,
          mailStatus: mailStatus(context),
          updatedAt: now,
        }
        const kept = state === 'pending' ? seatId : null
        const freed = freedSeat(context, target, kept !== null)
        const holds = holdSeats || kept !== null
        return ok({
          value: { ...invitationView(row, now), token, mailToken },
          before: [
            {
              hook: 'beforeInvitationResend',
              state: { invitation: invitationView(target, now), caller },
            },
          ],
          statements: [
            guardAccess(context, access.value),
            guardUnfinished(context, target),
            ...countMore(context, rates, 1, now),
            ...(holds ? [] : [writeRenewal(db, { ...row, seatId: null }, seatId)]),
          ],
          claims: holds ? [claimForRenewal(db, row, kept, seatId)] : [],
          freedSeats: freed.map(({ seat }) => seat),
          events: [
            ...freed.map(({ event }) => event),
            withHook(
              invitationEvent(row, 'organization.invitation.resent', {
                token_version: row.tokenVersion,
                expires_at: row.expiresAt.toISOString(),
              }),
              'afterInvitationResend',
              { invitation: invitationView(row, now) }
            ),
          ],
          jobs: mailJob(context, row, seed),
        })
      },
    },
    options
  )
}
