import { forwardOrganization, type DeliveryContext } from './forward.ts'
import { newInvocation } from './invocation.ts'
import { sealOrganization, type AuditLog, type LogContext } from '../sealing/seal.ts'

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
  seatgate: TendContext,
  organizationId: string,
  invocation = newInvocation()
): Promise<number | null> {
  const [forwarded, sealed] = await Promise.allSettled([
    forwardOrganization(seatgate, organizationId, invocation),
    sealOrganization(seatgate, organizationId),
  ])
  if (sealed.status === 'rejected') throw sealed.reason
  if (forwarded.status === 'rejected') throw forwarded.reason
  return forwarded.value
}
