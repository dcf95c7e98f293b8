/**
 * The limit of switches to another organization: a user can switch at will, and each switch writes an
 * event into a trail.
 *
 * @module
 */
import { eq, sql, type SQL } from 'drizzle-orm'
import type { Database, Statement, DatabaseContext } from '../../database/database.ts'
import { guard } from '../../database/commit.ts'
import { rateLimits } from '../../database/schema.ts'
import type { RateRow } from '../../engine/model/rate-limits.ts'

const RECORDED_AN_HOUR = 60
const HOUR_MS = 60 * 60 * 1000
// For so long the next event may still record how many were left out.
const KEPT_MS = 31 * 24 * HOUR_MS

/** Selects the counter of a user. */
export function switchesOf(db: Database, userId: SQL<string | null> | string | null) {
  return db
    .select()
    .from(rateLimits)
    .where(eq(rateLimits.key, sql`'switch:' || ${userId}`))
}

/** Whether a switch is recorded, how many earlier ones were not, and the statement that counts it. */
export interface CountedSwitch {
  readonly recorded: boolean
  readonly leftOut: number
  /** Guards that no other switch of the same user was counted in between. */
  readonly guard: Statement
  readonly count: Statement
}

/**
 * Counts a switch: the first 60 of an hour are recorded, and the first of a later hour records how many
 * were left out.
 */
export function countSwitch(
  { db }: DatabaseContext,
  userId: string,
  [counted]: readonly RateRow[],
  now: Date
): CountedSwitch {
  const key = `switch:${userId}`
  const isOpen =
    counted !== undefined && now.getTime() < counted.endsAt.getTime() - KEPT_MS + HOUR_MS
  const before = counted?.count ?? 0
  const count = isOpen ? before + 1 : 1
  const endsAt = isOpen ? counted.endsAt : new Date(now.getTime() + KEPT_MS)
  const unchanged = sql`coalesce((select count from seatgate_rate_limits where key = ${key}), 0) = ${before}`
  return {
    recorded: count <= RECORDED_AN_HOUR,
    leftOut: isOpen ? 0 : Math.max(0, before - RECORDED_AN_HOUR),
    guard: guard(db, 'stale', unchanged),
    count: db
      .insert(rateLimits)
      .values({ key, count, endsAt })
      .onConflictDoUpdate({ target: rateLimits.key, set: { count, endsAt } }),
  }
}
