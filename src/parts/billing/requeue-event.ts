import { and, eq } from 'drizzle-orm'
import { platformOnly } from '../../engine/access/authorize.ts'
import type { Scope } from '../../engine/access/principal.ts'
import { batch } from '../../database/batch.ts'
import { billingInbox } from '../../database/schema/billing-inbox-tables.ts'
import { ok, refused, type Result } from '../../base/result.ts'
import type { ConnectionContext } from './connection.ts'

/** Names an event of a provider. */
export interface EventName {
  readonly provider: string
  readonly eventId: string
}

/** Why {@link requeueEvent} refuses. */
export type RequeueEventRefusal =
  | 'unauthenticated'
  | 'insufficient_role'
  | 'not_found'
  | 'not_dead'
  | 'already_replayed'

/**
 * Puts an event that was given up back to work; for operators and the host itself. Only a dead one: an
 * event that waits or is in progress is refused.
 *
 * Refusals: `unauthenticated`, `insufficient_role`, `not_found`, `not_dead`, `already_replayed`.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 */
export async function requeueEvent(
  context: ConnectionContext,
  scope: Scope,
  { provider, eventId }: EventName
): Promise<Result<EventName, RequeueEventRefusal>> {
  const allowed = await platformOnly(context, scope.caller)
  if (!allowed.ok) return allowed
  const { db, now } = context
  const named = and(eq(billingInbox.provider, provider), eq(billingInbox.eventId, eventId))
  const { requeued, found } = await batch(db, {
    requeued: db
      .update(billingInbox)
      .set({ status: 'received', attempts: 0, dueAt: now(), finishedAt: null, lastError: null })
      .where(and(named, eq(billingInbox.status, 'dead')))
      .returning({ eventId: billingInbox.eventId }),
    found: db.select({ status: billingInbox.status }).from(billingInbox).where(named),
  })
  if (requeued.length > 0) return ok({ provider, eventId })
  const [row] = found
  if (row === undefined) return refused({ code: 'not_found' })
  return refused({ code: row.status === 'succeeded' ? 'already_replayed' : 'not_dead' })
}
