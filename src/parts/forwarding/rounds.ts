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
 * Looks at the next trails in turn, and puts those into the outbox that somebody waits for although
 * nothing happens in them: a sink that is new or switched on again, or a log that is kept since today.
 * So many and no more at a time, in order of their organizations' ids, round and round.
 */
export function lookAround(seatgate: DatabaseContext & ConsumerContext & Pick<Runtime, 'now'>) {
  if (!isAwaited(seatgate)) return {}
  const { db, now } = seatgate
  // Every trail has its row there, of which there is one: `seatgate_audit_events` has one for each event.
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
      // Who would wait for a time that lies ahead, since the clock was set back, waits since now.
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
