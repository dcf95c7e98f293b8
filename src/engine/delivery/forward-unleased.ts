/**
 * Forwards events without a lease, to a sink that may receive an event again after later ones. Runs may
 * overlap, so the cursor moves forward only.
 *
 * @module
 */
import { lt, lte, sql } from 'drizzle-orm'
import { batch } from '../../database/batch.ts'
import type { Database } from '../../database/database.ts'
import { sinkCursors } from '../../database/schema/forwarding-tables.ts'
import { budgeted } from '../../database/statement-budget.ts'
import { awaiting, clearOutbox, type Invocation } from '../audit/consumers.ts'
import { isDue, onRoute, type Route } from './attempt.ts'
import { eventsAfter, EVENTS_PER_READ, NO_END, troubleOf, type Progress } from './cursor.ts'
import { RUN_SECONDS } from './deliver.ts'
import { deliverPage } from './deliver-page.ts'
import type { Sink } from './sink.ts'
import type { TendContext } from './tend-trail.ts'

/** How many statements a run sends at most, without the pages after the first. */
export const STATEMENTS_UNLEASED = 4

const PAGES_PER_RUN = 10
const STATEMENTS_FOR_A_PAGE = 3

/**
 * Forwards new events of an organization to an internal sink, for some seconds at most. Returns after how
 * many seconds to call again (0: there is more), or null if there is no more to do now.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 */
export async function forwardUnleased(
  unbudgeted: TendContext,
  sink: Sink,
  organizationId: string,
  invocation: Invocation
): Promise<number | null> {
  const context = budgeted(unbudgeted)
  const { db, now, budget } = context
  const ends = now().getTime() + RUN_SECONDS * 1000
  const mayStart = () => now().getTime() < ends && invocation.mayDeliver()
  const route = { organizationId, sinkId: sink.id }

  const found = await readOn(db, route, now())
  const { sequence, failing } = found
  let { events } = found
  let run = await deliverPage(context, sink, mayStart, sequence, events, failing)
  const mayGoOn = () => run.finished && budget.left() >= STATEMENTS_FOR_A_PAGE
  for (let pages = 1; isFull(events) && pages < PAGES_PER_RUN && mayGoOn(); pages++) {
    const after = run.sequence
    const next = await batch(db, { events: eventsAfter(db, organizationId, sql`${after}`) })
    events = next.events
    run = await deliverPage(context, sink, mayStart, after, events, { attempts: 0, since: null })
  }
  await batch(db, {
    ...((run.sequence > sequence || run.retry) && { moved: moveForward(db, route, run) }),
    finished: clearOutbox(db, organizationId, awaiting(context)),
  })
  if (run.retry) return run.seconds
  return !run.finished || isFull(events) ? 0 : null
}

const isFull = ({ length }: readonly unknown[]) => length === EVENTS_PER_READ

/** Reads the cursor and, if the sink is due, the events after it. */
async function readOn(db: Database, route: Route, now: Date) {
  const after = sql`coalesce((select iif(${isDue(now)}, sequence, ${NO_END}) from seatgate_sink_cursors
    where organization_id = ${route.organizationId} and sink_id = ${route.sinkId}), 0)`
  const { cursor, events } = await batch(db, {
    cursor: db.select().from(sinkCursors).where(onRoute(route)),
    events: eventsAfter(db, route.organizationId, after),
  })
  const { sequence = 0, attempts = 0, failingSince = null } = cursor[0] ?? {}
  return { sequence, failing: { attempts, since: failingSince }, events }
}

// A run that failed changes the fields of the retry only where it stands, not those of one that came further.
// An earlier version of the code may hold the lease, and must not move the cursor back.
function moveForward(db: Database, { organizationId, sinkId }: Route, progress: Progress) {
  const { sequence, retry } = progress
  const { attempts, nextAttemptAt, lastError, failingSince } = troubleOf(retry)
  return db
    .insert(sinkCursors)
    .select(
      sql`select ${organizationId}, ${sinkId}, ${sequence}, ${attempts}, ${nextAttemptAt.getTime()},
        ${lastError}, null, 0, ${failingSince?.getTime() ?? null}, null
        where exists (select 1 from seatgate_audit_events where organization_id = ${organizationId})`
    )
    .onConflictDoUpdate({
      target: [sinkCursors.organizationId, sinkCursors.sinkId],
      set: { sequence, ...troubleOf(retry), leaseToken: null, leasedUntil: new Date(0) },
      setWhere: (retry ? lte : lt)(sinkCursors.sequence, sequence),
    })
}
