/**
 * Repairs the differences that {@link examine} has found: D1 in one batch with its event, then the
 * ledger, which starts again. If the process ends in between, the event reaches the ledger later.
 *
 * @module
 */
import { and, inArray, sql } from 'drizzle-orm'
import { organizationEvent } from '../../engine/audit/event.ts'
import { guard } from '../../database/commit.ts'
import type { DatabaseContext, Statement } from '../../database/database.ts'
import { memberCounts } from '../../database/schema/organizations-tables.ts'
import { seatFences } from '../../database/schema/seats-tables.ts'
import { guardLive } from '../../engine/access/access-guards.ts'
import { unseat } from '../../engine/model/leave.ts'
import { moveSeats, recountTypes, reseat } from '../../engine/model/reseat.ts'
import type { ChangeContext } from '../../engine/changes/change-context.ts'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import { unchanged } from '../../engine/model/plan.ts'
import {
  ok,
  type AccessRefusal,
  type InputRefusal,
  type Result,
  type StoreRefusal,
} from '../../base/result.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import { examine, type Examination, type SeatDifference } from './differences.ts'
import { limitView, type SeatUsage } from '../../engine/seats/limit.ts'
import { typeOfRole, typeOfSeat, type SeatType } from '../../base/seat-types.ts'
import { readUsage } from './usage.ts'
import { isPending } from '../../engine/seats/counts.ts'
import { storedCount, verifiable } from './verify.ts'
import type { Queries } from '../../database/batch.ts'

// The next sweep finds the rest.
const RESEATED_AT_ONCE = 1000

/**
 * Repairs the differences, unless another run has done so, and returns whether it did. Starts the ledger
 * again from D1 if needed, or with `renew` always.
 */
export async function repair(
  context: ChangeContext,
  scope: OrganizationScope,
  examination: Examination,
  { renew }: { readonly renew: boolean }
): Promise<Result<boolean, AccessRefusal | InputRefusal | StoreRefusal | 'seats_unavailable'>> {
  const { db, roles, seats, seatContext, measure } = context
  const { organizationId, overview, ledger, typeLedgers, differences } = examination
  const isWrong = (type: SeatType) => renew || differences.some(concernsLedgerOf(type))
  const epoch = ledger && isWrong(null) ? ledger.epoch : null
  const typeEpochs = new Map(
    [...typeLedgers].flatMap(([type, each]) => (isWrong(type) ? [[type, each.epoch]] : []))
  )
  const repairedSince = sql`exists (select 1 from seatgate_audit_events
    where organization_id = ${organizationId} and sequence > ${overview.head}
    and action = 'seat.drift_repaired')`
  const repaired = await perform(
    context,
    { ...scope, organization: organizationId },
    {
      name: 'seat.drift_repair',
      input: null,
      grows: false,
      refusals: [],
      queries: {
        repairedSince: db
          .select({ one: sql`1`.as('one') })
          .from(sql`(select 1) where ${repairedSince}`),
      },
      plan(found, _caller, now) {
        const allowed = verifiable(found)
        if (!allowed.ok) return allowed
        if (found.rows.repairedSince.length > 0) return ok(unchanged(false))
        const seatless = overview.seatless.slice(0, RESEATED_AT_ONCE)
        const reseated = reseat(context, organizationId, seatless)
        const needless = overview.needless.slice(0, RESEATED_AT_ONCE)
        const unseated = unseat(context, organizationId, needless)
        const misplaced = overview.misplaced.slice(0, RESEATED_AT_ONCE)
        const moved = moveSeats(context, organizationId, misplaced)
        const isTyped = roles.seatTypes.size > 0 || misplaced.length > 0
        const { limit, held, reserved } = storedCount(context, overview)
        const given = [...seatless, ...misplaced].filter(
          ([, role]) => typeOfRole(roles, role) === null
        )
        const taken = [...needless.map(({ seatId }) => seatId), ...misplaced.map(([, , id]) => id)]
        const left = taken.filter((seatId) => typeOfSeat(seatId) === null)
        return ok({
          value: true,
          statements: [
            guardLive(context, organizationId),
            guard(db, 'stale', sql`not ${repairedSince}`),
            ...reseated.statements,
            ...unseated.statements,
            ...moved.statements,
            recount(context, organizationId),
            ...(isTyped ? recountTypes(context, organizationId) : []),
            unfence(context, overview.fenced, now),
          ],
          events: [
            ...reseated.events,
            ...unseated.events,
            ...moved.events,
            organizationEvent(organizationId, 'seat.drift_repaired', {
              differences: tally(differences),
              held: held + given.length - left.length,
              reserved,
              limit: limitView(limit),
              ...(epoch !== null && { ledger_epoch: epoch }),
              ...(typeEpochs.size > 0 && { type_epochs: Object.fromEntries(typeEpochs) }),
            }),
          ],
          freedSeats: [...unseated.freedSeats, ...moved.freedSeats],
        })
      },
    }
  )
  if (!repaired.ok || !repaired.value) return repaired
  for (const [kind, count] of Object.entries(tally(differences))) {
    measure({ name: 'seat.drift_repaired', kind, count })
  }
  const epochs: readonly (readonly [SeatType, number | null])[] = [[null, epoch], ...typeEpochs]
  for (const [type, known] of epochs) {
    if (known === null) continue
    const renewed = await seats.renew?.(seatContext, organizationId, known, type)
    if (renewed?.ok === false) return renewed
  }
  return repaired
}

