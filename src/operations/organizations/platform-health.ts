import { sql, type SQL } from 'drizzle-orm'
import type { Runtime } from '../../base/runtime.ts'
import { ok, type InputRefusal, type Result } from '../../base/result.ts'
import { knownParameters } from '../../base/parameters.ts'
import type { NoParameters } from '../../base/page.ts'
import { batch } from '../../database/batch.ts'
import type { DatabaseContext } from '../../database/database.ts'
import { schemaVersion } from '../../database/schema/changes-tables.ts'
import { SCHEMA_VERSION } from '../../database/check-schema.ts'
import { platformOnly } from '../../engine/access/authorize.ts'
import { observed } from '../../engine/access/observed.ts'
import type { Scope } from '../../engine/access/principal.ts'
import type { ConsumerContext } from '../../engine/audit/consumers.ts'
import { lagOf, secondsSince, type Lag } from '../../engine/delivery/lag.ts'
import { lastSweepAt } from '../../engine/delivery/last-sweep.ts'
import {
  healthOf,
  type HealthNumbers,
  type HealthReason,
  type HealthStatus,
} from './health-reasons.ts'

/** The health of the platform: the numbers, and those that are a reason for an alarm. */
export interface PlatformHealth extends HealthNumbers {
  readonly status: HealthStatus
  readonly reasons: readonly HealthReason[]
  readonly checkedAt: string
  /** The version of the tables, and the version that this code needs. */
  readonly schema: { readonly found: number; readonly needed: number }
}

/** The context of {@link platformHealth}. */
export interface HealthContext extends DatabaseContext, ConsumerContext, Pick<Runtime, 'now'> {
  readonly billing: object | null
}

/** Why {@link platformHealth} refuses. */
export type PlatformHealthRefusal = 'unauthenticated' | 'insufficient_role' | InputRefusal

/**
 * Returns the numbers that an operator alarms on: how far sinks, ledgers and the log are behind, paused sinks
 * and dead letters, late jobs, failing mails, the inbox of billing, and the last run of the sweep. A part that
 * is not configured is null, or has no entry. Reads a limited number of rows in two round trips: counts end at
 * 100, and a lag is that of the hundred organizations that the sweep serves next. For operators and the host
 * itself.
 *
 * Refusals: `unauthenticated`, `insufficient_role`, `InputRefusal` (there are no parameters).
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const health = await platformHealth(seatgate, { caller: { type: 'system' } })
 * if (health.ok) for (const { code, action } of health.value.reasons) console.warn(code, action)
 * ```
 */
export function platformHealth(
  context: HealthContext,
  { caller }: Scope,
  input: NoParameters = {}
): Promise<Result<PlatformHealth, PlatformHealthRefusal>> {
  return observed(context, 'platform.health', async (context) => {
    const allowed = await platformOnly(context, caller)
    if (!allowed.ok) return allowed
    const known = knownParameters(input, [])
    if (!known.ok) return known
    const { db, billing } = context
    const now = context.now()
    const sinks = JSON.stringify(sinksOf(context))
    const read = await batch(db, {
      lags: lagOf(context),
      sinks: db.select(IN_SINK).from(sql`json_each(${sinks}) as sinks`),
      counts: db.select(countsAt(now)).from(sql`(select 1)`),
      billing: billing && db.select(billingAt(now)).from(sql`(select 1)`),
      schema: db.select().from(schemaVersion),
    })
    const numbers = numbersOf(context, read, now)
    return ok({
      ...healthOf(numbers),
      checkedAt: now.toISOString(),
      schema: { found: read.schema[0]?.version ?? 0, needed: SCHEMA_VERSION },
      ...numbers,
    })
  })
}

function sinksOf({ consumers }: ConsumerContext): readonly string[] {
  return consumers.filter(({ internal }) => !internal).map(({ id }) => id)
}

// A count that reads a hundred rows at most.
const upToHundred = (name: string, from: SQL) =>
  sql<number>`(select count(*) from (select 1 from ${from} limit 100))`.as(name)

