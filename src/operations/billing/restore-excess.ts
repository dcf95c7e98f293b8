import { and, asc, eq, sql } from 'drizzle-orm'
import { memberEvent } from '../../engine/audit/event.ts'
import { guardOrganization, guardUnchanged } from '../../engine/access/access-guards.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import { isSystem } from '../../engine/access/principal.ts'
import { takesSeat } from '../../engine/access/roles.ts'
import type { ChangeContext, Listener } from '../../engine/changes/change-context.ts'
import { perform } from '../../engine/changes/operation.ts'
import { memberships, type MembershipRow } from '../../database/schema/organizations-tables.ts'
import { withHook, unchanged } from '../../engine/model/plan.ts'
import { membershipView, claimAgain } from '../../engine/model/membership.ts'
import { budgeted, STATEMENTS_AFTER_A_CHANGE } from '../../database/statement-budget.ts'
import { inBackground } from '../../base/async.ts'
import { typeOfRole, type SeatType } from '../../base/seat-types.ts'
import { entitlementOf, limitByDefault, limitFrom } from '../../engine/seats/count-seats.ts'
import { seatsWanted } from '../../engine/seats/waitlist-seats.ts'
import { hasKnownRole } from '../../engine/access/role-conditions.ts'
import { SEAT_REFUSALS, hasCode, ok, refused, type Result } from '../../base/result.ts'

const MOST_AT_ONCE = 25

// The most statements for the restoration of so many members and for the work after it.
const STATEMENTS_TO_RESTORE = 160

/**
 * Restores members that were suspended for lack of seats, the oldest first, while there are seats that no
 * user waits for, and statements. Members that an admin has suspended stay so. One whom a hook or a
 * constraint of the host refuses stays suspended, and does not keep the seat from the next. The sweep
 * continues what is left.
 */
export async function restoreExcess(
  seatgate: ChangeContext,
  organizationId: string
): Promise<Result<null>> {
  const within = budgeted(seatgate, STATEMENTS_AFTER_A_CHANGE)
  const passedOver = new Set<string>()
  let most = MOST_AT_ONCE
  for (let more = true; more;) {
    more = false
    let refusal: Result<null> = ok(null)
    await within.budget.spend(STATEMENTS_TO_RESTORE, async () => {
      const step: Step = { most, passedOver, tried: [] }
      const restored = await restoreNext(within, organizationId, step)
      if (restored.ok) {
        for (const id of restored.value.passedOver) passedOver.add(id)
        more = restored.value.more
      } else if (restored.error.code === 'host_conflict' && step.tried.length > 0) {
        // One of them breaks the constraint: which one is seen if each is tried by itself.
        if (step.tried.length === 1) for (const id of step.tried) passedOver.add(id)
        most = 1
        more = true
      } else refusal = restored
    })
    if (!refusal.ok) return refusal
  }
  return ok(null)
}

/** Which members are tried. */
interface Step {
  readonly most: number
  /** The memberships that were refused before. */
  readonly passedOver: ReadonlySet<string>
  /** Receives the memberships that were tried last. */
  tried: readonly string[]
}

/** The outcome of a step. */
interface Stepped {
  readonly passedOver: readonly string[]
  /** Whether there may be another member and a seat. */
  readonly more: boolean
}

function restoreNext(
  seatgate: ChangeContext,
  organizationId: string,
  step: Step
): Promise<Result<Stepped>> {
  const { db, roles, seatContext } = seatgate
  const id = organizationIdOf(organizationId)
  const types: readonly SeatType[] = [null, ...roles.seatTypes.keys()]
  const since = seatgate.now()
  return perform(
    seatgate,
    { caller: { type: 'system' }, organization: organizationId },
    {
      name: 'seat.restore_excess',
      input: null,
      grows: true,
      queries: {
        entitlement: entitlementOf(db, id),
        wanted: db
          .select(
            Object.fromEntries(
              types.map((type, place) => [
                place,
                seatsWanted(sql`${id}`, seatContext, since, type).as(`wanted_${place}`),
              ])
            )
          )
          .from(sql`(select 1)`),
        suspended: db
          .select()
          .from(memberships)
          .where(
            and(
              eq(memberships.organizationId, id),
              // In the text, because their index is of these alone.
              sql`${memberships.suspendedBy} = 'over_limit'`,
              hasKnownRole(roles),
              sql`${memberships.id} not in
                (select value from json_each(${JSON.stringify([...step.passedOver])}))`
            )
          )
          .orderBy(asc(memberships.createdAt), asc(memberships.id))
          .limit(step.most),
      },
      plan({ organization, rows }, caller, now) {
        if (organization === null || !isSystem(caller)) {
          return refused({ code: 'organization_not_found' })
        }
        // A claim without a free seat would be recorded as a limit that was reached.
        const left = types.map((type, place) => {
          const limit = limitFrom(rows.entitlement, type).limit ?? limitByDefault(seatContext, type)
          if (limit.kind === 'unlimited') return Infinity
          return limit.kind === 'finite' ? limit.seats - (rows.wanted[0]?.[place] ?? 0) : 0
        })
        const hasSeat = ({ role }: MembershipRow) => {
          if (!takesSeat(roles, role)) return true
          const place = types.indexOf(typeOfRole(roles, role))
          left[place] = (left[place] ?? 0) - 1
          return left[place] >= 0
        }
        const tried = rows.suspended.filter(hasSeat)
        step.tried = tried.map((row) => row.id)
        // Behind a full page there may be others, also with another seat or without one.
        const isFull = rows.suspended.length === step.most
        const hasOthers = types.length > 1 || roles.seatless.length > 0
        const without = rows.suspended.filter((row) => !tried.includes(row)).map((row) => row.id)
        const passedOver = isFull && hasOthers ? without : []
        const more = isFull && (hasOthers || without.length === 0)
        if (tried.length === 0) return ok(unchanged({ passedOver, more }))
        return ok({
          rows: tried.map((row) => ({
            before: [
              { hook: 'beforeAddMember' as const, state: { ...row, path: 'restore', caller } },
            ],
            claim: claimAgain(db, back(row, now)),
          })),
          decide(refusals) {
            const restored = tried.filter((_row, index) => refusals[index] === null)
            const turnedAway = tried.filter((_row, index) => refusals[index] !== null)
            // The provider counts more seats than D1, and would refuse the others too.
            const isUsedUp = refusals.some(
              (refusal) => refusal !== null && hasCode(refusal, SEAT_REFUSALS)
            )
            const value = {
              passedOver: [...passedOver, ...turnedAway.map((row) => row.id)],
              more: !isUsedUp && (more || turnedAway.length > 0),
            }
            if (restored.length === 0) return unchanged(value)
            return {
              value,
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
