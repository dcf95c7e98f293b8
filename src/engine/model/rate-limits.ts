/**
 * Rate limits of invitations: counted in the batch that creates one, so that concurrent requests cannot
 * exceed a limit, and failed ones do not count.
 *
 * @module
 */
import { lte, sql, type SQL } from 'drizzle-orm'
import { guard } from '../../database/commit.ts'
import { rowsWhere } from '../../database/kept-query.ts'
import { purgeInTurn } from '../../database/purge-in-turn.ts'
import type { Database, Statement, DatabaseContext } from '../../database/database.ts'
import { rateLimits } from '../../database/schema/changes-tables.ts'
import type { RateRefusalCode } from '../../base/result.ts'
import { isSystem, operationActor, type Caller, type Principal } from '../access/principal.ts'

/** The limits of invitations, mails and wrong tokens in 24 hours; `Infinity` for no limit. */
export interface InvitationLimits {
  readonly perUser: number
  readonly perOrganization: number
  /** How many an organization may create by lists, counted separately. */
  readonly inBulk: number
  /** How many mails are sent to one address. Further ones wait. */
  readonly perRecipient: number
  /** How often a user may present a wrong token, and a token may be used with a wrong address. */
  readonly failedAccepts: number
}

type RateCode = Exclude<RateRefusalCode, 'rate_limited'>

interface RateRefusal<Code extends RateCode> {
  readonly code: Code
  readonly retryAfterSeconds: number
}

/** The row of a counter. */
export type RateRow = typeof rateLimits.$inferSelect

/** A limit, and the name that it is counted under. */
export interface Rate<Code extends RateCode = RateCode> {
  readonly code: Code
  readonly key: string
  readonly limit: number
}

/** The length of a window, from its first count. */
export const WINDOW_MS = 24 * 60 * 60 * 1000

/** The names of the counters: the inviter and the organization. */
export interface Counted {
  readonly caller: Principal
  readonly organizationId: string
}

/** Returns the limits of single invitations, in the order of their checks. The host itself has no limits. */
export function ratesOf(
  limits: InvitationLimits,
  { caller, organizationId }: Counted
): readonly Rate[] {
  return finite([
    {
      code: 'rate_limited_user',
      key: operationActor(caller),
      limit: isSystem(caller) ? Infinity : limits.perUser,
    },
    {
      code: 'rate_limited_organization',
      key: `organization:${organizationId}`,
      limit: limits.perOrganization,
    },
  ])
}

/** Returns the limit of invitations by lists, which are counted separately. */
export function bulkRatesOf(limits: InvitationLimits, organizationId: string): readonly Rate[] {
  return finite([
    { code: 'rate_limited_organization', key: `bulk:${organizationId}`, limit: limits.inBulk },
  ])
}

function finite(rates: readonly Rate[]): readonly Rate[] {
  return rates.filter(({ limit }) => limit !== Infinity)
}

/** Selects the counters of a caller and an organization. */
export function countedSoFar(db: Database, caller: Caller, organizationId: SQL<string | null>) {
  return rowsWhere(
    db,
    rateLimits,
    sql`${rateLimits.key} in (${operationActor(caller)},
        'organization:' || ${organizationId}, 'bulk:' || ${organizationId})`
  )
}

/** Returns the first limit that `more` further ones would exceed, or null. */
export function reached<Code extends RateCode>(
  rates: readonly Rate<Code>[],
  rows: readonly RateRow[],
  now: Date,
  more = 0
): RateRefusal<Code> | null {
  for (const { code, key, limit } of rates) {
    const row = rows.find((counted) => counted.key === key)
    if (isReached(limit, row, now, more)) return { code, retryAfterSeconds: secondsLeft(row, now) }
  }
  return null
}

/** Returns how long the window of a counter stays open: a whole one without a counter. */
export function secondsLeft(row: RateRow | undefined, now: Date): number {
  const open = row !== undefined && row.endsAt > now
  return open ? Math.ceil((row.endsAt.getTime() - now.getTime()) / 1000) : WINDOW_MS / 1000
}

/** Whether `more` further ones would exceed a limit in the open window. */
export function isReached(limit: number, row: RateRow | undefined, now: Date, more = 0): boolean {
  return limit <= (row && row.endsAt > now ? row.count : 0) + more
}

/** Builds the statements that count, and abort the batch beyond the limit. */
export function countMore(
  { db }: DatabaseContext,
  rates: readonly Rate[],
  more: number,
  now: Date
): Statement[] {
  return [
    ...rates.map(({ key }) => countUp(db, key, more, now)),
    ...rates.map(({ code, key, limit }) =>
      guard(
        db,
        code,
        sql`(select count from seatgate_rate_limits where key = ${key}) <= ${limit}`,
        sql`(select cast(max(1, (ends_at - ${now.getTime()} + 999) / 1000) as integer)
        from seatgate_rate_limits where key = ${key})`
      )
    ),
  ]
}

/** Builds the statement that counts, in the open window or in a new one. */
export function countUp(
  db: Database,
  key: SQL | string,
  more: number,
  now: Date,
  windowMs = WINDOW_MS
) {
  const endsAt = new Date(now.getTime() + windowMs)
  const isOver = sql`${rateLimits.endsAt} <= ${now.getTime()}`
  return db
    .insert(rateLimits)
    .values({ key, count: more, endsAt })
    .onConflictDoUpdate({
      target: rateLimits.key,
      set: {
        count: sql`case when ${isOver} then ${more} else ${rateLimits.count} + ${more} end`,
        endsAt: sql`case when ${isOver} then ${endsAt.getTime()} else ${rateLimits.endsAt} end`,
      },
    })
}

/** Builds the statements that delete windows that are over. */
export function purgeRates({ db }: DatabaseContext, now: Date): readonly Statement[] {
  const isOver = lte(rateLimits.endsAt, now)
  return purgeInTurn(db, { table: rateLimits, key: [rateLimits.key], isOver }, now)
}
