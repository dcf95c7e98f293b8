import * as v from 'valibot'
import { budgeted, type Budgeted } from '../database/statement-budget.ts'
import {
  newInvocation,
  serveSideBySide,
  statementsToTend,
  tendOrganization,
  type Invocation,
} from '../engine/delivery/deliver.ts'
import { sweepAudit } from '../parts/forwarding/sweep-forwarding.ts'
import { markScheduled } from '../parts/retention/retention-windows.ts'
import { sweepRetention } from '../parts/retention/retention.ts'
import type { Seatgate } from '../seatgate.ts'
import { sweepSeats } from '../operations/seats/sweep-seats.ts'
import { callAfterHook, type JobHandlers } from '../engine/model/plan.ts'
import { HOOKS } from '../engine/model/hooks.ts'
import type { MailPayload } from '../operations/invitations/mail.ts'
import { runDueJobs } from '../engine/changes/jobs.ts'
import { endSessions, type Pointers } from '../engine/model/session-store.ts'
import { batch } from '../database/batch.ts'
import type { Statement } from '../database/database.ts'
import { purgeRates } from '../engine/model/rate-limits.ts'
import { purgeOperations } from '../engine/changes/idempotency.ts'
import { purgeAliases } from '../operations/organizations/change-slug.ts'
import { purgeFences } from '../engine/seats/assigned-seats.ts'
import { purgeSessions } from '../operations/sessions/d1-sessions.ts'

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
  return async function auditQueue(batch: MessageBatch): Promise<void> {
    const invocation = newInvocation()
    const within = budgeted(seatgate)
    const wakeUps = [...wakeUpsOf(seatgate, batch)]
    await serveSideBySide(seatgate, wakeUps, async ([organizationId, { messages, line }]) => {
      const delaySeconds = await serve(within, { organizationId, line }, invocation)
      for (const message of messages) {
        if (delaySeconds === null) message.ack()
        else message.retry({ delaySeconds })
      }
    })
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
  invocation: Invocation
): Promise<number | null> {
  const { queue, report, budget, joining } = seatgate
  try {
    let seconds: number | null = 0
    const done = await budget.spend(statementsToTend(seatgate), async () => {
      if (line) await joining?.admitWaiting({ ...seatgate, joining }, organizationId)
      seconds = await tendOrganization(seatgate, organizationId, invocation)
    })
    if (seconds === null) return null
    if (seconds > 0 || queue === null) return Math.min(Math.ceil(seconds), LONGEST_DELAY_SECONDS)
    // There is more to do. Sends a new message, because a message that is retried too often is dropped.
    await queue.send({ organizationId, ...(line && !done && { line }) })
    return null
  } catch (error) {
    report({ event: 'forwarding_failed', organizationId, error })
    return TROUBLE_DELAY_SECONDS
  }
}

const EVENTS = ['events', { part: sweepAudit, statements: 200 }] as const

// A part leaves its unused statements to the next ones, so the parts that may have much to do come last.
const OTHERS = Object.entries({
  intents: { part: sweepJobs, statements: 150 },
  domains: {
    part: async ({ joining, ...seatgate }: Seatgate) =>
      joining?.sweepDomains({ ...seatgate, joining }),
    statements: 60,
  },
  'what has expired': { part: purgeExpired, statements: 30 },
  retention: { part: sweepRetention, statements: 100 },
  seats: { part: sweepSeats, statements: 160 },
  lines: {
    part: async ({ joining, ...seatgate }: Seatgate) =>
      joining?.sweepWaitlists({ ...seatgate, joining }),
    statements: 200,
  },
})

// With a queue, events are forwarded by it. Without one forwarding may have much to do.
function partsOf({ queue }: Seatgate) {
  return queue === null ? [...OTHERS, EVENTS] : [EVENTS, ...OTHERS]
}

/**
 * Creates the cron handler: a sweep that finds work that a lost message or a crash left behind, retries
 * failures, deletes expired rows, and verifies seats. A part that fails or has much to do does not stop
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
  markScheduled(seatgate)
  return async function sweep(): Promise<void> {
    const within = budgeted(seatgate, 0)
    const unfinished: string[] = []
    for (const [name, { part, statements }] of partsOf(seatgate)) {
      within.budget.allow(statements)
      try {
        await part(within)
      } catch (error) {
        seatgate.report({ event: 'sweep_failed', error })
      }
      if (within.budget.hasLeft()) unfinished.push(name)
    }
    if (unfinished.length === 0) return
    const error = `The next sweep continues with: ${unfinished.join(', ')}.`
    seatgate.report({ event: 'sweep_unfinished', error })
  }
}

/**
 * Runs the due jobs of every kind.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 */
export async function sweepJobs(seatgate: Seatgate): Promise<void> {
  const { invitations } = seatgate
  await runDueJobs(seatgate, {
    ...hookHandlers(seatgate),
    end_sessions: (payload) => endSessions(seatgate, payload as Pointers),
    ...(invitations !== null && {
      send_invitation: (payload: unknown) =>
        invitations.sendInvitation({ ...seatgate, invitations }, payload as MailPayload),
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
 * A table without expired rows costs one lookup in an index.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 */
export async function purgeExpired(seatgate: Seatgate): Promise<void> {
  const now = seatgate.now()
  const { invitations, joining } = seatgate
  const statements: readonly Statement[] = [
    purgeAliases(seatgate, now),
    purgeRates(seatgate, now),
    ...(invitations?.purge({ ...seatgate, invitations }, now) ?? []),
    ...purgeOperations(seatgate, now),
    purgeSessions(seatgate, now),
    ...purgeFences(seatgate, now),
    ...(joining ? [joining.purge(seatgate, now)] : []),
  ]
  await batch(seatgate.db, Object.fromEntries(statements.entries()))
}