const instant = (name: string, query: SQL) => sql<number | null>`(${query})`.as(name)

const IN_SINK = {
  id: sql<string>`sinks.value`.as('id'),
  paused: upToHundred(
    'paused',
    sql`seatgate_sink_cursors where sink_id = sinks.value and paused_reason is not null`
  ),
  deadLetters: upToHundred(
    'dead_letters',
    sql`seatgate_sink_dead_letters where sink_id = sinks.value and state = 'dead'`
  ),
}

// In turn, so that the first row of the index is the oldest.
const MAILS = ['send_invitation', 'send_limit_notice'].map(
  (kind) =>
    sql`seatgate_jobs where kind = ${kind} and last_error is not null and last_error <> 'Held'`
)
const eachMail = (columns: SQL) =>
  sql.join(
    MAILS.map((failing) => sql`select ${columns} from ${failing}`),
    sql` union all `
  )

function countsAt(now: Date) {
  const due = sql`seatgate_jobs where due_at <= ${now.getTime()}`
  return {
    jobs: upToHundred('jobs', due),
    job: instant('job', sql`select min(due_at) from ${due}`),
    mails: upToHundred('mails', sql`(${eachMail(sql`1`)})`),
    mail: instant('mail', sql`select min(at) from (${eachMail(sql`min(created_at) as at`)})`),
    swept: lastSweepAt().as('swept'),
  }
}

function billingAt(now: Date) {
  const due = (table: string) =>
    sql`${sql.raw(table)} where due_at is not null and due_at <= ${now.getTime()}`
  const inbox = due('seatgate_billing_inbox')
  const customers = due('seatgate_billing_customers')
  return {
    webhooks: upToHundred('webhooks', inbox),
    webhook: instant('webhook', sql`select min(due_at) from ${inbox}`),
    dead: upToHundred(
      'dead',
      sql`seatgate_billing_inbox where status = 'dead' and finished_at is not null`
    ),
    quantities: upToHundred('quantities', customers),
    quantity: instant('quantity', sql`select min(due_at) from ${customers}`),
  }
}

interface Read {
  readonly lags: readonly Lag[]
  readonly sinks: readonly Omit<HealthNumbers['sinks'][number], 'lagSeconds'>[]
  readonly counts: readonly {
    readonly jobs: number
    readonly job: number | null
    readonly mails: number
    readonly mail: number | null
    readonly swept: string | null
  }[]
  readonly billing: readonly {
    readonly webhooks: number
    readonly webhook: number | null
    readonly dead: number
    readonly quantities: number
    readonly quantity: number | null
  }[]
}

function numbersOf({ consumers }: ConsumerContext, read: Read, now: Date): HealthNumbers {
  const since = (at: number | null | undefined) => secondsSince(now, at ?? null)
  const lagSeconds = (id: string) => since(read.lags.find((lag) => lag.id === id)?.oldest)
  const own = (isIt: (consumer: ConsumerContext['consumers'][number]) => boolean) => {
    const consumer = consumers.find((each) => each.internal && isIt(each))
    return consumer ? { lagSeconds: lagSeconds(consumer.id) } : null
  }
  const [counts] = read.counts
  const [billing] = read.billing
  const ranAt = counts?.swept ?? null
  return {
    sinks: read.sinks.map((sink) => ({ ...sink, lagSeconds: lagSeconds(sink.id) })),
    ledger: own(({ progress }) => progress === 'cursor'),
    log: own(({ progress }) => progress !== 'cursor'),
    jobs: { due: counts?.jobs ?? 0, lateSeconds: since(counts?.job) },
    mails: { failing: counts?.mails ?? 0, failingSeconds: since(counts?.mail) },
    billing: billing
      ? {
          webhooks: {
            due: billing.webhooks,
            lateSeconds: since(billing.webhook),
            dead: billing.dead,
          },
          quantities: { due: billing.quantities, lateSeconds: since(billing.quantity) },
        }
      : null,
    sweep: ranAt === null ? null : { ranAt, secondsAgo: since(Date.parse(ranAt)) },
  }
}
