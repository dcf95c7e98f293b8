import { libraryEvent, SYSTEM } from '../../engine/audit/event.ts'
import { BILLING_ACTIONS } from '../../engine/audit/part-actions.ts'
import { buildBatch } from '../../engine/changes/prepare-change.ts'
import { commitTogether } from '../../engine/changes/together.ts'
import type { Statement } from '../../database/database.ts'
import type { ConnectionContext } from './connection.ts'
import { ProviderError } from './provider-error.ts'

/** The owner whose end ends a subscription. */
export interface Owner {
  readonly type: 'organization' | 'user'
  readonly id: string
}

/** The outcome of a cancellation. */
export interface OwnerEnd {
  readonly owner: Owner
  readonly provider: string
  readonly subscriptionId: string
  /** The code of the failure; absent for a success. */
  readonly code?: string
}

/**
 * Records the real outcome of the cancellation of a subscription whose owner is gone, in the trail of the
 * platform: the owner's own trail has no reader any more.
 *
 * @throws {ProviderError} if it could not be recorded: then another run records it.
 */
export async function recordOwnerEnd(
  context: ConnectionContext,
  { owner, provider, subscriptionId, code }: OwnerEnd,
  statements: readonly Statement[] = []
): Promise<void> {
  const metadata = {
    provider,
    subscription_id: subscriptionId,
    owner_type: owner.type,
    owner_id: owner.id,
    ...(code !== undefined && { code }),
  }
  const event = libraryEvent(
    BILLING_ACTIONS,
    SYSTEM,
    'organization.billing.owner_end',
    subscriptionId,
    metadata
  )
  const outcome = code === undefined ? ('success' as const) : ('failure' as const)
  // A failure that is repeated is one entry.
  const idempotencyKey = JSON.stringify(['owner_end', provider, subscriptionId, code ?? null])
  const info = { caller: { type: 'system' } as const, now: context.now() }
  const plan = { value: null, statements, events: [{ ...event, outcome, idempotencyKey }] }
  const done = await commitTogether(context, await buildBatch(context, info, plan))
  if (!done.ok) throw new ProviderError('transient', done.error.code)
}
