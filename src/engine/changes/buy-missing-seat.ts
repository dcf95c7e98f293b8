import type { Refusal } from '../../base/result.ts'
import { isImpersonated, type Principal } from '../access/principal.ts'
import type { Plan } from '../model/plan.ts'
import type { ChangeContext } from './change-context.ts'

// Of several callers at once each needs a seat of its own.
const MOST_BOUGHT = 10

/**
 * Buys a missing seat, if the host's subscriptions expand. Returns null if the operation is to be planned
 * again, otherwise its refusal. Only seats of the default type are bought. The library itself, such as its
 * sweeps, buys no seat, and neither does an operator who acts as a user.
 */
export async function unlessBought(
  context: ChangeContext,
  progress: { bought: number },
  { claims }: Pick<Plan<unknown>, 'claims'>,
  caller: Principal,
  refusal: Refusal
): Promise<Refusal | null> {
  const [claim] = claims ?? []
  const isMissing =
    refusal.code === 'seat_limit_reached' &&
    refusal.seatType === undefined &&
    caller.type !== 'system' &&
    !isImpersonated(caller)
  if (!isMissing || claim === undefined || !context.buySeat) return refusal
  if (progress.bought === MOST_BOUGHT) return { code: 'operation_in_progress' }
  progress.bought += 1
  return context.buySeat(context, claim.organizationId, refusal, progress.bought)
}
