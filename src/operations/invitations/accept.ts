import { partOf } from '../../engine/changes/part.ts'
import { normalizeEmail } from '../../base/email.ts'
import { isConfigured, rolesIn } from '../../engine/access/roles.ts'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import { markVerified, type ExclusionCandidate } from '../../engine/model/exclusions.ts'
import {
  HOOK_REFUSALS,
  JOIN_REFUSALS,
  ok,
  refused,
  type HookRefusal,
  type InvitationRefusal,
  type Result,
  type JoinRefusal,
  type StoreRefusal,
} from '../../base/result.ts'
import {
  isUser,
  requestInfoOf,
  userIdOf,
  type Scope,
  type UserPrincipal,
} from '../../engine/access/principal.ts'
import { attemptsOf, attemptsSoFar, countAttempt, refuseAttempt } from './invitation-limits.ts'
import {
  guardAddress,
  guardPending,
  invitationView,
  type Invitation,
} from '../../engine/model/invitation.ts'
import {
  invitationById,
  invitingOrganization,
  knownUser,
  membershipThere,
  placeOf,
} from '../../engine/model/invitation-lookup.ts'
import {
  acceptedBefore,
  openInvitation,
  readToken,
  type AcceptedBefore,
  type OpenInvitation,
  type TokenInput,
} from './verify-token.ts'
import type { InvitationContext } from './invitation-config.ts'
import { eq } from 'drizzle-orm'
import { invitationEvent } from '../../engine/audit/part-actions.ts'
import { invitations, type InvitationRow } from '../../database/schema/invitations-tables.ts'
import type { ExclusionRow } from '../../database/schema/joining-tables.ts'
import type { MembershipRow } from '../../database/schema/organizations-tables.ts'
import { withHook, type Plan } from '../../engine/model/plan.ts'
import type { Question } from '../../engine/model/hooks.ts'
import { planJoin } from '../../engine/model/join.ts'
import { membershipView, type Membership, personOf } from '../../engine/model/membership.ts'
import { organizationView, type Organization } from '../../engine/model/organization.ts'
import { freedSeat } from '../../engine/model/end-invitation.ts'
import { guardOrganization, guardUnchanged } from '../../engine/access/access-guards.ts'

/** Why {@link acceptInvitation} refuses. */
export type AcceptInvitationRefusal =
  | 'unauthenticated'
  | InvitationRefusal
  | JoinRefusal
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
 * Refusals: `unauthenticated`, `InvitationRefusal`, `JoinRefusal`, `HookRefusal`,
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
  context: InvitationContext,
  { caller, ...request }: Scope,
  input: TokenInput,
  options: OperationOptions = {}
): Promise<Result<AcceptedInvitation, AcceptInvitationRefusal>> {
  partOf(context, 'invitations')
  const { db, roles } = context
  const read = readToken(context, input)
  const envelope = read.ok ? read.value : null
  const id = envelope?.invitationId ?? ''
  const userId = userIdOf(caller)
  const attempts = attemptsOf(caller)
  const answer = await perform(
    context,
    { caller, ...requestInfoOf(request) },
    {
      name: 'organization.invitation.accept',
      input: envelope && [envelope.tokenHash, envelope.provesMailbox],
      grows: true,
      refusals: [...HOOK_REFUSALS, ...JOIN_REFUSALS],
      queries: {
        rows: invitationById(db, id),
        organizations: invitingOrganization(db, id),
        existing: membershipThere(db, id, userId),
        user: knownUser(context, userId),
        attempts: attemptsSoFar(context, attempts),
        excluded:
          context.joining?.members.exclusionsOf(context, placeOf(id), personOf(context, userId)) ??
          null,
      },
      plan({ rows: found }, by, now) {
        if (!read.ok) return read
        if (!isUser(by)) return refused({ code: 'invitation_invalid' })
        const tooOften = refuseAttempt(context, found.attempts, now)
        if (tooOften) return tooOften
        const [user] = found.user
        const [existing] = found.existing
        const before = acceptedBefore(envelope, found, user, now)
        if (before && existing) return ok(planRepetition(context, before, existing, now))
        const open = openInvitation(envelope, found, now)
        if (!open.ok) return open
        if (!user || normalizeEmail(user.email) !== open.value.invitation.email) {
          return refused({ code: 'invitation_mismatch' })
        }
        if (
          !existing &&
          !isConfigured(rolesIn(roles, open.value.organization), open.value.invitation.role)
        ) {
          return refused({ code: 'role_not_configured' })
        }
        const plan = existing
          ? planClosing(context, open.value, existing, by, now)
          : planAcceptance(
              context,
              open.value,
              by,
              now,
              null,
              excludedAs(context, found.excluded, by.userId)
            )
        return ok({ ...plan, statements: [...guardAddress(context, user), ...plan.statements] })
      },
    },
    options
  )
  return countAttempt(context, attempts, answer)
}

