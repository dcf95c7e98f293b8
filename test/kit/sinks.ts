/**
 * Sinks that remember, a clock that stands still, and organizations with events.
 *
 * @module
 */
import {
  createOrganization,
  d1Seats,
  listAttempts,
  listDeadLetters,
  renameOrganization,
  type AttemptInput,
  type AuditEvent,
  type Delivery,
  type Report,
  type Seatgate,
  type Sink,
} from '../../src/index.ts'
import type { FlatOptions, FullSeatgate } from './flat-options.ts'
import { seatgateWith } from './http.ts'
import { testEnv } from './environment.ts'
import { unwrap } from './kit.ts'

export const delivered: Delivery = { outcome: 'delivered' }
export const retry: Delivery = { outcome: 'retry', reason: 'down' }
export const permanent: Delivery = { outcome: 'permanent', reason: 'schema' }

/** How an operator asks about an organization. */
export const byOperator = (organization: string) => ({
  caller: { userId: 'ops', operator: true } as const,
  organization,
})

/** A sink that remembers each attempt, and answers as it is told to; delivered by default. */
export function sinkOf(
  id: string,
  answer: (event: AuditEvent, attempt: number) => Promise<Delivery> | Delivery = () => delivered
) {
  const attempts: number[] = []
  const taken: AuditEvent[] = []
  const sink: Sink = {
    id,
    accepts: () => true,
    async deliver(event) {
      attempts.push(event.sequence)
      const delivery = await answer(event, attempts.length)
      if (delivery?.outcome === 'delivered') taken.push(event)
      return delivery
    },
  }
  return { ...sink, attempts, taken, sequences: () => taken.map(({ sequence }) => sequence) }
}

/**
 * A sink that keeps its first event in the air until it is let go, and then answers as it is told to;
 * all others it takes at once.
 */
export function heldSink(id: string, answer: Delivery = delivered) {
  const gate = Promise.withResolvers<void>()
  const entered = Promise.withResolvers<void>()
  const sink = sinkOf(id, async (_event, attempt) => {
    if (attempt > 1) return delivered
    entered.resolve()
    await gate.promise
    return answer
  })
  return { ...sink, entered: entered.promise, letGo: gate.resolve }
}

/** A configuration with a clock that stands still until it is set. */
export function clocked(sinks: readonly Sink[], options: Partial<FlatOptions> = {}) {
  const clock = { now: Date.now() }
  const reports: Report[] = []
  const seatgate = seatgateWith({
    seats: d1Seats(),
    sinks,
    now: () => new Date(clock.now),
    random: () => 0,
    report: (report) => reports.push(report),
    ...options,
  })
  return { seatgate, reports, clock, later: (seconds: number) => (clock.now += seconds * 1000) }
}

/** Makes an organization: two events, and one more for each rename. */
export async function organizationWith(seatgate: Seatgate, renames = 0): Promise<string> {
  const caller = { userId: crypto.randomUUID() }
  const slug = `org-${crypto.randomUUID().slice(0, 8)}`
  const made = await createOrganization(seatgate, { caller }, { name: 'Acme', slug })
  if (!made.ok) throw new Error(made.error.code)
  const { id } = made.value
  owners.set(id, caller.userId)
  for (let index = 1; index <= renames; index++) await rename(seatgate, id, `Acme ${index}`)
  return id
}

export const owners = new Map<string, string>()
export async function rename(
  seatgate: Seatgate,
  organization: string,
  name: string
): Promise<void> {
  const caller = { userId: owners.get(organization)! }
  const renamed = await renameOrganization(seatgate, { caller, organization }, { name })
  if (!renamed.ok) throw new Error(renamed.error.code)
}

/**
 * Adds events by SQL, where it takes many, behind those that are there: two, unless there are more. Their
 * action and metadata are expressions of `value`, which counts from 1.
 */
export async function addEvents(
  organizationId: string,
  count: number,
  there = 2,
  action = "'test.event'",
  metadata = "'{}'"
): Promise<void> {
  const numbers = JSON.stringify(Array.from({ length: count }, (_, index) => index + 1))
  await testEnv.DB.prepare(
    `INSERT INTO seatgate_audit_events (organization_id, sequence, id, action, outcome, actor_type, metadata, occurred_at, inserted_at)
     SELECT ?1, CAST(?3 AS INTEGER) + value, ?1 || (?3 + value), ${action}, 'success', 'system', ${metadata}, 7, 7 FROM json_each(?2)`
  )
    .bind(organizationId, numbers, there)
    .run()
}

export async function cursorOf(organizationId: string, sinkId: string) {
  return testEnv.DB.prepare(
    'SELECT sequence, attempts, last_error AS error, lease_token AS lease FROM seatgate_sink_cursors WHERE organization_id = ? AND sink_id = ?'
  )
    .bind(organizationId, sinkId)
    .first<{ sequence: number; attempts: number; error: string | null; lease: string | null }>()
}

export async function isInOutbox(organizationId: string): Promise<boolean> {
  const row = await testEnv.DB.prepare(
    'SELECT 1 FROM seatgate_audit_outbox WHERE organization_id = ?'
  )
    .bind(organizationId)
    .first()
  return row !== null
}

export const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1)

/** The dead letters of a sink: sequence, state, reason and attempts of each. */
export async function lettersOf(seatgate: FullSeatgate, organizationId: string, sinkId: string) {
  const { data } = unwrap(await listDeadLetters(seatgate, byOperator(organizationId), sinkId))
  return data.map(({ sequence, state, reason, attempts }) => [sequence, state, reason, attempts])
}

/** What was tried for a sink: first and last sequence, outcome, reason and attempt of each. */
export async function attemptsOf(
  seatgate: FullSeatgate,
  organizationId: string,
  sinkId: string,
  input?: AttemptInput
) {
  const { data } = unwrap(await listAttempts(seatgate, byOperator(organizationId), sinkId, input))
  return data.map((row) => [
    row.firstSequence,
    row.lastSequence,
    row.outcome,
    row.reason,
    row.attempt,
  ])
}

/** What was done to sinks, as it is on record: action, type and id of the actor, and metadata. */
export async function sinkActionsOf(organizationId: string) {
  const { results } = await testEnv.DB.prepare(
    `SELECT action, actor_type AS type, actor_id AS id, metadata FROM seatgate_audit_events
     WHERE organization_id = ? AND action LIKE 'audit.%' ORDER BY sequence`
  )
    .bind(organizationId)
    .all<{ action: string; type: string; id: string; metadata: string }>()
  return results.map(({ action, type, id, metadata }) => [action, type, id, JSON.parse(metadata)])
}
