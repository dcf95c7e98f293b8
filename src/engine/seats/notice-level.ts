/**
 * How close an organization is to its limit, as SQL at a place in a batch.
 *
 * @module
 */
import { sql, type SQL } from 'drizzle-orm'
import { limitNow, seatsUsed } from './counts.ts'
import type { SeatLimitView } from './limit.ts'
import type { SeatContext } from './provider.ts'

/**
 * The levels of notices, in ascending order: `near` from 80 % of the limit, `full` at the limit, `over`
 * above it, and `grace_ending` in the last days of the grace.
 */
export const NOTICE_LEVELS = ['none', 'near', 'full', 'over', 'grace_ending'] as const

/** A level that has a notice. */
export type NoticeLevel = Exclude<(typeof NOTICE_LEVELS)[number], 'none'>

const DAY_MS = 24 * 60 * 60 * 1000
const BEFORE_END_MS = 3 * DAY_MS

/** The content of a notice. */
export interface LimitNotice {
  /** The id of its event: the same for every attempt. */
  readonly eventId: string
  readonly organizationId: string
  readonly level: NoticeLevel
  readonly held: number
  readonly reserved: number
  readonly limit: SeatLimitView
  /** When the excess is suspended, ISO 8601 UTC; null if it is not. */
  readonly graceEnd: string | null
}

/**
 * Returns when the end of a grace is noticed: three days before it, or at its half if it is shorter than
 * six days.
 */
export function graceNoticeAt(since: Date, end: Date): Date {
  const length = end.getTime() - since.getTime()
  return new Date(end.getTime() - Math.min(BEFORE_END_MS, Math.floor(length / 2)))
}

/** Builds the place of the level that an organization has now in {@link NOTICE_LEVELS}. */
export function levelNow(
  context: SeatContext,
  organizationId: SQL<string> | string,
  now: Date
): SQL<number> {
  const id = sql<string>`${organizationId}`
  const state = (column: string) => sql`(select ${sql.raw(column)} from seatgate_entitlement_states
    where organization_id = ${id})`
  return sql<number>`(select case when typeof(seats) <> 'integer' then 0
    when used > seats then case when ends - min(${BEFORE_END_MS}, (ends - since) / 2) <= ${now.getTime()}
      then 4 else 3 end
    when used = seats then 2 when used * 5 >= seats * 4 then 1 else 0 end
    from (select ${seatsUsed(id, now)} as used, ${limitNow(context, id)} as seats,
      ${state('over_since')} as since, ${state('over_grace_end')} as ends))`
}

/** Builds the place of the level that was last noticed. */
export function levelNoticed(organizationId: SQL<string> | string): SQL<number> {
  return sql<number>`coalesce((select case notice when 'near' then 1 when 'full' then 2
    when 'over' then 3 when 'grace_ending' then 4 else 0 end from seatgate_entitlement_states
    where organization_id = ${organizationId}), 0)`
}

/** Builds the name of a level from its place. */
export function levelName(place: SQL<number>): SQL<string> {
  return sql<string>`json_extract(${JSON.stringify(NOTICE_LEVELS)}, '$[' || ${place} || ']')`
}
