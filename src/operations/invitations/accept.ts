import { normalizeEmail } from '../../base/email.ts'
import { isConfigured } from '../../engine/access/roles.ts'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import { excluding, exclusionsOf, personOf } from '../../engine/model/exclusions.ts'
import {
  HOOK_REFUSALS,
  SEAT_REFUSALS,
  type HookRefusal,
  type InputRefusal,
  type InvitationRefusal,
  type SeatRefusal,
  type StoreRefusal,
} from '../../base/refusal.ts'
import { ok, refused, type Result } from '../../base/result.ts'
import { isUser, marksOf, userIdOf, type Scope } from '../../engine/access/principal.ts'
import {
  planAcceptance,
  planClosing,
  planRepetition,
  type AcceptedInvitation,
} from './acceptance.ts'
import { attemptsOf, attemptsSoFar, countAttempt, refuseAttempt } from './attempts.ts'
import { guardAddress } from '../../engine/model/invitation-guards.ts'
import {
  invitationById,
  invitingOrganization,
  knownUser,
  membershipThere,
  placeOf,
} from '../../engine/model/invitation-lookup.ts'
import { acceptedBefore, openInvitation, readToken, type TokenInput } from './verify-token.ts'
import type { InvitationContext } from './invitation-config.ts'

/** Why {@link acceptInvitation} refuses. */
export type AcceptInvitationRefusal =
  | 'unauthenticated'
  | InputRefusal
  | InvitationRefusal
  | SeatRefusal
  | HookRefusal
  | StoreRefusal
  | 'invitation_mismatch'
  | 'role_not_configured'
  | 'rate_limited'

/**
 * Accepts an invitation `{ token }` as the user whose address it was sent to. The reserved seat becomes
 * the member's, also at a full limit; if invitations reserve no seats, a seat is claimed now, and without
 * a free seat the invitation stays open. A member stays unchanged, and the invitation is closed.
 * Concurrent attempts admit one user; if the same user accepts again, the same membership is returned.
 *
 * The mailed token marks the address of the user as verified. The inviter's token does not.
 *
 * Refusals: `unauthenticated`, `InputRefusal`, `InvitationRefusal`, `SeatRefusal`, `HookRefusal`,
 * `StoreRefusal`, `invitation_mismatch`, `role_not_configured` (the role was taken out of the
 * configuration; the invitation stays open), `rate_limited` (too many wrong tokens).
 *
 * @throws {TypeError} if the host has configured no `secret` or no `users`.
 *
 * @example
 * ```ts
 * const accepted = await acceptInvitation(seatgate, { caller: session }, { token })
 * if (accepted.ok) console.log(accepted.value.membership.role)
 * ```
 */
export async function acceptInvitation(
  seatgate: InvitationContext,
  { caller, ...request }: Scope,
  input: TokenInput,
  options: OperationOptions = {}
): Promise<Result<AcceptedInvitation, AcceptInvitationRefusal>> {
  const { db, roles } = seatgate
  const read = readToken(seatgate, input)
  const envelope = read.ok ? read.value : null
  const id = envelope?.invitationId ?? ''
  const userId = userIdOf(caller)
  const attempts = attemptsOf(caller)
  const answer = await perform(
    seatgate,
    { caller, ...marksOf(request) },
    {
      name: 'organization.invitation.accept',
      input: envelope && [envelope.tokenHash, envelope.provesMailbox],
      grows: true,
      refusals: [...HOOK_REFUSALS, ...SEAT_REFUSALS],
      queries: {
        rows: invitationById(db, id),
        organizations: invitingOrganization(db, id),
        present: membershipThere(db, id, userId),
        user: knownUser(seatgate, userId),
        attempts: attemptsSoFar(seatgate, attempts),
        excluded: exclusionsOf(seatgate, placeOf(id), personOf(seatgate, userId)),
      },
      plan({ rows: found }, by, now) {
        if (!read.ok) return read
        if (!isUser(by)) return refused({ code: 'invitation_invalid' })
        const tooOften = refuseAttempt(seatgate, found.attempts, now)
        if (tooOften) return tooOften
        const [user] = found.user
        const [present] = found.present
        const before = acceptedBefore(envelope, found, user, now)
        if (before && present) return ok(planRepetition(seatgate, before, present, now))
        const open = openInvitation(envelope, found, now)
        if (!open.ok) return open
        if (!user || normalizeEmail(user.email) !== open.value.invitation.email) {
          return refused({ code: 'invitation_mismatch' })
        }
        if (!present && !isConfigured(roles, open.value.invitation.role)) {
          return refused({ code: 'role_not_configured' })
        }
        const plan = present
          ? planClosing(seatgate, open.value, present, by, now)
          : planAcceptance(
              seatgate,
              open.value,
              by,
              now,
              null,
              excluding(found.excluded, by.userId)
            )
        return ok({ ...plan, statements: [...guardAddress(seatgate, user), ...plan.statements] })
      },
    },
    options
  )
  return countAttempt(seatgate, attempts, answer)
}
