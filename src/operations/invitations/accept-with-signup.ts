import { partOf } from '../../engine/changes/part.ts'
import { sql } from 'drizzle-orm'
import { guard } from '../../database/commit.ts'
import { normalizeEmail } from '../../base/email.ts'
import { isConfigured, rolesIn } from '../../engine/access/roles.ts'
import { perform } from '../../engine/changes/operation.ts'
import { storeRefusal } from '../../engine/changes/operation-refusals.ts'
import { find } from '../../engine/access/authorize.ts'
import {
  HOOK_REFUSALS,
  JOIN_REFUSALS,
  hasCode,
  invalid,
  ok,
  refused,
  type CommitRefusal,
  type HookRefusal,
  type InvitationRefusal,
  type JoinRefusal,
  type Refusal,
  type Result,
} from '../../base/result.ts'
import { requestInfoOf, type RequestInfo } from '../../engine/access/principal.ts'
import { excludedAs, planAcceptance, type AcceptedInvitation } from './accept.ts'
import { attemptsOn, attemptsSoFar, countAttempt, refuseAttempt } from './invitation-limits.ts'
import type { RateRow } from '../../engine/model/rate-limits.ts'
import {
  invitationById,
  invitingOrganization,
  placeOf,
} from '../../engine/model/invitation-lookup.ts'
import {
  openInvitation,
  readToken,
  type OpenInvitation,
  type Presented,
  type TokenInput,
} from './verify-token.ts'
import {
  REGISTER_REFUSALS,
  type InvitationContext,
  type RegisterRefusal,
} from './invitation-config.ts'

/** A user who has just signed up and become a member. `user` is as the host's clients see it. */
export interface SignedUp extends AcceptedInvitation {
  readonly user: object
  readonly userId: string
}

/** The input of {@link acceptInvitationWithSignup}; `registerUser` receives the other fields. */
export interface SignUpInput extends TokenInput {
  /** Compared with the address of the invitation, if given. */
  readonly email?: string | null | undefined
  readonly [field: string]: unknown
}

/** Why {@link acceptInvitationWithSignup} refuses. */
export type AcceptWithSignupRefusal =
  | InvitationRefusal
  | JoinRefusal
  | HookRefusal
  | CommitRefusal
  | RegisterRefusal
  | 'email_mismatch'
  | 'role_not_configured'

/**
 * Accepts an invitation `{ token, email, … }` and registers a user of that address: the host's
 * `registerUser` receives the rest of the input, and its statements are written in the same batch as the
 * membership. Only the mailed token verifies the address. This function does not start a session.
 *
 * Refusals: `InvitationRefusal`, `JoinRefusal`, `HookRefusal`, `CommitRefusal` (`host_conflict`: a
 * constraint of the host's own refuses the user), `RegisterRefusal` (those of `registerUser`;
 * `validation_error` also on `email`, for an address that has a user already; `rate_limited` also after too
 * many wrong addresses for this invitation), `email_mismatch`, `role_not_configured`.
 *
 * @throws {TypeError} if the host has configured no `secret`, no `users` or no `registerUser`.
 *
 * @example
 * ```ts
 * const joined = await acceptInvitationWithSignup(seatgate, { token, email, password, name })
 * ```
 */
export async function acceptInvitationWithSignup(
  context: InvitationContext,
  input: SignUpInput,
  request: RequestInfo = {}
): Promise<Result<SignedUp, AcceptWithSignupRefusal>> {
  const { db, users, newId, now } = context
  const { registerUser } = partOf(context, 'invitations')
  if (registerUser === null || users === null) {
    throw new TypeError(
      'Accepting with sign-up needs registerUser in invitations(), and identity.users.'
    )
  }
  const read = readToken(context, input)
  if (!read.ok) return read
  const envelope = read.value
  if (envelope === null) return refused({ code: 'invitation_invalid' })
  const { token: _token, email: posted, ...rest } = input as Record<string, unknown>
  const userId = newId()
  const caller = { userId }
  const id = envelope.invitationId
  const attempts = attemptsOn(id)
  const queries = {
    attempts: attemptsSoFar(context, attempts),
    rows: invitationById(db, id),
    organizations: invitingOrganization(db, id),
    excluded:
      context.joining?.members.exclusionsOf(context, placeOf(id), {
        userId,
        address: sql<string | null>`(select email from seatgate_invitations where id = ${id})`,
      }) ?? null,
    taken: db
      .select({ taken: sql`1`.as('taken') })
      .from(users)
      .where(sql`${users.email} = (select email from seatgate_invitations where id = ${id})`),
  }
  const check = (
    found: Presented & {
      readonly taken: readonly unknown[]
      readonly attempts: readonly RateRow[]
    },
    at: Date
  ): Result<
    OpenInvitation,
    | InvitationRefusal
    | 'email_mismatch'
    | 'rate_limited'
    | 'role_not_configured'
    | 'validation_error'
  > => {
    const tooOften = refuseAttempt(context, found.attempts, at)
    if (tooOften) return tooOften
    const open = openInvitation(envelope, found, at)
    if (!open.ok) return open
    const { email, role } = open.value.invitation
    if (typeof posted !== 'string' || normalizeEmail(posted) !== email) {
      return refused({ code: 'email_mismatch' })
    }
    const roles = rolesIn(context.roles, open.value.organization)
    if (!isConfigured(roles, role)) return refused({ code: 'role_not_configured' })
    return found.taken.length > 0
      ? refused(invalid({ email: ['This e-mail address is already taken.'] }))
      : open
  }

  // Registration is expensive (it hashes a password), so it runs only after the token was checked.
  let seen
  try {
    seen = check((await find(db, { caller }, queries)).rows, now())
  } catch (error) {
    return refused(storeRefusal(context, error))
  }
  if (!seen.ok) return countAttempt(context, attempts, seen)
  const { email } = seen.value.invitation
  const emailVerified = envelope.provesMailbox
  const registered = await registerUser({ userId, email, emailVerified, now: now(), input: rest })
  if (!registered.ok) {
    const refusal: Refusal = registered.error
    if (!hasCode(refusal, REGISTER_REFUSALS)) {
      const error = new TypeError(`registerUser may not refuse with ${refusal.code}.`)
      context.report({ event: 'refusal_not_listed', error })
    }
    return registered
  }
  const { statements, user } = registered.value
  const accepted = await perform(
    context,
    { caller, ...requestInfoOf(request) },
    {
      name: 'organization.invitation.accept_with_signup',
      input: null,
      grows: true,
      refusals: [...HOOK_REFUSALS, ...JOIN_REFUSALS],
      queries,
      plan({ rows }, _by, at) {
        const open = check(rows, at)
        if (!open.ok) return open
        const plan = planAcceptance(
          context,
          open.value,
          caller,
          at,
          'signup',
          excludedAs(context, rows.excluded, userId)
        )
        return ok({
          ...plan,
          value: { ...plan.value, user, userId },
          // Before the host's statements, so that a taken address is not reported as a conflict of
          // theirs.
          statements: [
            guard(
              db,
              'stale',
              sql`not exists (select 1 from ${users} where ${users.email} = ${email})`
            ),
            ...statements,
            ...plan.statements,
          ],
        })
      },
    }
  )
  // The caller is known: it is the user who was registered.
  return accepted as Result<SignedUp, AcceptWithSignupRefusal>
}
