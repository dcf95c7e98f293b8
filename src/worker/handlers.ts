import * as v from 'valibot'
import { budgeted, type Budgeted } from '../database/statement-budget.ts'
import type { Metric } from '../base/runtime.ts'
import type { Invocation } from '../engine/audit/consumers.ts'
import { has, type Sweep } from '../engine/changes/part.ts'
import {
  newInvocation,
  serveSideBySide,
  statementsToTend,
  tendOrganization,
} from '../engine/delivery/tend-trail.ts'
import type { InvitationContext } from '../operations/invitations/invitation-config.ts'
import type { ImpersonationContext } from '../parts/impersonation/impersonation.ts'
import type { JoiningContext } from '../operations/joining/join-rules.ts'
import type { Seatgate } from '../seatgate.ts'
import { sweepEntitlements } from '../operations/billing/sweep-entitlements.ts'
import { sweepSeats } from '../operations/seats/sweep-seats.ts'
import { callAfterHook, type JobHandlers } from '../engine/model/plan.ts'
import { HOOKS } from '../engine/model/hooks.ts'
import type { MailPayload } from '../operations/invitations/mail.ts'
import { runDueJobs } from '../engine/changes/jobs.ts'
import { endSessions, type Pointers } from '../engine/model/session-store.ts'
import { batch } from '../database/batch.ts'
import type { Statement } from '../database/database.ts'
import { purgeRates } from '../engine/model/rate-limits.ts'
import { purgeOperations } from '../engine/changes/purge-operations.ts'
import { purgeAliases } from '../operations/organizations/change-slug.ts'
import { purgeFences } from '../engine/seats/assigned-seats.ts'
import { purgeSessions } from '../operations/sessions/d1-sessions.ts'
import { recordSweep } from '../engine/delivery/last-sweep.ts'
import { purgeStepUps } from '../operations/sessions/step-up.ts'

const hasInvitations = has<Pick<InvitationContext, 'invitations'>>('invitations')
const hasImpersonation = has<Pick<ImpersonationContext, 'impersonation'>>('impersonation')
const hasJoining = has<Pick<JoiningContext, 'joining'>>('joining')

const WakeUp = v.object({
  organizationId: v.pipe(v.string(), v.minLength(1)),
  line: v.optional(v.literal(true)),
})

const LONGEST_DELAY_SECONDS = 12 * 60 * 60
const TROUBLE_DELAY_SECONDS = 10

/**
 * Creates the queue handler. Each message wakes the forwarder for one organization, or serves its
 * waitlist. Organizations are served concurrently, as many as an invocation has connections for, so that
 * one with a dead sink does not delay the others: see `max_batch_size` in the docs. Invalid messages are
 * acknowledged and reported. The handler does not throw.
 *
 * @example
 * ```ts
 * import { auditQueueHandler } from 'seatgate/worker'
 *
 * export default { fetch: app.fetch, queue: auditQueueHandler(seatgate) }
 * ```
 */
export function auditQueueHandler(seatgate: Seatgate) {
  const { measure, now } = seatgate
  return async function auditQueue(batch: MessageBatch): Promise<void> {
    const began = now().getTime()
    const counts = { events: 0, failures: 0 }
    const invocation = newInvocation()
    const within = countingDeliveries(budgeted(seatgate), counts)
    const wakeUps = [...wakeUpsOf(seatgate, batch)]
    await serveSideBySide(seatgate, wakeUps, async ([organizationId, { messages, line }]) => {
      const delaySeconds = await serve(within, { organizationId, line }, invocation, counts)
      for (const message of messages) {
        if (delaySeconds === null) message.ack()
        else message.retry({ delaySeconds })
      }
    })
    measure({
      name: 'queue.batch',
      outcome: counts.failures > 0 ? 'failed' : 'ok',
      messages: batch.messages.length,
      events: counts.events,
      milliseconds: Math.max(0, now().getTime() - began),
    })
  }
}

interface Counts {
  events: number
  failures: number
}

function countingDeliveries<S extends Seatgate>(seatgate: S, counts: Counts): S {
  return {
    ...seatgate,
    measure(metric: Metric) {
      if (metric.name === 'audit.attempt' && metric.outcome === 'ok') counts.events++
      seatgate.measure(metric)
    },
  }
}

interface Woken {
  readonly messages: readonly Message[]
  /** Whether one of them is for the waitlist. */
  readonly line: boolean
}

// Groups messages by organization: each is served once for all of its messages.
function wakeUpsOf({ report }: Seatgate, { messages }: MessageBatch): Map<string, Woken> {
  const wakeUps = new Map<string, Woken>()
  for (const message of messages) {
    const parsed = v.safeParse(WakeUp, message.body)
    if (parsed.success) {
      const { organizationId, line = false } = parsed.output
      const others = wakeUps.get(organizationId) ?? { messages: [], line: false }
      wakeUps.set(organizationId, {
        messages: [...others.messages, message],
        line: line || others.line,
      })
    } else {
      report({ event: 'queue_message_invalid', error: message.id })
      message.ack()
    }
  }
  return wakeUps
}

