import type { EventDraft } from '../audit/event.ts'
import type { Statement } from '../../database/database.ts'
import type { limitView } from '../seats/limit.ts'
import type { SeatReference, SeatRequest } from '../seats/provider.ts'

/**
 * A claim: a seat that a plan needs, with the row that is written once it is granted. `claimSeats` alone
 * requests it and gives it its id.
 */
export interface SeatClaim {
  readonly organizationId: string
  readonly kind: SeatRequest['kind']
  /** The seat that is already reserved, for `promised`; null for a new one. */
  readonly seatId: string | null
  /** The holder: a user id, or an invitation. */
  readonly holder: (seatId: string) => string
  /** Until when the row keeps the seat reserved; null if it holds the seat. */
  readonly until: Date | null
  /** Writes the row with its seat. */
  readonly write: (seatId: string) => Statement
  /** The events of the seat. `counts` has the seats in use, if the provider counted them. */
  readonly events: (seat: SeatReference, counts: SeatCounts) => readonly EventDraft[]
}

/** The seats in use with the granted one; empty if the batch itself counts them. */
export interface SeatCounts {
  readonly held?: number
  readonly reserved?: number
  readonly limit?: ReturnType<typeof limitView>
}
