import type { UserContext } from '../../database/database.ts'
import type { AccessContext } from '../access/roles.ts'
import type { Runtime } from '../../base/runtime.ts'
import type { Part } from './part.ts'
import type { Result } from '../../base/result.ts'
import type { BillingContext, BillingRules } from '../seats/billing-rules.ts'
import type { Entitlement } from '../seats/provider.ts'
import type { SeatCount } from '../seats/limit.ts'
import { notifySeatsFreed, type ChangeContext } from './change-context.ts'

/** The part that `billing()` makes. */
export interface BillingPart extends BillingRules, Part<'billing'> {
  /** Sends the mails of a notice: the handler of their job. */
  readonly sendNotice: (
    context: UserContext & AccessContext & Pick<Runtime, 'report'>,
    payload: unknown
  ) => Promise<null>
}

/** The context of an operation that changes a limit. */
export interface LimitContext extends ChangeContext, BillingContext {}

/**
 * Passes an entitlement that is in D1 on to the seat provider. With `isNew` the listeners are called,
 * since there may be free seats now.
 */
export async function applyLimit(
  seatgate: LimitContext,
  entitlement: Entitlement,
  isNew = true
): Promise<Result<SeatCount, 'seats_unavailable'>> {
  const { seats, seatContext } = seatgate
  const count = await seats.setLimit(seatContext, entitlement)
  if (count.ok && isNew) await notifySeatsFreed(seatgate, [entitlement.organizationId])
  return count
}