/** Returns the rows that excluded the user from joining by domain, and end because they are let in. */
export function excludedAs(
  { joining }: Pick<InvitationContext, 'joining'>,
  candidates: readonly ExclusionCandidate[],
  userId: string
): readonly ExclusionRow[] {
  return joining?.members.excluding(candidates, userId) ?? []
}

/** A member who accepted an invitation. `created` is false if they were a member already. */
export interface AcceptedInvitation {
  readonly membership: Membership
  readonly organization: Organization
  readonly created: boolean
}

/** Plans an acceptance: the invitation is marked as accepted, and its seat becomes the member's. */
export function planAcceptance(
  context: InvitationContext,
  open: OpenInvitation,
  user: UserPrincipal,
  now: Date,
  path: 'signup' | null,
  excluded: readonly ExclusionRow[]
): Plan<AcceptedInvitation> {
  const { invitation, organization } = open
  const { userId } = user
  const { organizationId, role, seatId } = invitation
  const newcomer = { organizationId, userId, role }
  const stamped = stamp(context, open, userId, now)
  const added = planJoin(context, newcomer, user, now, stamped, {
    path: path ?? 'invitation',
    seatId,
    excluded,
  })
  return {
    ...added,
    value: { ...added.value, organization: organizationView(organization) },
    before: [...asked(user, invitation, now, path), ...(added.before ?? [])],
    events: [
      ...(added.events ?? []),
      withHook(
        invitationEvent(invitation, 'organization.invitation.accepted', {
          role,
          ...(path && { path }),
        }),
        'afterInvitationAccept',
        {
          ...added.value,
          invitation: accepted(invitation, userId, now),
          path: path ?? 'invitation',
        }
      ),
    ],
  }
}

/**
 * Plans the end of an invitation to a member, active or suspended: it is closed, and its seat is freed.
 */
function planClosing(
  context: Pick<InvitationContext, 'db' | 'emailVerification' | 'roles' | 'seats'>,
  open: OpenInvitation,
  existing: MembershipRow,
  user: UserPrincipal,
  now: Date
): Plan<AcceptedInvitation> {
  const { invitation, organization } = open
  const freed = freedSeat(context, invitation, false)
  const membership = membershipView(existing)
  const { userId } = existing
  return {
    before: asked(user, invitation, now, null),
    value: {
      membership,
      organization: organizationView(organization),
      created: false,
    },
    statements: [guardUnchanged(context, existing), ...stamp(context, open, existing.userId, now)],
    freedSeats: freed.map(({ seat }) => seat),
    events: [
      withHook(
        invitationEvent(invitation, 'organization.invitation.accepted', {
          role: invitation.role,
          already_member: true,
        }),
        'afterInvitationAccept',
        {
          invitation: accepted(invitation, userId, now),
          membership,
          created: false,
          path: 'invitation',
        }
      ),
      ...freed.map(({ event }) => event),
    ],
  }
}

/**
 * Plans a repeated acceptance by the same user, which returns the same result. A mailed token that is
 * still valid verifies the address now, if it is not verified yet.
 */
function planRepetition(
  context: Pick<InvitationContext, 'db' | 'emailVerification' | 'users'>,
  { organization, provesMailbox, user }: AcceptedBefore,
  existing: MembershipRow,
  now: Date
): Plan<AcceptedInvitation> {
  const proves = provesMailbox && user.verified === 0
  const marks = proves ? markVerified(context, user.id, now) : []
  return {
    value: {
      membership: membershipView(existing),
      organization: organizationView(organization),
      created: false,
    },
    statements: marks.length > 0 ? [...guardAddress(context, user), ...marks] : [],
    events: [],
  }
}

function asked(
  user: UserPrincipal,
  invitation: InvitationRow,
  now: Date,
  path: 'signup' | null
): readonly Question[] {
  const { userId } = user
  const state = { invitation: invitationView(invitation, now), userId, caller: user }
  return [{ hook: 'beforeInvitationAccept', state: { ...state, path: path ?? 'invitation' } }]
}

function accepted(invitation: InvitationRow, userId: string, now: Date): Invitation {
  return invitationView({ ...invitation, acceptedAt: now, acceptedById: userId }, now)
}

function stamp(
  context: Pick<InvitationContext, 'db' | 'emailVerification' | 'roles'>,
  { invitation, organization, provesMailbox }: OpenInvitation,
  userId: string,
  now: Date
) {
  const { db } = context
  return [
    guardOrganization(context, organization),
    guardPending(context, invitation, now),
    db
      .update(invitations)
      .set({ acceptedAt: now, acceptedById: userId, updatedAt: now })
      .where(eq(invitations.id, invitation.id)),
    ...(provesMailbox ? markVerified(context, userId, now) : []),
  ]
}
