import type { Sealed, SealRequest, Sign } from '../../engine/audit/sealer.ts'
import type { Result } from '../../base/result.ts'
import type { SeatCount, SeatLimit } from '../../engine/seats/limit.ts'
import type { Entitlement, SeatReference } from '../../engine/seats/provider.ts'
import type { LedgerSnapshot, ReserveRefusal } from '../../engine/seats/reserve-rules.ts'

/** A request to the ledger. */
export interface LedgerRequest {
  readonly organizationId: string
  readonly defaultLimit: SeatLimit
}

/** A request for a seat, reserved for `reservationSeconds` unless it is confirmed. */
export interface ReserveRequest extends LedgerRequest, SeatReference {
  readonly holder: string
  readonly reservationSeconds: number
  /** Until when the invitation that asks reserves it (ms since 1970): its confirmation then writes a row. */
  readonly until?: number
}

/**
 * A seat that is in D1: held by a membership, or reserved by an invitation until an instant (ms since
 * 1970).
 */
export interface ConfirmRequest extends LedgerRequest, SeatReference {
  readonly until: number | null
}

/** A seat granted by the ledger that is in force under `epoch`. */
export interface LedgerGrant {
  readonly epoch: number
  /** When it was granted, by the ledger's clock (ms since 1970). */
  readonly at: number
  readonly count: SeatCount
}

/** A request to empty the ledger of this epoch; without an epoch, any ledger. */
export interface CloseRequest extends LedgerRequest {
  readonly epoch?: number
}

/** The calls of the Durable Object; expected refusals are returned, not thrown. */
export interface LedgerCalls {
  reserve(request: ReserveRequest): Promise<Result<LedgerGrant, ReserveRefusal>>
  reserveEach(
    requests: readonly ReserveRequest[]
  ): Promise<readonly Result<LedgerGrant, ReserveRefusal>[]>
  confirm(request: ConfirmRequest): Promise<Result<null, 'seats_unavailable'>>
  release(request: LedgerRequest & SeatReference): Promise<Result<null, 'seats_unavailable'>>
  setLimit(request: LedgerRequest & Entitlement): Promise<Result<SeatCount, 'seats_unavailable'>>
  usage(request: LedgerRequest): Promise<Result<SeatCount, 'seats_unavailable'>>
  close(request: CloseRequest): Promise<Result<null, 'seats_unavailable'>>
  inspect(request: LedgerRequest): Promise<Result<LedgerSnapshot | null, 'seats_unavailable'>>
  /** Seals events. It is done here because one object serves an organization. */
  seal(request: SealRequest, sign: Sign): Promise<Sealed>
}

/** The namespace of ledgers, one object per organization, named by the organization's id. */
export interface LedgerNamespace {
  getByName(organizationId: string): LedgerCalls
}
