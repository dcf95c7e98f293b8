/**
 * The decisions of the seat ledger, without its storage.
 *
 * @module
 */
import type { RefusalOf, SeatRefusal } from '../../base/result.ts'
import type { SeatLimit } from './limit.ts'
import type { SeatType } from '../../base/seat-types.ts'

/** A stored seat. At the deadline of a `reserved` seat D1 decides what becomes of it. */
export interface LedgerSeat {
  readonly seatId: string
  readonly holder: string
  readonly state: 'reserved' | 'held'
}

/** All stored seats and the limit of a ledger at one moment. */
export interface LedgerSnapshot {
  readonly organizationId: string
  readonly epoch: number
  readonly version: number
  /** The limit; null if no entitlement is known and the default applies. */
  readonly limit: SeatLimit | null
  readonly held: number
  readonly reserved: number
  readonly seats: readonly (LedgerSeat & {
    /** The time until the deadline, by the ledger's clock; null of a held seat. */
    readonly remainingMs: number | null
  })[]
}

/** The facts that a decision is based on. */
export interface LedgerFacts {
  readonly limit: SeatLimit
  readonly held: number
  readonly reserved: number
  /** The seat with the requested id, if there is one. */
  readonly sameSeat: LedgerSeat | null
  /** The seat that this holder already has, under any id. */
  readonly sameHolder: LedgerSeat | null
}

/**
 * Why a seat is not reserved. `already_member`: the holder has a seat there; `operation_in_progress`: the
 * holder is being added at this moment.
 */
export type ReserveRefusal = SeatRefusal | 'already_member' | 'operation_in_progress'

/** `reserve`: a new seat is taken. `repeat`: the same request again, without a change. */
export type ReserveDecision =
  | { readonly kind: 'reserve' }
  | { readonly kind: 'repeat' }
  | { readonly kind: 'refuse'; readonly refusal: RefusalOf<ReserveRefusal> }

/**
 * Decides on a request. A holder with a seat is refused before seats are counted, so that a full
 * organization never answers `seat_limit_reached` to a member.
 */
export function decideReserve(facts: LedgerFacts, holder: string): ReserveDecision {
  if (facts.sameSeat !== null) {
    return facts.sameSeat.holder === holder
      ? { kind: 'repeat' }
      : { kind: 'refuse', refusal: { code: 'operation_in_progress' } }
  }
  if (facts.sameHolder !== null) {
    const held = facts.sameHolder.state === 'held'
    return {
      kind: 'refuse',
      refusal: { code: held ? 'already_member' : 'operation_in_progress' },
    }
  }
  const refusal = refusalAt(facts.limit, facts.held + facts.reserved)
  return refusal === null ? { kind: 'reserve' } : { kind: 'refuse', refusal }
}

/** Returns the refusal of one more seat of a type at this limit, or null if there is a seat. */
export function refusalAt(
  limit: SeatLimit,
  used: number,
  type: SeatType = null
): RefusalOf<SeatRefusal> | null {
  if (limit.kind === 'unknown') return { code: 'seats_unavailable' }
  if (limit.kind === 'unlimited' || used < limit.seats) return null
  const refusal = { code: 'seat_limit_reached', limit: limit.seats, used } as const
  return type === null ? refusal : { ...refusal, seatType: type }
}
