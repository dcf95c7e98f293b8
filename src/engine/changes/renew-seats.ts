import type { Runtime } from '../../base/runtime.ts'
import type { SeatReference, ProviderContext } from '../seats/provider.ts'

/** A seat that was granted by a ledger under an epoch; null where nothing has epochs. */
export interface GrantedSeat {
  readonly seat: SeatReference
  readonly epoch: number | null
}

/**
 * Has the ledgers start anew that granted these seats under an epoch which D1 does not take any more.
 * Most have done so already. One that has not was overtaken by a restore, of D1 or of itself, and would
 * never grant a seat again.
 */
export async function renewLedgers(
  { seats, seatContext, report }: ProviderContext & Pick<Runtime, 'report'>,
  granted: readonly GrantedSeat[]
): Promise<void> {
  const epochs = new Map(granted.map(({ seat, epoch }) => [seat.organizationId, epoch]))
  for (const [organizationId, epoch] of epochs) {
    try {
      if (epoch !== null) await seats.renew?.(seatContext, organizationId, epoch)
    } catch (error) {
      report({ event: 'seat_renewal_failed', organizationId, error })
    }
  }
}
