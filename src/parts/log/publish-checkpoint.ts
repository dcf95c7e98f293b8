/**
 * Checkpoints on their way out of D1.
 *
 * @module
 */
import { lt } from 'drizzle-orm'
import { batch } from '../../database/batch.ts'
import { auditPublished } from '../../database/schema.ts'
import { TimedOut, within } from '../../base/async.ts'
import { awaiting, clearOutbox } from '../../engine/audit/consumers.ts'
import type { PublishedCheckpoint } from '../../engine/audit/sealer.ts'
import type { LogContext } from './log.ts'

// As long as a sink has for an event.
const PUBLICATION_SECONDS = 15

/**
 * Publishes an organization's checkpoints where the host keeps them, and remembers how far that went: a
 * later one covers those before it. Whatever was not taken, or not remembered, is published by whoever
 * seals next, and until then the organization stays in the outbox. Answers false if the host's publisher
 * did not answer in time, so that there is no use in asking it again just now.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 */
export async function publishCheckpoints(
  seatgate: Omit<LogContext, 'now'>,
  organizationId: string,
  checkpoints: readonly PublishedCheckpoint[]
): Promise<boolean> {
  const { db, log, report } = seatgate
  if (log === null || log.publish === null) return true
  let size = 0
  let answers = true
  for (const checkpoint of checkpoints) {
    try {
      await within(PUBLICATION_SECONDS, log.publish(checkpoint))
      size = checkpoint.size
    } catch (error) {
      report({ event: 'checkpoint_not_published', organizationId, error })
      answers = !(error instanceof TimedOut)
      if (!answers) break
    }
  }
  if (size === 0) return answers
  await batch(db, {
    published: db
      .insert(auditPublished)
      .values({ organizationId, size })
      .onConflictDoUpdate({
        target: auditPublished.organizationId,
        set: { size },
        setWhere: lt(auditPublished.size, size),
      }),
    cleared: clearOutbox(db, organizationId, awaiting(seatgate)),
  })
  return answers
}
