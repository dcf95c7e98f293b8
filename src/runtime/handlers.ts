import * as v from 'valibot'
import { sweepAudit } from '../audit/sweep.ts'
import { tendOrganization } from '../audit/tend.ts'
import { sweepIntents } from '../operations/fulfil.ts'
import { purgeInvitations } from '../invitations/purge.ts'
import { sweepRates } from '../invitations/rates.ts'
import { sweepLines } from '../joining/line.ts'
import { sweepAliases } from '../organizations/alias.ts'
import { markScheduled } from '../retention/scheduled.ts'
import { sweepRetention } from '../retention/sweep.ts'
import type { Seatgate } from '../seatgate.ts'
import { sweepSeats } from '../seats/sweep.ts'

const Message = v.object({ organizationId: v.pipe(v.string(), v.minLength(1)) })

const LONGEST_DELAY_SECONDS = 12 * 60 * 60

/**
 * Makes the queue handler: each message wakes the forwarder for one organization. Organizations are
 * served side by side, so that one with a dead sink delays no other. Junk is acknowledged and
 * reported; nothing here throws.
 *
 * @example
 * ```ts
 * export default { fetch: app.fetch, queue: auditQueueHandler(seatgate) }
 * ```
 */
export function auditQueueHandler(seatgate: Seatgate) {
  return async function auditQueue(batch: MessageBatch): Promise<void> {
    const runs = new Map<string, Promise<number | null>>()
    await Promise.all(
      batch.messages.map(async (message) => {
        const parsed = v.safeParse(Message, message.body)
        if (!parsed.success) {
          seatgate.report({ event: 'queue_message_invalid', error: message.id })
          return message.ack()
        }
        const { organizationId } = parsed.output
        try {
          const running = runs.get(organizationId) ?? tendOrganization(seatgate, organizationId)
          runs.set(organizationId, running)
          const seconds = await running
          if (seconds === null) return message.ack()
          const delaySeconds = Math.min(Math.ceil(seconds), LONGEST_DELAY_SECONDS)
          message.retry({ delaySeconds })
        } catch (error) {
          seatgate.report({ event: 'forwarding_failed', organizationId, error })
          message.retry({ delaySeconds: 10 })
        }
      })
    )
  }
}

const PARTS = [
  sweepAudit,
  sweepIntents,
  sweepLines,
  sweepAliases,
  sweepRates,
  purgeInvitations,
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
