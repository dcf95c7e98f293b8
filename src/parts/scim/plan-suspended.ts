import type { MembershipRow } from '../../database/schema/organizations-tables.ts'
import { guardAnotherOwner, guardUnchanged } from '../../engine/access/access-guards.ts'
import { userIdOf } from '../../engine/access/principal.ts'
import { NOTHING_LOST, planSuspension } from '../../engine/model/leave.ts'
import { membershipView } from '../../engine/model/membership.ts'
import type { Plan } from '../../engine/model/plan.ts'
import type { PresenceChange } from './plan-presence.ts'
import type { ScimContext } from './scim.ts'

/** Plans the suspension of a member whom the identity provider has deactivated. */
export function planSuspended(
  context: ScimContext,
  membership: MembershipRow,
  { organizationId, userId, rows, caller, now }: PresenceChange
): Omit<Plan<unknown>, 'value'> {
  const { invitations, joining } = context
  const lost =
    invitations?.members.endLost(context, rows.around, {
      userId,
      organizationIds: [organizationId],
      rights: null,
      putOut: true,
      by: userIdOf(caller),
      now,
    }) ?? NOTHING_LOST
  const leave = planSuspension(context, membership, 'admin', now, lost.count)
  return {
    ...leave,
    before: [
      {
        hook: 'beforeMemberSuspend',
        state: { membership: membershipView(membership), path: 'admin', caller },
      },
    ],
    statements: [
      guardUnchanged(context, membership),
      ...guardAnotherOwner(context, membership),
      ...lost.statements,
      ...leave.statements,
      ...(joining?.members.exclude(context, [membership], rows.address, now) ?? []),
    ],
    freedSeats: [...leave.freedSeats, ...lost.freedSeats],
    events: [...leave.events, ...lost.events],
  }
}
