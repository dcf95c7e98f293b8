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

/** What serving all who read a trail needs. */
export interface TendContext extends DeliveryContext, LogContext {
  readonly sinks: DeliveryContext['sinks']
  readonly log: AuditLog | null
}

/**
 * Does what an organization's events wait for: they are forwarded, and sealed. Answers in how many
 * seconds it is worth coming back, or null. What fails for one keeps the other from nothing.
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

/** How many statements D1 is asked at most to tend an organization in which little has happened. */
export function statementsToTend({ sinks, log }: Pick<TendContext, 'sinks' | 'log'>): number {
  return sinks.length * STATEMENTS_PER_SINK + (log === null ? 0 : STATEMENTS_TO_SEAL)
}
