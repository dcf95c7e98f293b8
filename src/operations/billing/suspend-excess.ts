import { and, desc, eq, ne, sql } from 'drizzle-orm'
import { guardAsRead, inputsFrom } from '../../engine/model/entitle.ts'
import { guardUnchanged } from '../../engine/access/access-guards.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import { isSystem } from '../../engine/access/principal.ts'
import { perform } from '../../engine/changes/operation.ts'
import type { LimitContext } from '../../engine/changes/apply-limit.ts'
import { memberships } from '../../database/schema/organizations-tables.ts'
import { planSuspension, type LeaveContext } from '../../engine/model/leave.ts'
import { unchanged } from '../../engine/model/plan.ts'
import { entitledNow, type EntitledNow } from '../../engine/seats/entitled-now.ts'
import { entitlementQueries, type EntitlementRows } from '../../engine/seats/entitlement-rows.ts'
import { seatsHeld, isOfType } from '../../engine/seats/counts.ts'
import { entitlementFrom } from '../../engine/seats/count-seats.ts'
import { ok, refused, type Result } from '../../base/result.ts'

/** The context of a function that suspends members for lack of seats. */
export interface ExcessContext extends LimitContext, LeaveContext {}

// Bounds the batch; the next sweep continues.
const MOST_AT_ONCE = 25

/**
 * Suspends members that have no seat under the limit, if the policy of the organization's plan says so and
 * its grace is over: the newest first, and never an owner. Open invitations keep their seats until they
 * expire. Returns the number of suspended members; call it again while it is not 0.
 */
export async function suspendExcess(
  seatgate: ExcessContext,
  organizationId: string
): Promise<Result<number>> {
  const { db, roles } = seatgate
  const id = organizationIdOf(organizationId)
  return perform(
    seatgate,
    { caller: { type: 'system' }, organization: organizationId },
    {
      name: 'seat.suspend_excess',
      input: null,
      grows: false,
      queries: {
        ...entitlementQueries(db, id),
        held: db.select({ held: seatsHeld(sql`${id}`).as('held') }).from(sql`(select 1)`),
        newest: db
          .select()
          .from(memberships)
          .where(
            and(
              eq(memberships.organizationId, id),
              eq(memberships.status, 'active'),
              isOfType(null),
              ne(memberships.role, roles.owner)
            )
          )
          .orderBy(desc(memberships.createdAt), desc(memberships.id))
          .limit(MOST_AT_ONCE),
      },
      plan({ organization, rows }, caller, now) {
        if (organization === null || !isSystem(caller)) {
          return refused({ code: 'organization_not_found' })
        }
        const entitled = entitledNow(seatgate, inputsFrom(rows), now)
        const excess = isDue(entitled, rows, now) ? excessOf(rows, rows.held[0]?.held ?? 0) : 0
        const leavers = rows.newest.slice(0, excess)
        if (leavers.length === 0) return ok(unchanged(0))
        const departed = leavers.map((row) => planSuspension(seatgate, row, 'over_limit', now))
        return ok({
          value: leavers.length,
          statements: [
            guardAsRead(seatgate, organization.id, rows),
            ...leavers.map((row) => guardUnchanged(seatgate, row)),
            ...departed.flatMap(({ statements }) => statements),
          ],
          freedSeats: departed.flatMap(({ freedSeats }) => freedSeats),
          events: departed.flatMap(({ events }) => events),
          jobs: departed.flatMap(({ jobs }) => jobs),
        })
      },
    }
  )
}

function isDue(
  { policy }: EntitledNow,
  { entitlementState: [state] }: EntitlementRows,
  now: Date
): boolean {
  if (policy === 'block_change' || !state?.overSince) return false
  return policy === 'suspend_excess' || (state.overGraceEnd !== null && state.overGraceEnd <= now)
}

function excessOf({ entitlement: [row] }: EntitlementRows, held: number): number {
  const limit = row && entitlementFrom(row).limit
  return limit?.kind === 'finite' ? Math.max(0, held - limit.seats) : 0
}
