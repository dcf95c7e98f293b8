import { and, asc, eq, sql } from 'drizzle-orm'
import { memberEvent } from '../../engine/audit/event.ts'
import { guardOrganization, guardUnchanged } from '../../engine/access/access-guards.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import { isSystem } from '../../engine/access/principal.ts'
import { isConfigured, takesSeat, rolesIn } from '../../engine/access/roles.ts'
import type { ChangeContext, Listener } from '../../engine/changes/change-context.ts'
import { perform } from '../../engine/changes/operation.ts'
import { memberships, type MembershipRow } from '../../database/schema/organizations-tables.ts'
import { withHook, unchanged } from '../../engine/model/plan.ts'
import { membershipView, claimAgain } from '../../engine/model/membership.ts'
import { inBackground } from '../../base/async.ts'
import { typeOfRole } from '../../base/seat-types.ts'
import { seatsUsed } from '../../engine/seats/counts.ts'
import { entitlementOf, limitFrom } from '../../engine/seats/count-seats.ts'
import { ok, refused, type Result } from '../../base/result.ts'

const MOST_AT_ONCE = 25

/**
 * Restores members that were suspended for lack of seats, the oldest first, while there are seats. Members
 * that an admin has suspended stay so. Returns the number of restored members.
 */
async function restoreExcess(
  seatgate: ChangeContext,
  organizationId: string
): Promise<Result<number>> {
  const { db, roles } = seatgate
  return perform(
    seatgate,
    { caller: { type: 'system' }, organization: organizationId },
    {
      name: 'seat.restore_excess',
      input: null,
      grows: true,
      queries: {
        entitlement: entitlementOf(db, organizationIdOf(organizationId)),
        used: db
          .select({ used: seatsUsed(organizationIdOf(organizationId), seatgate.now()).as('used') })
          .from(sql`(select 1)`),
        suspended: db
          .select()
          .from(memberships)
          .where(
            and(
              eq(memberships.organizationId, organizationIdOf(organizationId)),
              // In the text, because their index is of these alone.
              sql`${memberships.suspendedBy} = 'over_limit'`
            )
          )
          .orderBy(asc(memberships.createdAt), asc(memberships.id))
          .limit(MOST_AT_ONCE),
      },
      plan({ organization, rows }, caller, now) {
        if (organization === null || !isSystem(caller)) {
          return refused({ code: 'organization_not_found' })
        }
        // A claim without a free seat would be recorded as a limit that was reached.
        const limit = limitFrom(rows.entitlement).limit ?? seatgate.seatContext.defaultLimit
        const room = limit.kind === 'finite' ? limit.seats - (rows.used[0]?.used ?? 0) : Infinity
        const known = rows.suspended.filter(({ role }) =>
          isConfigured(rolesIn(roles, organization), role)
        )
        const counts = ({ role }: MembershipRow) =>
          takesSeat(roles, role) && typeOfRole(roles, role) === null
        const seated = known.filter(counts)
        const others = known.filter((row) => !counts(row))
        const waiting = [...seated.slice(0, Math.max(0, room)), ...others]
        if (waiting.length === 0) return ok(unchanged(0))
        return ok({
          rows: waiting.map((row) => ({
            before: [
              { hook: 'beforeAddMember' as const, state: { ...row, path: 'restore', caller } },
            ],
            claim: claimAgain(db, back(row, now)),
          })),
          decide(refusals) {
            const restored = waiting.filter((_row, index) => refusals[index] === null)
            if (restored.length === 0) return unchanged(0)
            return {
              value: restored.length,
              statements: [
                guardOrganization(seatgate, organization),
                ...restored.map((row) => guardUnchanged(seatgate, row)),
              ],
              events: restored.map((row) =>
                withHook(
                  memberEvent(row, 'organization.member_restore', { by: row.suspendedBy }),
                  'afterAddMember',
                  { membership: membershipView(back(row, now)), path: 'restore', requestId: null }
                )
              ),
            }
          },
        })
      },
    }
  )
}

function back(row: MembershipRow, now: Date): MembershipRow {
  return { ...row, status: 'active', suspendedBy: null, updatedAt: now }
}

// Limits the requests of one invocation; the sweep serves the others.
const ORGANIZATIONS_AT_ONCE = 10

/** Restores members in organizations that may have free seats. */
export const restoreWhenFreed: Listener = {
  async seatsFreed(context, organizationIds) {
    const served = organizationIds.slice(0, ORGANIZATIONS_AT_ONCE)
    await inBackground(
      context,
      served[0] ?? '',
      served.map((organizationId) => () => restoreExcess(context, organizationId))
    )
  },
}
