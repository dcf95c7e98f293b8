import { sql } from 'drizzle-orm'
import { guard } from '../../database/commit.ts'
import type { Queries } from '../../database/batch.ts'
import { seatFences } from '../../database/schema/seats-tables.ts'
import { ok, type AccessRefusal, type CommitRefusal, type Result } from '../../base/result.ts'
import { guardLive } from '../../engine/access/access-guards.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import { organizationEvent } from '../../engine/audit/event.ts'
import type { ChangeContext } from '../../engine/changes/change-context.ts'
import { perform } from '../../engine/changes/operation.ts'
import { unchanged } from '../../engine/model/plan.ts'
import { limitView } from '../../engine/seats/limit.ts'
import type { SeatInspection } from '../../engine/seats/provider.ts'
import { invitationHolder, poolOf, typeOfSeat } from '../../base/seat-types.ts'
import { verifiable } from './verify.ts'

/** The seats that {@link releaseSeat} has freed. */
export interface ReleasedSeats {
  readonly released: number
}

/** Why {@link releaseSeat} refuses. */
export type ReleaseSeatRefusal = AccessRefusal | CommitRefusal | 'seats_unavailable'

/**
 * Frees the seats of a former member, if the ledger still has them; for operators and the
 * host itself. A member's seat is never freed, and neither is one that is reserved at this moment. A second
 * call frees no seat. Removals free their seats themselves, so this is needed after changes by hand only.
 *
 * Refusals: `AccessRefusal`, `CommitRefusal`, `seats_unavailable`.
 *
 * @example
 * ```ts
 * await releaseSeat(seatgate, { caller: { type: 'system' }, organization: id }, userId)
 * ```
 */
export async function releaseSeat(
  context: ChangeContext,
  scope: OrganizationScope,
  userId: string
): Promise<Result<ReleasedSeats, ReleaseSeatRefusal>> {
  const allowed = await perform<Queries, string, AccessRefusal, never>(context, scope, {
    name: 'seat.release',
    input: userId,
    grows: false,
    refusals: [],
    queries: {},
    plan(found) {
      const organizationId = verifiable(found)
      return organizationId.ok ? ok(unchanged(organizationId.value)) : organizationId
    },
  })
  if (!allowed.ok) return allowed
  return release(context, { ...scope, organization: allowed.value }, allowed.value, userId)
}

// A seat that came with an invitation is still held by the invitation.
async function release(
  context: ChangeContext,
  scope: OrganizationScope,
  organizationId: string,
  userId: string
): Promise<Result<ReleasedSeats, ReleaseSeatRefusal>> {
  const { db, roles, seats, seatContext } = context
  const ledgers: SeatInspection[] = []
  for (const type of [null, ...roles.seatTypes.keys()]) {
    const inspected = await seats.inspect?.(seatContext, organizationId, type)
    if (inspected?.ok === false) return inspected
    if (inspected?.value) ledgers.push(inspected.value)
  }
  const held = ledgers.flatMap((ledger) =>
    ledger.seats.flatMap(({ seatId, holder, state }) =>
      state === 'held' && (holder === userId || holder === invitationHolder(seatId))
        ? [[seatId, holder]]
        : []
    )
  )
  if (held.length === 0) return ok({ released: 0 })
  const ledger = ledgers.find((each) => each.organizationId === organizationId)
  return perform<ReturnType<typeof gone>, ReleasedSeats, AccessRefusal, never>(context, scope, {
    name: 'seat.release',
    input: userId,
    grows: false,
    refusals: [],
    queries: gone(),
    plan(found, _caller, now) {
      const verified = verifiable(found)
      if (!verified.ok) return verified
      const seatIds = found.rows.gone.map(({ seatId }) => seatId)
      if (seatIds.length === 0) return ok(unchanged({ released: 0 }))
      const fences = seatIds.map((id) => [id, poolOf(organizationId, typeOfSeat(id))])
      const ofDefault = seatIds.filter((id) => typeOfSeat(id) === null).length
      const ids = sql`(select value from json_each(${JSON.stringify(seatIds)}))`
      return ok({
        value: { released: seatIds.length },
        statements: [
          guardLive(context, organizationId),
          guard(
            db,
            'stale',
            sql`not exists (select 1 from seatgate_memberships where seat_id in ${ids})`
          ),
          // Refuses a late write with the seat.
          db
            .insert(seatFences)
            .select(
              sql`select value ->> 0, value ->> 1, ${now.getTime()}
                from json_each(${JSON.stringify(fences)}) where true`
            )
            .onConflictDoNothing(),
        ],
        events: [
          organizationEvent(organizationId, 'seat.drift_repaired', {
            differences: { leaked_seat: seatIds.length },
            held: (ledger?.held ?? 0) - ofDefault,
            reserved: ledger?.reserved ?? 0,
            limit: limitView(ledger?.limit ?? seatContext.defaultLimit),
          }),
        ],
        freedSeats: seatIds.map((seatId) => ({ organizationId, seatId, userId })),
      })
    },
  })

  function gone() {
    return {
      gone: db
        .select({ seatId: sql<string>`value ->> 0`.as('seat_id') })
        .from(sql`json_each(${JSON.stringify(held)})`)
        .where(
          sql`not exists (select 1 from seatgate_memberships where seat_id = value ->> 0)
            and (value ->> 1 = ${userId} or exists (select 1 from seatgate_invitations
              where organization_id = ${organizationId} and seat_id = value ->> 0
              and accepted_by_id = ${userId}))`
        ),
    }
  }
}
