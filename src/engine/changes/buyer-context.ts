import type { Refusal } from '../../base/result.ts'
import type { Principal } from '../access/principal.ts'
import type { Plan } from '../model/plan.ts'
import type { ChangeContext } from './change-context.ts'

/** The context of a host whose subscriptions expand with its members. */
export interface BuyerContext {
  /**
   * Buys the seat for which an operation was refused, if it was, outside of a batch and with no seat
   * claimed. Returns null if there is room now, so that the operation is planned again; otherwise its
   * refusal.
   */
  buySeat?(
    context: ChangeContext,
    purchase: {
      readonly caller: Principal
      readonly plan: Pick<Plan<unknown>, 'claims'>
      /** How often a seat was bought for the operation; the call counts itself. */
      readonly progress: { bought: number }
    },
    refusal: Refusal
  ): Promise<Refusal | null>
}
