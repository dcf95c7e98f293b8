import type { EventDraft } from '../audit/event.ts'
import type { Statement } from '../../database/database.ts'
import type { limitView } from '../seats/limit.ts'
import type { SeatReference, SeatRequest } from '../seats/provider.ts'

/**
 * A seat that a plan asks for, with the row that is written once the seat is granted. `claimSeats`
 * alone asks for it and gives it its id.
 */
export interface SeatClaim {
  readonly organizationId: string
  readonly kind: SeatRequest['kind']
  /** The seat that is held already, for `promised`; null for a new one. */
  readonly seatId: string | null
  /** Whose seat it is: a user id, or an invitation. */
  readonly holder: (seatId: string) => string
  /** Until when the row keeps the seat reserved; null if it occupies the seat. */
  readonly until: Date | null
  /** Writes the row with its seat. */
  readonly write: (seatId: string) => Statement
  /** The events of the seat. `counts` has the seats in use, if the provider counted them. */
  readonly events: (seat: SeatReference, counts: SeatCounts) => readonly EventDraft[]
}

/** The seats in use with the one that was granted; empty if the batch itself counts them. */
export interface SeatCounts {
  readonly held?: number
  readonly reserved?: number
  readonly limit?: ReturnType<typeof limitView>
}
