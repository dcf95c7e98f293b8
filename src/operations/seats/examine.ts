import type { DatabaseContext } from '../../database/database.ts'
import { ok, refused, type Result } from '../../base/result.ts'
import type { Runtime } from '../../base/runtime.ts'
import { readCarriedSeats } from '../../engine/seats/assigned-seats.ts'
import {
  differencesBetween,
  differencesWithin,
  nothingUnheard,
  type SeatDifference,
} from './differences.ts'
import type { SeatInspection, ProviderContext } from '../../engine/seats/provider.ts'
import { readExpected, readOverview, type Overview } from './stored-state.ts'

/** The seats of an organization in D1 and in a ledger, with the differences. */
export interface Examination {
  readonly organizationId: string
  readonly overview: Overview
  /** Null if there is no ledger, or it was not started and will start from D1. */
  readonly ledger: SeatInspection | null
  readonly differences: readonly SeatDifference[]
}

const ATTEMPTS = 3

/**
 * Compares both sides without changing them. Reads D1, then the ledger, then D1 again for the suspicious
 * seats: a seat that is in D1 before and after must be in the ledger, and a seat that is only in the
 * ledger must be about to be settled, or have a recorded release that the ledger has not received yet.
 *
 * Refusals: `seats_unavailable` if the ledger does not answer, `operation_in_progress` if it starts
 * anew again and again.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 */
export async function examine(
  seatgate: DatabaseContext & ProviderContext & Pick<Runtime, 'now'>,
  organizationId: string
): Promise<Result<Examination, 'seats_unavailable' | 'operation_in_progress'>> {
  const { db, seats, seatContext, now } = seatgate
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const overview = await readOverview(db, organizationId, now())
    const within = differencesWithin(overview)
    const settled = { organizationId, overview, ledger: null, differences: within }
    if (!seats.inspect) return ok(settled)
    const before = {
      ...overview,
      organizationId,
      seats: await readCarriedSeats(db, organizationId, now()),
      unheard: nothingUnheard,
      now: now(),
    }
    const inspected = await seats.inspect(seatContext, organizationId)
    if (!inspected.ok) return inspected
    const ledger = inspected.value
    if (ledger === null) return ok(settled)
    const suspected = differencesBetween(before, ledger)
    if (suspected.length === 0) return ok({ ...settled, ledger })
    const suspects = new Set(suspected.flatMap(({ id }) => (id === null ? [] : [id])))
    const after = await readExpected(db, organizationId, [...suspects], overview, now())
    // The ledger was started again in between, so its earlier content means nothing.
    if (after.epoch !== overview.epoch) continue
    const between = differencesBetween(after, ledger, suspects)
    return ok({ ...settled, ledger, differences: [...within, ...between] })
  }
  return refused({ code: 'operation_in_progress' })
}
