import { and, eq, sql } from 'drizzle-orm'
import { platformOnly } from '../../engine/access/authorize.ts'
import { requestInfoOf, type Scope } from '../../engine/access/principal.ts'
import { libraryEvent, SYSTEM } from '../../engine/audit/event.ts'
import { TRAIL_ACTIONS } from '../../engine/audit/part-actions.ts'
import { buildBatch } from '../../engine/changes/prepare-change.ts'
import { commitTogether } from '../../engine/changes/together.ts'
import { guard } from '../../database/commit.ts'
import { batch } from '../../database/batch.ts'
import { StoreUnavailable } from '../../database/database.ts'
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
 *
 * @example
 * ```ts
 * await requeueEvent({ ...seatgate, connection }, { caller: operator }, { provider: 'stripe', eventId: 'evt_1' })
 * ```
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
  const time = now()
  const requeued = db
    .update(billingInbox)
    .set({ status: 'received', attempts: 0, dueAt: time, finishedAt: null, lastError: null })
    .where(and(named, eq(billingInbox.status, 'dead')))
  const { found } = await batch(db, {
    found: db.select({ status: billingInbox.status }).from(billingInbox).where(named),
  })
  if (found.some(({ status }) => status === 'dead')) {
    const isDead = sql`exists (select 1 from seatgate_billing_inbox where provider = ${provider}
      and event_id = ${eventId} and status = 'dead')`
    const event = libraryEvent(TRAIL_ACTIONS, SYSTEM, 'operator.event_requeue', eventId, {
      provider,
    })
    const info = { caller: allowed.value, ...requestInfoOf(scope), now: time }
    const statements = [guard(db, 'stale', isDead), requeued]
    const plan = { value: null, statements, events: [event] }
    const done = await commitTogether(context, await buildBatch(context, info, plan))
    if (done.ok) return ok({ provider, eventId })
    if (done.error.code === 'unavailable') throw new StoreUnavailable(done.error)
    return refused({ code: 'not_dead' })
  }
  const [row] = found
  if (row === undefined) return refused({ code: 'not_found' })
  return refused({ code: row.status === 'succeeded' ? 'already_replayed' : 'not_dead' })
}
