/**
 * Repairs the differences that {@link examine} has found: D1 in one batch with its event, then the
 * ledger, which starts again. If the process ends in between, the event reaches the ledger later.
 *
 * @module
 */
import { and, inArray, sql } from 'drizzle-orm'
import { organizationEvent } from '../../engine/audit/event.ts'
import { guard } from '../../database/commit.ts'
import type { Statement, DatabaseContext } from '../../database/database.ts'
import { seatFences } from '../../database/schema.ts'
import { guardLive } from '../../engine/access/access-guards.ts'
import { recount, reseat } from '../../engine/model/membership-repair.ts'
import type { ChangeContext } from '../../engine/changes/change-context.ts'
import { perform } from '../../engine/changes/operation.ts'
import { unchanged } from '../../engine/model/plan.ts'
import type { AccessRefusal, InputRefusal, StoreRefusal } from '../../base/refusal.ts'
import { ok, type Result } from '../../base/result.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import type { SeatDifference } from './differences.ts'
import type { Examination } from './examine.ts'
import { limitView } from '../../engine/seats/limit.ts'
import { isPending } from '../../engine/seats/counts.ts'
import { storedCount, verifiable } from './verify.ts'

// The next sweep finds the rest.
const RESEATED_AT_ONCE = 1000

/**
 * Repairs the differences, unless another run has done so, and returns whether it did. Starts the ledger
 * again from D1 if needed, or with `renew` always.
 */
export async function repair(
  seatgate: ChangeContext,
  scope: OrganizationScope,
  examination: Examination,
  { renew }: { readonly renew: boolean }
): Promise<Result<boolean, AccessRefusal | InputRefusal | StoreRefusal | 'seats_unavailable'>> {
  const { db, seats, seatContext, measure } = seatgate
  const { organizationId, overview, ledger, differences } = examination
  const epoch = ledger && (renew || differences.some(concernsLedger)) ? ledger.epoch : null
  const meanwhile = sql`exists (select 1 from seatgate_audit_events
    where organization_id = ${organizationId} and sequence > ${overview.head}
    and action = 'seat.drift_repaired')`
  const repaired = await perform(
    seatgate,
    { ...scope, organization: organizationId },
    {
      name: 'seat.drift_repair',
      input: null,
      grows: false,
      refusals: [],
      queries: {
        meanwhile: db.select({ one: sql`1`.as('one') }).from(sql`(select 1) where ${meanwhile}`),
      },
      plan(found, _caller, now) {
        const allowed = verifiable(found)
        if (!allowed.ok) return allowed
        if (found.rows.meanwhile.length > 0) return ok(unchanged(false))
        const seatless = overview.seatless.slice(0, RESEATED_AT_ONCE)
        const reseated = reseat(seatgate, organizationId, seatless)
        const { limit, held, reserved } = storedCount(seatgate, overview)
        return ok({
          value: true,
          statements: [
            guardLive(seatgate, organizationId),
            guard(db, 'stale', sql`not ${meanwhile}`),
            ...reseated.statements,
            recount(seatgate, organizationId),
            unfence(seatgate, overview.fenced, now),
          ],
          events: [
            ...reseated.events,
            organizationEvent(organizationId, 'seat.drift_repaired', {
              differences: tally(differences),
              held: held + seatless.length,
              reserved,
              limit: limitView(limit),
              ...(epoch !== null && { ledger_epoch: epoch }),
            }),
          ],
        })
      },
    }
  )
  if (!repaired.ok || !repaired.value) return repaired
  for (const [kind, count] of Object.entries(tally(differences))) {
    measure({ name: 'seat.drift_repaired', kind, count })
  }
  if (epoch === null) return repaired
  const renewed = await seats.renew?.(seatContext, organizationId, epoch)
  return renewed?.ok === false ? renewed : repaired
}

function concernsLedger({ kind }: SeatDifference): boolean {
  return kind !== 'member_count' && kind !== 'fenced_seat'
}

function tally(differences: readonly SeatDifference[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const { kind } of differences) counts[kind] = (counts[kind] ?? 0) + 1
  return counts
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
