import { sql } from 'drizzle-orm'
import type { Database, Statement } from '../database/database.ts'
import { auditEvents, auditOutbox } from '../database/schema.ts'
import type { Attribution, EventDraft } from './event.ts'

/** What all events of one batch have in common. */
export interface EventContext extends Attribution {
  readonly requestId: string | null
  readonly now: Date
  readonly newId: () => string
  /** Whether anybody is to be sent them: without a sink there is nothing to mark. */
  readonly forwarded: boolean
}

/**
 * Builds the statements that write events, in order, and mark their organizations for forwarding.
 * The sequence is assigned inside the batch: a batch that fails leaves no gap.
 */
export function recordEvents(
  db: Database,
  context: EventContext,
  drafts: readonly EventDraft[]
): Statement[] {
  const { actor, effectiveUserId, requestId, now, newId, forwarded } = context
  const events = drafts.map(({ organizationId, action, target, metadata }) =>
    db.insert(auditEvents).values({
      organizationId,
      sequence: sql`coalesce((select sequence from audit_events
        where organization_id = ${organizationId} order by sequence desc limit 1), 0) + 1`,
      id: newId(),
      action,
      outcome: 'success',
      actorType: actor.type,
      actorId: actor.id,
      effectiveUserId,
      targetType: target.type,
      targetId: target.id,
      metadata,
      requestId,
      schemaVersion: 1,
      occurredAt: now,
      insertedAt: now,
    })
  )
  if (!forwarded) return events
  const marks = organizationsOf(drafts).map((organizationId) =>
    db.insert(auditOutbox).values({ organizationId, sweptAt: now }).onConflictDoNothing()
  )
  return [...events, ...marks]
}

/** The organizations that events are about, each once. */
export function organizationsOf(drafts: readonly EventDraft[]): readonly string[] {
  return [...new Set(drafts.map(({ organizationId }) => organizationId))]
}
