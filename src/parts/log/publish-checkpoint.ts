/**
 * The publication of checkpoints outside D1.
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

// The same time that a sink has for an event.
const PUBLICATION_SECONDS = 15

/**
 * Publishes an organization's checkpoints with the host's publisher, and stores the last one; a
 * checkpoint covers those before it. A checkpoint that was not published or not stored is published at
 * the next sealing, and until then the organization stays in the outbox. Returns false if the publisher
 * did not answer in time, so that calling it again now is useless.
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
