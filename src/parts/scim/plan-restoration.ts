import type { MembershipRow } from '../../database/schema/organizations-tables.ts'
import { guardUnchanged } from '../../engine/access/access-guards.ts'
import type { Principal } from '../../engine/access/principal.ts'
import { memberEvent } from '../../engine/audit/event.ts'
import { claimAgain, membershipView } from '../../engine/model/membership.ts'
import { withHook, type Plan } from '../../engine/model/plan.ts'
import type { ScimContext } from './scim.ts'

/** Plans that a suspended member is active again, with a new seat. */
export function planRestoration(
  context: ScimContext,
  membership: MembershipRow,
  caller: Principal,
  now: Date
): Omit<Plan<unknown>, 'value'> {
  const { db, joining } = context
  const { organizationId, userId, role, suspendedBy } = membership
  const back = { ...membership, status: 'active', suspendedBy: null, updatedAt: now } as const
  return {
    before: [
      { hook: 'beforeAddMember', state: { organizationId, userId, role, path: 'restore', caller } },
    ],
    statements: [
      guardUnchanged(context, membership),
      ...(joining ? [joining.members.readmitUsers(context, organizationId, [userId])] : []),
    ],
    claims: [claimAgain(db, back)],
    events: [
      withHook(
        memberEvent(membership, 'organization.member_restore', { by: suspendedBy }),
        'afterAddMember',
        { membership: membershipView(back), path: 'restore', requestId: null }
      ),
    ],
  }
}
