import { budgeted } from '../../database/statement-budget.ts'
import {
  forwardOrganization,
  STATEMENTS_PER_SINK,
  type DeliveryContext,
} from '../delivery/deliver.ts'
import { newInvocation } from '../delivery/budget.ts'
import {
  sealAsFarAsItGoes,
  STATEMENTS_TO_SEAL,
  type AuditLog,
  type LogContext,
} from '../../parts/log/log.ts'

/** The context of serving all consumers of a trail. */
export interface TendContext extends DeliveryContext, LogContext {
  readonly sinks: DeliveryContext['sinks']
  readonly log: AuditLog | null
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
    sealAsFarAsItGoes(seatgate, organizationId),
  ])
  if (sealed.status === 'rejected') throw sealed.reason
  if (forwarded.status === 'rejected') throw forwarded.reason
  return sealed.value?.more ? 0 : forwarded.value
}

/** Returns how many statements serving an organization with few events sends to D1 at most. */
export function statementsToTend({ sinks, log }: Pick<TendContext, 'sinks' | 'log'>): number {
  return sinks.length * STATEMENTS_PER_SINK + (log === null ? 0 : STATEMENTS_TO_SEAL)
}
