import * as v from 'valibot'
import { budgeted, type Budgeted } from '../database/statement-budget.ts'
import { newInvocation, serveSideBySide, type Invocation } from '../engine/delivery/budget.ts'
import { sweepAudit } from '../parts/forwarding/sweep-forwarding.ts'
import { statementsToTend, tendOrganization } from '../engine/delivery/tend-trail.ts'
import { markScheduled } from '../parts/retention/cron-warning.ts'
import { sweepRetention } from '../parts/retention/retention.ts'
import type { Seatgate } from '../seatgate.ts'
import { sweepSeats } from '../operations/seats/sweep-seats.ts'
import { purgeExpired } from './purge-expired.ts'
import { sweepJobs } from './sweep-jobs.ts'

const WakeUp = v.object({
  organizationId: v.pipe(v.string(), v.minLength(1)),
  line: v.optional(v.literal(true)),
})

const LONGEST_DELAY_SECONDS = 12 * 60 * 60
const TROUBLE_DELAY_SECONDS = 10

/**
 * Makes the queue handler: each message wakes the forwarder for one organization, or lets in the next who
 * wait in its line. Organizations are
 * served side by side, as many as an invocation has connections for, so that one with a dead sink delays
 * no other: see `max_batch_size` in the docs. Junk is acknowledged and reported; nothing here throws.
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
  /** Whether one of them is for those who wait in line. */
  readonly line: boolean
}

// The messages of each organization, which is served once for all of them.
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

// After how many seconds the messages are to come again, or null.
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
    // There is more. A new message, since one that comes again too often is given up.
    await queue.send({ organizationId, ...(line && !done && { line }) })
    return null
  } catch (error) {
    report({ event: 'forwarding_failed', organizationId, error })
    return TROUBLE_DELAY_SECONDS
  }
}

const EVENTS = ['events', { part: sweepAudit, statements: 200 }] as const

// What a part does not use of its statements is left to those behind it: those that may have much to do
// come last.
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
      joining?.sweepLines({ ...seatgate, joining }),
    statements: 200,
  },
})

// A queue forwards events elsewhere, and without one there may be no end of them.
function partsOf({ queue }: Seatgate) {
  return queue === null ? [...OTHERS, EVENTS] : [EVENTS, ...OTHERS]
}

/**
 * Makes the cron handler: the sweep that finds what a lost message or a crash left behind, tries again
 * what failed, takes away what has expired, and verifies seats. One part that fails keeps no other from
 * its work, and neither does one that has much to do: all parts together ask 900 statements of D1 at
 * most, each has a share of them, and the next run goes on where one stops.
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
