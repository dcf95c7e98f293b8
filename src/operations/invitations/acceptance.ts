import { eq } from 'drizzle-orm'
import { invitationEvent } from '../../engine/audit/event.ts'
import {
  invitations,
  type ExclusionRow,
  type InvitationRow,
  type MembershipRow,
} from '../../database/schema.ts'
import { withHook } from '../../engine/model/after-hooks.ts'
import type { Question } from '../../engine/model/hooks.ts'
import { planAddition } from '../../engine/model/join.ts'
import { membershipView, type Membership } from '../../engine/model/membership.ts'
import type { Plan } from '../../engine/model/plan.ts'
import { organizationView, type Organization } from '../../engine/model/organization.ts'
import type { UserPrincipal } from '../../engine/access/principal.ts'
import { freedSeat } from '../../engine/model/end-invitation.ts'
import { markVerified } from '../../engine/model/verified-address.ts'
import { guardAddress, guardPending } from '../../engine/model/invitation-guards.ts'
import { guardLive, guardUnchanged } from '../../engine/access/access-guards.ts'
import { invitationView, type Invitation } from '../../engine/model/invitation.ts'
import type { AcceptedBefore, OpenInvitation } from './verify-token.ts'
import type { InvitationContext } from './invitation-config.ts'

/** A member who accepted an invitation. `created` is false if they were a member already. */
export interface AcceptedInvitation {
  readonly membership: Membership
  readonly organization: Organization
  readonly created: boolean
}

/** Plans an acceptance: the invitation is marked as accepted, and its seat becomes the member's. */
export function planAcceptance(
  seatgate: Pick<InvitationContext, 'db' | 'emailVerification' | 'newId' | 'seats'>,
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
  const stamped = stamp(seatgate, open, userId, now)
  const added = planAddition(seatgate, newcomer, user, now, stamped, {
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
export function planClosing(
  seatgate: Pick<InvitationContext, 'db' | 'emailVerification' | 'seats'>,
  open: OpenInvitation,
  present: MembershipRow,
  user: UserPrincipal,
  now: Date
): Plan<AcceptedInvitation> {
  const { invitation, organization } = open
  const freed = freedSeat(seatgate, invitation, false)
  const membership = membershipView(present)
  const { userId } = present
  return {
    before: asked(user, invitation, now, null),
    value: {
      membership,
      organization: organizationView(organization),
      created: false,
    },
    statements: [guardUnchanged(seatgate, present), ...stamp(seatgate, open, present.userId, now)],
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
export function planRepetition(
  seatgate: Pick<InvitationContext, 'db' | 'emailVerification' | 'users'>,
  { organization, provesMailbox, user }: AcceptedBefore,
  present: MembershipRow,
  now: Date
): Plan<AcceptedInvitation> {
  const proves = provesMailbox && user.verified === 0
  const marks = proves ? markVerified(seatgate, user.id, now) : []
  return {
    value: {
      membership: membershipView(present),
      organization: organizationView(organization),
      created: false,
    },
    statements: marks.length > 0 ? [...guardAddress(seatgate, user), ...marks] : [],
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
  seatgate: Pick<InvitationContext, 'db' | 'emailVerification'>,
  { invitation, provesMailbox }: OpenInvitation,
  userId: string,
  now: Date
) {
  const { db } = seatgate
  return [
    guardLive(seatgate, invitation.organizationId),
    guardPending(seatgate, invitation, now),
    db
      .update(invitations)
      .set({ acceptedAt: now, acceptedById: userId, updatedAt: now })
      .where(eq(invitations.id, invitation.id)),
    ...(provesMailbox ? markVerified(seatgate, userId, now) : []),
  ]
}
