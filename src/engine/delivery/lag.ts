import { sql } from 'drizzle-orm'
import type { Runtime } from '../../base/runtime.ts'
import { batch } from '../../database/batch.ts'
import type { DatabaseContext } from '../../database/database.ts'
import { observerOf } from '../access/observed.ts'
import { waitingTrails } from './waiting-trails.ts'
import type { ConsumerContext } from '../audit/consumers.ts'

// A number of rows that does not grow with the backlog.
const ORGANIZATIONS = 100

/** How far a consumer is behind. */
export interface Lag {
  readonly id: string
  /** When the oldest event that it has not read was written (ms since 1970); null if it has read all. */
  readonly oldest: number | null
}

/**
 * Selects the lag of every consumer, among the hundred organizations that the sweep serves next. Reads three
 * rows at most for each organization and consumer.
 */
export function lagOf({ db, consumers }: DatabaseContext & ConsumerContext) {
  const asked = JSON.stringify(consumers.map(({ id, progress }) => ({ id, progress })))
  const reached = sql`coalesce(case asked.value ->> 'progress'
    when 'cursor' then (select sequence from seatgate_sink_cursors
      where organization_id = waiting.organization_id and sink_id = asked.value ->> 'id')
    when 'sealed' then (select max(size) from seatgate_audit_checkpoints
      where organization_id = waiting.organization_id)
    else (select size from seatgate_audit_published
      where organization_id = waiting.organization_id) end, 0)`
  const oldest = sql`(select inserted_at from seatgate_audit_events
    where organization_id = waiting.organization_id and sequence > ${reached}
    order by sequence limit 1)`
  return db
    .select({
      id: sql<string>`asked.value ->> 'id'`.as('id'),
      oldest: sql<number | null>`(select min(${oldest})
        from ${waitingTrails(ORGANIZATIONS)} as waiting)`.as('oldest'),
    })
    .from(sql`json_each(${asked}) as asked`)
}

/** Returns how many seconds ago an instant was; 0 without an instant. */
export function secondsSince(now: Date, instant: number | null): number {
  return instant === null ? 0 : Math.max(0, Math.floor((now.getTime() - instant) / 1000))
}

/**
 * Sends the lag of every consumer as a metric, if the host measures.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 */
export async function measureLag(
  context: DatabaseContext & ConsumerContext & Pick<Runtime, 'measure' | 'now'>
): Promise<void> {
  const { db, measure, now } = context
  if (!observerOf(context) || context.consumers.length === 0) return
  const { lags } = await batch(db, { lags: lagOf(context) })
  for (const { id, oldest } of lags) {
    measure({ name: 'audit.lag', consumer: id, seconds: secondsSince(now(), oldest) })
  }
}
