/**
 * Notices of an organization that comes close to its limit, reaches it, is above it, or whose grace ends:
 * one for each crossing, in the batch that crosses.
 *
 * @module
 */
import { sql, type SQL } from 'drizzle-orm'
import { changesSeats, organizationEvent, type EventDraft } from '../../engine/audit/event.ts'
import { recordEventsWhere, type EventContext } from '../../engine/audit/record-events.ts'
import { markWaiting } from '../../engine/audit/consumers.ts'
import { trailOf, type ChangeContext, type Follower } from '../../engine/changes/change-context.ts'
import type { Statement } from '../../database/database.ts'
import { entitlementStates } from '../../database/schema/billing-tables.ts'
import { jobs } from '../../database/schema/changes-tables.ts'
import { levelName, levelNoticed, levelNow } from '../../engine/seats/notice-level.ts'

/**
 * Creates the follower that writes notices. An organization below 80 % of its limit costs the reading of
 * its count and no written row. A level that an organization falls below may be noticed again; one that
 * an expiry has lowered is corrected with the next change.
 */
export function noticeFollower(mails: boolean): Follower {
  return (context, eventContext, events, dueIn) => {
    if (!context.seats.enforces) return []
    const { rising, falling } = touchedBy(events, dueIn)
    return [
      ...rising.flatMap((id) => notice(context, eventContext, id, mails)),
      // Events of seats mark their organizations themselves.
      ...dueIn.flatMap((id) => waiting(context, id, eventContext.now)),
      ...(falling.length > 0 ? [lower(context, falling, eventContext.now)] : []),
    ]
  }
}

// The founder's own seat is no crossing.
function touchedBy(events: readonly EventDraft[], dueIn: readonly string[]) {
  const [rising, falling, founded] = [new Set(dueIn), new Set<string>(), new Set<string>()]
  for (const { organizationId, action } of events) {
    if (action === 'organization.create') founded.add(organizationId)
    if (!changesSeats(action)) continue
    if (action === 'seat.released') falling.add(organizationId)
    else rising.add(organizationId)
  }
  return {
    rising: [...rising].filter((id) => !founded.has(id)),
    falling: [...falling].filter((id) => !rising.has(id)),
  }
}

function waiting(context: ChangeContext, organizationId: string, now: Date): readonly Statement[] {
  const { marked } = markWaiting(context, { organizationId, action: 'seat.limit_notice' }, now)
  return marked ? [marked] : []
}

function notice(
  context: ChangeContext,
  eventContext: EventContext,
  organizationId: string,
  mails: boolean
): readonly Statement[] {
  const { db, hooks, seatContext, newId } = context
  const { now } = eventContext
  const id = newId()
  const level = levelNow(seatContext, organizationId, now)
  const noticed = levelNoticed(organizationId)
  const graceEnd = sql`(select strftime('%Y-%m-%dT%H:%M:%fZ', over_grace_end / 1000.0, 'unixepoch')
    from seatgate_entitlement_states where organization_id = ${organizationId})`
  const { withSeatCount } = trailOf(context)
  const recording = {
    db,
    newId: () => id,
    withSeatCount: (metadata: Metadata, ofId: SQL<string> | string, at: Date) =>
      sql<Record<string, unknown>>`json_set(${withSeatCount(metadata, ofId, at)},
        '$.level', ${levelName(level)}, '$.grace_end', case when ${level} > 2 then ${graceEnd} end)`,
  }
  const job = (kind: string, payload: SQL) =>
    recordJob(context, { organizationId, eventId: id, kind, payload, now })
  const drafts = [organizationEvent(organizationId, 'seat.limit_notice')]
  const written = sql`exists (select 1 from ${lastEvent(organizationId)} where id = ${id})`
  return [
    ...recordEventsWhere(recording, eventContext, drafts, () => sql`${level} > ${noticed}`),
    mark(
      context,
      sql`(select ${organizationId} as id)`,
      level,
      // The level is computed again only where it can differ.
      sql`case when ${written} then 1 when ${noticed} = 0 then 0 else ${level} < ${noticed} end`
    ),
    ...(hooks.afterLimitNotice ? [job('afterLimitNotice', hookPayload(eventContext))] : []),
    ...(mails ? [job('send_limit_notice', sql`json_object(${TOLD})`)] : []),
  ]
}

// Events have no index by id. A notice that was just written is the last event of its organization.
function lastEvent(organizationId: string): SQL {
  return sql`(select * from seatgate_audit_events where organization_id = ${organizationId}
    order by sequence desc limit 1)`
}

type Metadata = SQL<Record<string, unknown>>

function lower(context: ChangeContext, organizationIds: readonly string[], now: Date): Statement {
  const id = sql<string>`ids.id`
  const level = levelNow(context.seatContext, id, now)
  const noticed = levelNoticed(id)
  return mark(
    context,
    sql`(select value as id from json_each(${JSON.stringify(organizationIds)})) as ids`,
    level,
    sql`case when ${noticed} = 0 then 0 else ${level} < ${noticed} end`
  )
}

function mark({ db }: ChangeContext, ids: SQL, level: SQL<number>, condition: SQL): Statement {
  return db
    .insert(entitlementStates)
    .select(
      sql`select id, 1, null, null, null, ${levelName(level)}, null from ${ids} where ${condition}`
    )
    .onConflictDoUpdate({
      target: entitlementStates.organizationId,
      set: { notice: sql`excluded.notice` },
    })
}

const TOLD = sql`'eventId', id, 'organizationId', organization_id,
  'level', metadata ->> '$.level', 'held', metadata -> '$.held', 'reserved', metadata -> '$.reserved',
  'limit', metadata -> '$.limit', 'graceEnd', metadata ->> '$.grace_end'`

function hookPayload({ actor }: EventContext): SQL {
  return sql`json_object(${TOLD}, 'actor', json(${JSON.stringify(actor)}))`
}

interface NoticeJob {
  readonly organizationId: string
  readonly eventId: string
  readonly kind: string
  readonly payload: SQL
  readonly now: Date
}

// It is due with the next sweep: a change that crosses no level waits for no job.
function recordJob({ db, newId }: ChangeContext, job: NoticeJob): Statement {
  const { organizationId, eventId, kind, payload, now } = job
  const at = now.getTime()
  return db.insert(jobs).select(
    sql`select ${newId()}, organization_id, ${kind}, ${payload}, 0, ${at}, null, ${at}
        from ${lastEvent(organizationId)} where id = ${eventId}`
  )
}
