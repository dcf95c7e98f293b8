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

// For how long refusals are counted before the next event.
const WINDOW_MS = 10 * 60_000

const MOST_ORGANIZATIONS = 10_000

/**
 * Counts refusals for lack of a seat, in this isolate: a rush writes one event per window instead of one
 * per refusal. Counts that an isolate has not written when it ends are lost.
 */
export class RefusalCounts {
  readonly #counts = new Map<string, { window: number; refusals: number }>()

  /** Returns the number of the window that a time is in. */
  windowAt(now: Date): number {
    return Math.floor(now.getTime() / WINDOW_MS)
  }

  /** Counts a refusal. Returns how many to record now; 0 if an event was recorded in this window. */
  count(organizationId: string, window: number): number {
    const last = this.#counts.get(organizationId)
    const refusals = (last?.refusals ?? 0) + 1
    const due = last?.window !== window
    this.#keep(organizationId, { window, refusals: due ? 0 : refusals })
    return due ? refusals : 0
  }

  /**
   * Adds refusals back that could not be recorded, because another writer recorded an event in this
   * window.
   */
  putBack(organizationId: string, window: number, refusals: number): void {
    const later = this.#counts.get(organizationId)?.refusals ?? 0
    this.#keep(organizationId, { window, refusals: later + refusals })
  }

  // Evicts the organization with the oldest refusal first.
  #keep(organizationId: string, count: { window: number; refusals: number }): void {
    this.#counts.delete(organizationId)
    this.#counts.set(organizationId, count)
    const [oldest] = this.#counts.keys()
    if (this.#counts.size > MOST_ORGANIZATIONS && oldest !== undefined) this.#counts.delete(oldest)
  }
}
