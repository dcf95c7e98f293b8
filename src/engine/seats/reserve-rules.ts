/**
 * The decisions of the seat ledger, apart from its storage: given what is on record, may this
 * person have this seat?
 *
 * @module
 */
import type { RefusalOf, SeatRefusal } from '../../base/refusal.ts'
import type { SeatLimit } from './limit.ts'

/** A seat on record. `reserved` has a deadline, at which D1 is asked what became of it. */
export interface LedgerSeat {
  readonly seatId: string
  readonly holder: string
  readonly state: 'reserved' | 'held'
}

/** Everything that a ledger has on record, at one moment. */
export interface LedgerSnapshot {
  readonly organizationId: string
  readonly epoch: number
  readonly version: number
  /** Null: no entitlement is known, the default is in force. */
  readonly limit: SeatLimit | null
  readonly held: number
  readonly reserved: number
  readonly seats: readonly (LedgerSeat & {
    /** How long until the deadline, by the ledger's own clock; null of a held seat. */
    readonly remainingMs: number | null
  })[]
}

/** What the ledger has on record when a seat is asked for. */
export interface LedgerFacts {
  readonly limit: SeatLimit
  readonly held: number
  readonly reserved: number
  /** The seat with the id that is asked for, if there is one. */
  readonly sameSeat: LedgerSeat | null
  /** The seat that this holder has already, under any id. */
  readonly sameHolder: LedgerSeat | null
}

/**
 * Why a seat is not reserved. `already_member`: the holder has a seat there; `operation_in_progress`: the
 * holder is being added at this moment.
 */
export type ReserveRefusal = SeatRefusal | 'already_member' | 'operation_in_progress'

/** `reserve`: a new seat is taken. `repeat`: the same request again, nothing changes. */
export type ReserveDecision =
  | { readonly kind: 'reserve' }
  | { readonly kind: 'repeat' }
  | { readonly kind: 'refuse'; readonly refusal: RefusalOf<ReserveRefusal> }

/**
 * Decides on a seat. Who holds one already is told so before anybody counts, so that a full
 * organization never answers "full" to somebody who is in.
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

/** Why one more seat is not to be had at this limit, or null if it is. */
export function refusalAt(limit: SeatLimit, used: number): RefusalOf<SeatRefusal> | null {
  if (limit.kind === 'unknown') return { code: 'seats_unavailable' }
  if (limit.kind === 'unlimited' || used < limit.seats) return null
  return { code: 'seat_limit_reached', limit: limit.seats, used }
}
