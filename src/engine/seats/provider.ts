import type { SQL } from 'drizzle-orm'
import type { Database, Statement } from '../../database/database.ts'
import type { Result } from '../../base/result.ts'
import type { SeatCount, SeatLimit } from './limit.ts'
import type { SeatType, SeatTypeContext, SeatTypeLimits } from '../../base/seat-types.ts'
import type { LedgerSnapshot, ReserveRefusal } from './reserve-rules.ts'

/** The context of a provider: the organizations' database and the configured default. */
export interface SeatContext extends SeatTypeContext {
  readonly db: Database
  /** The limit of an organization that has no entitlement. */
  readonly defaultLimit: SeatLimit
  /**
   * The condition on a request to join that its user waits for a seat and can be admitted; null without the
   * part of joining, which admits them.
   */
  readonly isWaiting: SQL | null
  readonly now: () => Date
}

/** The context of a function that requests or counts seats. */
export interface ProviderContext {
  readonly seats: SeatProvider
  readonly seatContext: SeatContext
}

/** One seat of one organization. */
export interface SeatReference {
  readonly organizationId: string
  readonly seatId: string
  /** Its present or future member, by whom a ledger finds it; left out for an invitation. */
  readonly userId?: string
}

/** A request for a seat. Its id is new for every claim and never reused, and has its type. */
export interface SeatRequest extends SeatReference {
  /** The holder of the seat: a user id, or an invitation. A holder has at most one seat. */
  readonly holder: string
  /**
   * `founding`: the seat of the creating owner, counted and never refused. `new`: one more seat, beside
   * those that the waitlist needs. `awaited`: the seat for the first user of the waitlist. `reserved`:
   * the seat that a live invitation has reserved; it is granted also at a full limit.
   */
  readonly kind: 'founding' | 'new' | 'awaited' | 'reserved'
  /** Whether the holder is a member already, without a seat. */
  readonly promotes?: boolean
  /** Until when an invitation reserves the seat once it is in D1; null for a membership's. */
  readonly until: Date | null
}

/** A seat that may be used if the guards hold when the membership is written. */
export interface SeatGrant {
  /** Statements for the batch that writes the membership. */
  readonly guards: readonly Statement[]
  /** Seats in use with this one, if the provider counts when it grants. */
  readonly count: SeatCount | null
  /** The epoch of the ledger that granted it. */
  readonly epoch?: number
}

/** The seat limit of an organization with its version. A version that is not newer is ignored. */
export interface Entitlement {
  readonly organizationId: string
  readonly version: number
  readonly limit: SeatLimit
  /** The limits of the types of seats; without them those of the configuration. */
  readonly typeLimits?: SeatTypeLimits
}

/** The seats that a provider has stored, and how long a reservation may wait for D1. */
export interface SeatInspection extends LedgerSnapshot {
  readonly reservationSeconds: number
}

/** The outbox of the seat ledgers, as the trail's cursors name it. */
export const LEDGER_OUTBOX = 'seat_ledger'

/**
 * Counts seats. `ledgerSeats` asks a Durable Object per organization, `d1Seats` counts in the batch
 * itself, `unlimitedSeats` does not count. A provider that cannot answer refuses with `seats_unavailable`
 * or throws `StoreUnavailable`; it never grants a seat then.
 */
export interface SeatProvider {
  /** Whether a limit is enforced. If not, setting a limit is refused. */
  readonly enforces: boolean
  /** The limit of an organization without an entitlement. Default unlimited. */
  readonly defaultLimit?: SeatLimit
  /** Whether it counts each type of seats by itself. Without it `roles.seatTypes` is refused. */
  readonly countsTypes?: boolean
  /** Requests a seat before D1 has a row for it. */
  reserve(context: SeatContext, request: SeatRequest): Promise<Result<SeatGrant, ReserveRefusal>>
  /**
   * Requests several seats of one organization at once: the first requests are granted while there are
   * seats. The results are in the order of the requests, which are of one type. All granted seats are
   * used in one batch, in their order, so the first grant may bring the guards of all.
   */
  reserveEach(
    context: SeatContext,
    requests: readonly SeatRequest[]
  ): Promise<readonly Result<SeatGrant, ReserveRefusal>[]>
  /**
   * Confirms that the membership is in D1, or with `until` the invitation, which reserves the seat until
   * then. It runs after the change; a lost call is repaired later.
   */
  confirm(context: SeatContext, seat: SeatReference, until: Date | null): Promise<void>
  /**
   * Frees a seat whose membership was deleted from D1, or was certainly not written. Idempotent. It may
   * throw, as may `confirm`: a provider that can miss the call reads the trail.
   */
  release(context: SeatContext, seat: SeatReference): Promise<void>
  /** Passes on an entitlement that is in D1, and returns the count under it. */
  setLimit(
    context: SeatContext,
    entitlement: Entitlement
  ): Promise<Result<SeatCount, 'seats_unavailable'>>
  /** Returns the seats in use of a type, and the limit. Default: the default type. */
  usage(
    context: SeatContext,
    organizationId: string,
    type?: SeatType
  ): Promise<Result<SeatCount, 'seats_unavailable'>>
  /** Returns the provider's own record, to be compared with D1; null if it has not started. */
  inspect?(
    context: SeatContext,
    organizationId: string,
    type?: SeatType
  ): Promise<Result<SeatInspection | null, 'seats_unavailable'>>
  /** Counts again from D1, unless that was done since the record had the epoch `epoch`. */
  renew?(
    context: SeatContext,
    organizationId: string,
    epoch: number,
    type?: SeatType
  ): Promise<Result<SeatCount, 'seats_unavailable'>>
  /** Whether releases and limits that the provider missed reach it by the trail, too. */
  readonly readsTrail?: boolean
}
