import { sql } from 'drizzle-orm'
import { auditOutbox, rotations } from '../../database/schema.ts'
import {
  awaiting,
  isAwaited,
  isSettled,
  type ConsumerContext,
} from '../../engine/audit/consumers.ts'
import type { DatabaseContext } from '../../database/database.ts'
import type { Runtime } from '../../base/runtime.ts'

const TRAILS_PER_SWEEP = 100
const NAME = 'trails'

/**
 * Checks the next trails in turn, and puts those into the outbox that a consumer waits for although no
 * change happens in them: a sink that is new or switched on again, or a log that was configured later.
 * Takes a limited number at a time, in the order of the organizations' ids, and starts again at the end.
 */
export function lookAround(seatgate: DatabaseContext & ConsumerContext & Pick<Runtime, 'now'>) {
  if (!isAwaited(seatgate)) return {}
  const { db, now } = seatgate
  // Every trail has one row in that table; `seatgate_audit_events` has one per event.
  const next = sql`(select organization_id from seatgate_audit_retention
    where organization_id > coalesce((select place from seatgate_rotations where name = ${NAME}), '')
    order by organization_id limit ${TRAILS_PER_SWEEP})`
  const unsettled = sql`not ${isSettled(sql`next.organization_id`, awaiting(seatgate))}`
  return {
    found: db
      .insert(auditOutbox)
      .select(
        sql`select organization_id, ${now().getTime()} from ${next} as next where ${unsettled}`
      )
      // If the clock was set back, a time ahead would sort the organization last: it waits since now.
      .onConflictDoUpdate({
        target: auditOutbox.organizationId,
        set: { sweptAt: sql`excluded.swept_at` },
        setWhere: sql`${auditOutbox.sweptAt} > excluded.swept_at`,
      }),
    moved: db
      .insert(rotations)
      .select(
        sql`select ${NAME}, iif(count(*) = ${TRAILS_PER_SWEEP}, max(organization_id), '')
          from ${next} where true`
      )
      .onConflictDoUpdate({ target: rotations.name, set: { place: sql`excluded.place` } }),
  }
}
