import * as v from 'valibot'
import { newInvocation, serveSideBySide, type Invocation } from '../forwarding/invocation.ts'
import { sweepAudit } from '../forwarding/sweep.ts'
import { tendOrganization } from '../forwarding/tend.ts'
import { sweepIntents } from '../operations/fulfil.ts'
import { sweepLines } from '../joining/line.ts'
import { sweepDomains } from '../joining/recheck-domains.ts'
import { markScheduled } from '../retention/scheduled.ts'
import { sweepRetention } from '../retention/sweep.ts'
import type { Seatgate } from '../seatgate.ts'
import { sweepSeats } from '../seats/sweep.ts'
import { purgeExpired } from './purge-expired.ts'

const WakeUp = v.object({ organizationId: v.pipe(v.string(), v.minLength(1)) })

const LONGEST_DELAY_SECONDS = 12 * 60 * 60
const TROUBLE_DELAY_SECONDS = 10

/**
 * Makes the queue handler: each message wakes the forwarder for one organization. Organizations are
 * served side by side, as many as an invocation has connections for, so that one with a dead sink delays
 * no other: see `max_batch_size` in the docs. Junk is acknowledged and reported; nothing here throws.
 *
 * @example
 * ```ts
 * export default { fetch: app.fetch, queue: auditQueueHandler(seatgate) }
 * ```
 */
export function auditQueueHandler(seatgate: Seatgate) {
  return async function auditQueue(batch: MessageBatch): Promise<void> {
    const invocation = newInvocation()
    const wakeUps = [...wakeUpsOf(seatgate, batch)]
    await serveSideBySide(seatgate, wakeUps, async ([organizationId, messages]) => {
      const delaySeconds = await serve(seatgate, organizationId, invocation)
      for (const message of messages) {
        if (delaySeconds === null) message.ack()
        else message.retry({ delaySeconds })
      }
    })
  }
}

// The messages of each organization, which is served once for all of them.
function wakeUpsOf({ report }: Seatgate, { messages }: MessageBatch): Map<string, Message[]> {
  const wakeUps = new Map<string, Message[]>()
  for (const message of messages) {
    const parsed = v.safeParse(WakeUp, message.body)
    if (parsed.success) {
      const { organizationId } = parsed.output
      wakeUps.set(organizationId, [...(wakeUps.get(organizationId) ?? []), message])
    } else {
      report({ event: 'queue_message_invalid', error: message.id })
      message.ack()
    }
  }
  return wakeUps
}

// After how many seconds the messages are to come again, or null.
async function serve(
  seatgate: Seatgate,
  organizationId: string,
  invocation: Invocation
): Promise<number | null> {
  const { queue, report } = seatgate
  try {
    const seconds = await tendOrganization(seatgate, organizationId, invocation)
    if (seconds === null) return null
    if (seconds > 0 || queue === null) return Math.min(Math.ceil(seconds), LONGEST_DELAY_SECONDS)
    // There is more. A new message, since one that comes again too often is given up.
    await queue.send({ organizationId })
    return null
  } catch (error) {
    report({ event: 'forwarding_failed', organizationId, error })
    return TROUBLE_DELAY_SECONDS
  }
}

const PARTS = [
  sweepAudit,
  sweepIntents,
  sweepLines,
  sweepDomains,
  purgeExpired,
  sweepSeats,
  sweepRetention,
]

/**
 * Makes the cron handler: the sweep that finds what a lost message or a crash left behind, tries again
 * what failed, takes away what has expired, and verifies seats. One part that fails keeps no other from
 * its work.
 *
 * @example
 * ```ts
 * export default { fetch: app.fetch, scheduled: sweepHandler(seatgate) }
 * ```
 */
export function sweepHandler(seatgate: Seatgate) {
  markScheduled(seatgate)
  return async function sweep(): Promise<void> {
    for (const part of PARTS) {
      try {
        await part(seatgate)
      } catch (error) {
        seatgate.report({ event: 'sweep_failed', error })
      }
    }
  }
}