// A member who gets another seat concerns every ledger: their role decides which.
function concernsLedgerOf(type: SeatType) {
  return ({ kind, seatType }: SeatDifference) =>
    ['member_without_seat', 'misplaced_seat'].includes(kind) ||
    ((seatType ?? null) === type &&
      !['member_count', 'fenced_seat', 'needless_seat'].includes(kind))
}

function tally(differences: readonly SeatDifference[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const { kind } of differences) counts[kind] = (counts[kind] ?? 0) + 1
  return counts
}

// Replaces the triggers' count.
function recount({ db }: DatabaseContext, organizationId: string): Statement {
  return db
    .insert(memberCounts)
    .select(
      sql`select ${organizationId}, count(*) filter (where status = 'active'),
        count(*) filter (where status = 'suspended'), count(seat_id)
        from seatgate_memberships where organization_id = ${organizationId}`
    )
    .onConflictDoUpdate({
      target: memberCounts.organizationId,
      set: {
        active: sql`excluded.active`,
        suspended: sql`excluded.suspended`,
        seats: sql`excluded.seats`,
      },
    })
}

// A seat in use needs no fence: a late write cannot use it a second time.
function unfence({ db }: DatabaseContext, seatIds: readonly string[], now: Date): Statement {
  return db.delete(seatFences).where(
    and(
      inArray(seatFences.seatId, sql`(select value from json_each(${JSON.stringify(seatIds)}))`),
      sql`(exists (select 1 from seatgate_memberships where seat_id = seatgate_seat_fences.seat_id)
        or exists (select 1 from seatgate_invitations where seat_id = seatgate_seat_fences.seat_id and ${isPending(now)}))`
    )
  )
}

/** The repaired differences, and the seats afterwards. */
export interface SeatRebuild extends SeatUsage {
  readonly repaired: readonly SeatDifference[]
}

/** Why {@link rebuildSeats} refuses. */
export type RebuildSeatsRefusal = AccessRefusal | InputRefusal | StoreRefusal | 'seats_unavailable'

/**
 * Counts an organization's seats again from D1, for operators and the host itself: the counter of
 * members, and the ledger, which starts again under a new epoch. Claims in progress are repeated
 * automatically. No member is removed: with more members than seats the organization is over its limit.
 * Records `seat.drift_repaired` with the differences.
 *
 * Refusals: `AccessRefusal`, `InputRefusal`, `StoreRefusal`, `seats_unavailable` (the ledger does not
 * answer; it receives the counts within a minute).
 *
 * @example
 * ```ts
 * const operator = { userId, operator: true }
 * const rebuilt = await rebuildSeats(seatgate, { caller: operator, organization: 'acme' })
 * if (rebuilt.ok) console.log(rebuilt.value.repaired.length, rebuilt.value.overLimit)
 * ```
 */
export async function rebuildSeats(
  context: ChangeContext,
  scope: OrganizationScope,
  options: OperationOptions = {}
): Promise<Result<SeatRebuild, RebuildSeatsRefusal>> {
  const rebuilt = await perform<Queries, string | SeatRebuild, RebuildSeatsRefusal, never>(
    context,
    scope,
    {
      name: 'seat.rebuild',
      input: null,
      grows: false,
      refusals: [],
      queries: {},
      plan(found) {
        const organizationId = verifiable(found)
        return organizationId.ok ? ok(unchanged(organizationId.value)) : organizationId
      },
      finish: (organizationId) => rebuild(context, scope, organizationId as string),
    },
    options
  )
  return rebuilt as Result<SeatRebuild, RebuildSeatsRefusal>
}

async function rebuild(
  context: ChangeContext,
  scope: OrganizationScope,
  organizationId: string
): Promise<Result<SeatRebuild, RebuildSeatsRefusal>> {
  const examined = await examine(context, organizationId)
  if (!examined.ok) return examined
  const repaired = await repair(context, scope, examined.value, { renew: true })
  if (!repaired.ok) return repaired
  const read = await readUsage(context, organizationId)
  if (!read.ok) return read
  const { differences } = examined.value
  return ok({ ...read.value.usage, repaired: repaired.value ? differences : [] })
}
