/**
 * How many invitations go out: counted in the batch that makes one, so that no concurrency passes a
 * limit, and so that one that is not made does not count.
 *
 * @module
 */
import { inArray, lte, sql, type SQL } from 'drizzle-orm'
import { guard } from '../database/commit.ts'
import type { Database, Statement } from '../database/database.ts'
import { areFew, insertMany } from '../database/insert-rows.ts'
import { rateLimits } from '../database/schema.ts'
import { organizationIdOf } from '../organizations/reference.ts'
import type { RateRefusalCode } from '../refusal.ts'
import {
  isSystem,
  operationActor,
  type Caller,
  type OrganizationScope,
  type Principal,
} from '../scope.ts'
import type { Seatgate } from '../seatgate.ts'
import type { InvitationLimits } from './rules.ts'

type RateCode = Exclude<RateRefusalCode, 'rate_limited'>

interface RateRefusal {
  readonly code: RateCode
  readonly retryAfterSeconds: number
}

/** What has been counted under a name. */
export type RateRow = typeof rateLimits.$inferSelect

/** A limit, and under which name it is counted. */
export interface Rate {
  readonly code: RateCode
  readonly key: string
  readonly limit: number
}

const WINDOW_MS = 24 * 60 * 60 * 1000

/** Who counts: whoever invites, the organization, and the address. */
export interface Counted {
  readonly caller: Principal
  readonly organizationId: string
  readonly email: string
}

/** The limits that there are, in the order in which they are looked at. The host itself has none. */
export function ratesOf(limits: InvitationLimits, counted: Counted): readonly Rate[] {
  const { caller, organizationId, email } = counted
  const rates: readonly Rate[] = [
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
    { code: 'rate_limited_recipient', key: `recipient:${email}`, limit: limits.perRecipient },
  ]
  return rates.filter(({ limit }) => limit !== Infinity)
}

/** Selects what has been counted of a caller, an organization and recipients (a subquery of `value`). */
export function countedSoFar(
  db: Database,
  caller: Caller,
  organizationId: SQL<string | null>,
  emails: SQL | string
) {
  const recipients =
    typeof emails === 'string'
      ? sql`select value from json_each(${JSON.stringify([emails])})`
      : emails
  return db
    .select()
    .from(rateLimits)
    .where(
      sql`${rateLimits.key} in (${operationActor(caller)}, 'organization:' || ${organizationId})
        or ${rateLimits.key} in (select 'recipient:' || value from (${recipients}))`
    )
}

/** The address of an invitation in the scope's organization, as a subquery of `value`. */
export function recipientOf({ organization }: OrganizationScope, id: string): SQL {
  return sql`select email as value from invitations
    where id = ${id} and organization_id = ${organizationIdOf(organization)}`
}

/** The first limit that is reached already, with `more` on their way, or null. */
export function reached(
  rates: readonly Rate[],
  rows: readonly RateRow[],
  now: Date,
  more = 0
): RateRefusal | null {
  for (const { code, key, limit } of rates) {
    const row = rows.find((counted) => counted.key === key)
    if (isReached(limit, row, now, more)) return { code, retryAfterSeconds: secondsLeft(row, now) }
  }
  return null
}

/** How long the window of what was counted is open yet: a whole one if nothing was counted. */
export function secondsLeft(row: RateRow | undefined, now: Date): number {
  const open = row !== undefined && row.endsAt > now
  return open ? Math.ceil((row.endsAt.getTime() - now.getTime()) / 1000) : WINDOW_MS / 1000
}

/** Whether a limit is reached by what was counted in the window that is open, with `more` to come. */
export function isReached(limit: number, row: RateRow | undefined, now: Date, more = 0): boolean {
  return limit <= (row && row.endsAt > now ? row.count : 0) + more
}

/** Builds the statements that count so many more, and abort the batch if that is too many. */
export function countMore(
  { db }: Seatgate,
  rates: readonly Rate[],
  more: number,
  now: Date
): Statement[] {
  return rates.flatMap(({ code, key, limit }) => [
    countUp(db, key, more, now),
    guard(
      db,
      code,
      sql`(select count from rate_limits where key = ${key}) <= ${limit}`,
      sql`(select cast(max(1, (ends_at - ${now.getTime()} + 999) / 1000) as integer)
        from rate_limits where key = ${key})`
    ),
  ])
}

/** Builds the statements that count one more of each of some rates with a limit in common. */
export function countOnceEach(
  seatgate: Seatgate,
  rates: readonly Rate[],
  now: Date
): readonly Statement[] {
  const [first] = rates
  if (first === undefined || areFew(rates)) return countMore(seatgate, rates, 1, now)
  const { db } = seatgate
  const { code, limit } = first
  const endsAt = new Date(now.getTime() + WINDOW_MS)
  const rows = rates.map(({ key }) => ({ key, count: 1, endsAt }))
  const keys = sql`(select value from json_each(${JSON.stringify(rates.map(({ key }) => key))}))`
  return [
    ...insertMany(db, rateLimits, rows).map((insertion) =>
      insertion.onConflictDoUpdate(inWindow(1, now))
    ),
    guard(
      db,
      code,
      sql`not exists (select 1 from rate_limits where key in ${keys} and count > ${limit})`
    ),
  ]
}

/** Builds the statement that counts so many more, in the open window or in a new one. */
export function countUp(db: Database, key: SQL | string, more: number, now: Date) {
  const endsAt = new Date(now.getTime() + WINDOW_MS)
  return db
    .insert(rateLimits)
    .values({ key, count: more, endsAt })
    .onConflictDoUpdate(inWindow(more, now))
}

function inWindow(more: number, now: Date) {
  const endsAt = new Date(now.getTime() + WINDOW_MS)
  const isOver = sql`${rateLimits.endsAt} <= ${now.getTime()}`
  return {
    target: rateLimits.key,
    set: {
      count: sql`case when ${isOver} then ${more} else ${rateLimits.count} + ${more} end`,
      endsAt: sql`case when ${isOver} then ${endsAt.getTime()} else ${rateLimits.endsAt} end`,
    },
  }
}

const WINDOWS_PER_SWEEP = 1000

/** Builds the statement that deletes windows that are over, the oldest first. */
export function purgeRates({ db }: Seatgate, now: Date): Statement {
  const over = db
    .select({ key: rateLimits.key })
    .from(rateLimits)
    .where(lte(rateLimits.endsAt, now))
    .orderBy(rateLimits.endsAt)
    .limit(WINDOWS_PER_SWEEP)
  return db.delete(rateLimits).where(inArray(rateLimits.key, over))
}
