import { budgeted } from '../../database/statement-budget.ts'
import type { TrailConsumer } from '../audit/consumers.ts'
import { newInvocation } from './budget.ts'
import { forwardOrganization, STATEMENTS_PER_SINK, type DeliveryContext } from './deliver.ts'

/** The context of serving all consumers of a trail. */
export interface TendContext extends DeliveryContext {
  readonly log: (TrailConsumer & { readonly publish: unknown }) | null
}

/**
 * Serves the consumers of an organization's trail: forwards its events, and seals them. Returns after how
 * many seconds to call again, or null. A failure of one does not stop the other.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * await tendOrganization(seatgate, organizationId)
 * ```
 */
export async function tendOrganization(
  unbudgeted: TendContext,
  organizationId: string,
  invocation = newInvocation()
): Promise<number | null> {
  const seatgate = budgeted(unbudgeted)
  const [forwarded, sealed] = await Promise.allSettled([
    forwardOrganization(seatgate, organizationId, invocation),
    seatgate.log?.run(seatgate, organizationId),
  ])
  if (sealed.status === 'rejected') throw sealed.reason
  if (forwarded.status === 'rejected') throw forwarded.reason
  return sealed.value ?? forwarded.value
}

/** Returns how many statements serving an organization with few events sends to D1 at most. */
export function statementsToTend({ sinks, log }: Pick<TendContext, 'sinks' | 'log'>): number {
  return sinks.length * STATEMENTS_PER_SINK + (log?.statements ?? 0)
}
