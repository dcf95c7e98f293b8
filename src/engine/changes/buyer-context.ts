import type { RefusalOf } from '../../base/result.ts'
import type { ChangeContext } from './change-context.ts'

/** The context of a host whose subscriptions expand with its members. */
export interface BuyerContext {
  /**
   * Buys the seat for which an operation of a caller was refused, outside of a batch and with no seat
   * claimed. Returns null if there is room now, so that the operation is planned again; otherwise its
   * refusal. `tries` counts the calls for one operation, from 1.
   */
  buySeat?(
    context: ChangeContext,
    organizationId: string,
    full: SeatLimitReached,
    tries: number
  ): Promise<SeatLimitReached | null>
}

/** The refusal of one more seat. */
export type SeatLimitReached = RefusalOf<'seat_limit_reached'>
