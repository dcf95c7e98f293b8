import { inArray, sql } from 'drizzle-orm'
import type { Statement, DatabaseContext } from '../../database/database.ts'
import { seatFences, seatLedgers } from '../../database/schema.ts'

const FENCES_PER_SWEEP = 1000
const KEPT_MS = 24 * 60 * 60 * 1000

/**
 * Builds the statements that delete fences of seats that were given up a day ago. The same batch raises
 * the organization's `fencedThrough`: from then on a write is refused if its seat was granted up to that
 * instant, no matter how late it is. A seat is granted before it is fenced, so every write that the
 * deleted fence would have refused is still refused.
 */
export function purgeFences(
  { db }: DatabaseContext,
  now: Date,
  keptMs = KEPT_MS
): readonly Statement[] {
  const through = now.getTime() - keptMs
  // Without a ledger's row there is no place to store the instant: the fence stays.
  const settled = sql`from seatgate_seat_fences where fenced_at <= ${through}
    and exists (select 1 from seatgate_seat_ledgers
      where seatgate_seat_ledgers.organization_id = seatgate_seat_fences.organization_id)
    order by fenced_at, seat_id limit ${FENCES_PER_SWEEP}`
  return [
    db
      .update(seatLedgers)
      .set({ fencedThrough: new Date(through) })
      .where(
        sql`organization_id in (select organization_id from (select organization_id ${settled}))
          and fenced_through < ${through}`
      ),
    db
      .delete(seatFences)
      .where(inArray(seatFences.seatId, sql`(select seat_id from (select seat_id ${settled}))`)),
  ]
}