// Returns after how many seconds to retry the messages, or null.
async function serve(
  seatgate: Budgeted<Seatgate>,
  { organizationId, line }: { readonly organizationId: string; readonly line: boolean },
  invocation: Invocation,
  counts: Counts
): Promise<number | null> {
  const { queue, report, budget } = seatgate
  try {
    let seconds: number | null = 0
    const done = await budget.spend(statementsToTend(seatgate), async () => {
      if (line && hasJoining(seatgate)) {
        await seatgate.joining.admitWaiting(seatgate, organizationId)
      }
      seconds = await tendOrganization(seatgate, organizationId, invocation)
    })
    if (seconds === null) return null
    if (seconds > 0 || queue === null) return Math.min(Math.ceil(seconds), LONGEST_DELAY_SECONDS)
    // There is more to do. Sends a new message, because a message that is retried too often is dropped.
    await queue.send({ organizationId, ...(line && !done && { line }) })
    return null
  } catch (error) {
    counts.failures++
    report({ event: 'forwarding_failed', organizationId, error })
    return TROUBLE_DELAY_SECONDS
  }
}

// The sweeps that every configuration needs; the parts bring the others.
const SWEEPS: readonly Sweep[] = [
  { name: 'intents', statements: 150, turn: () => 10, run: sweepJobs },
  { name: 'what has expired', statements: 30, turn: () => 30, run: purgeExpired },
  { name: 'entitlements', statements: 60, turn: () => 45, run: sweepEntitlements },
  { name: 'seats', statements: 160, turn: () => 50, run: sweepSeats },
  { name: 'the time of the sweep', statements: 1, turn: () => 100, run: recordSweep },
]

function sweepsOf(seatgate: Seatgate): readonly Sweep[] {
  return [...SWEEPS, ...seatgate.sweeps].sort((a, b) => a.turn(seatgate) - b.turn(seatgate))
}

/**
 * Creates the cron handler: a sweep that finds work that a lost message or a crash left behind, retries
 * failures, deletes expired rows, and verifies seats. A sweep that fails or has much to do does not stop
 * the others: together they send at most 900 statements to D1, each has its share, and the next run
 * continues.
 *
 * @example
 * ```ts
 * import { sweepHandler } from 'seatgate/worker'
 *
 * export default { fetch: app.fetch, scheduled: sweepHandler(seatgate) }
 * ```
 */
export function sweepHandler(seatgate: Seatgate) {
  for (const sweep of seatgate.sweeps) sweep.scheduled?.(seatgate)
  return async function sweep(): Promise<void> {
    const within = budgeted(seatgate, 0)
    const unfinished: string[] = []
    for (const sweep of sweepsOf(seatgate)) {
      if (await runSweep(seatgate, within, sweep)) unfinished.push(sweep.name)
    }
    if (unfinished.length === 0) return
    const error = `The next sweep continues with: ${unfinished.join(', ')}.`
    seatgate.report({ event: 'sweep_unfinished', error })
  }
}

// Returns whether the sweep left work for the next run.
async function runSweep(
  { measure, now, report }: Seatgate,
  within: Budgeted<Seatgate>,
  sweep: Sweep
): Promise<boolean> {
  const { budget } = within
  const began = now().getTime()
  const asked = budget.asked()
  budget.allow(sweep.statements)
  let outcome: 'ok' | 'failed' = 'ok'
  try {
    await sweep.run(within)
  } catch (error) {
    outcome = 'failed'
    report({ event: 'sweep_failed', error })
  }
  const leftOver = budget.hasLeft()
  const milliseconds = Math.max(0, now().getTime() - began)
  const statements = budget.asked() - asked
  measure({ name: 'sweep.run', sweep: sweep.name, outcome, statements, leftOver, milliseconds })
  return leftOver
}

/**
 * Runs the due jobs of every kind.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 */
export async function sweepJobs(seatgate: Seatgate): Promise<void> {
  await runDueJobs(seatgate, {
    ...hookHandlers(seatgate),
    end_sessions: (payload) => endSessions(seatgate, payload as Pointers),
    send_limit_notice: async (payload) =>
      seatgate.billing && seatgate.billing.sendNotice(seatgate, payload),
    ...(hasInvitations(seatgate) && {
      send_invitation: (payload: unknown) =>
        seatgate.invitations.sendInvitation(seatgate, payload as MailPayload),
    }),
  })
}

function hookHandlers(seatgate: Seatgate): JobHandlers {
  return Object.fromEntries(
    Object.keys(HOOKS).map((hook) => [hook, (payload) => callAfterHook(seatgate, hook, payload)])
  )
}

/**
 * Deletes expired rows, in one round trip and at most 1,000 rows of each table; the next sweep continues.
 * A table without expired rows costs a few rows to read.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 */
export async function purgeExpired(seatgate: Seatgate): Promise<void> {
  const now = seatgate.now()
  const statements: readonly Statement[] = [
    purgeAliases(seatgate, now),
    ...purgeRates(seatgate, now),
    ...(hasInvitations(seatgate) ? seatgate.invitations.purge(seatgate, now) : []),
    ...purgeOperations(seatgate, now),
    ...purgeSessions(seatgate, now),
    purgeStepUps(seatgate, now),
    ...purgeFences(seatgate, now),
    ...(hasJoining(seatgate) ? seatgate.joining.purge(seatgate, now) : []),
    ...(hasImpersonation(seatgate) ? [seatgate.impersonation.purge(seatgate, now)] : []),
  ]
  await batch(seatgate.db, Object.fromEntries(statements.entries()))
}
