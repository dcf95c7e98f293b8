import type { Database, Statement } from '../../database/database.ts'
import type { Result } from '../../base/result.ts'
import type { SeatLimit } from './limit.ts'
import type { LedgerSnapshot, ReserveRefusal } from './reserve-rules.ts'
import type { SeatCount } from './seat-count.ts'

/** What a provider works with: the organizations' database and the configured default. */
export interface SeatContext {
  readonly db: Database
  /** The limit of an organization that has no entitlement. */
  readonly defaultLimit: SeatLimit
  readonly now: () => Date
}

/** What a function needs that asks the provider for seats, or counts them. */
export interface ProviderContext {
  readonly seats: SeatProvider
  readonly seatContext: SeatContext
}

/** One seat of one organization. */
export interface SeatReference {
  readonly organizationId: string
  readonly seatId: string
}

/** A request for a seat. The id is new with every admission and never used again. */
export interface SeatRequest extends SeatReference {
  /** Who is to sit there: a user id, or an invitation. One holder has at most one seat. */
  readonly holder: string
  /**
   * `founding`: the seat of the creating owner, counted and never refused. `new`: one more seat,
   * beside those that people in line wait for. `awaited`: the seat of whoever is first in line.
   * `promised`: the seat that a live invitation holds already; it is there also at a full limit.
   */
  readonly kind: 'founding' | 'new' | 'awaited' | 'promised'
}

/** A seat that may be used, provided that the guards hold when the membership is written. */
export interface SeatGrant {
  /** Statements for the batch that writes the membership. */
  readonly guards: readonly Statement[]
  /** Seats in use with this one, if the provider counts when it grants. */
  readonly count: SeatCount | null
  /** The epoch of the ledger that grants it, if one does. */
  readonly epoch?: number
}

/** What an organization bought. A lower version than the one on record is ignored. */
export interface Entitlement {
  readonly organizationId: string
  readonly version: number
  readonly limit: SeatLimit
}

/** What a provider has on record, and how long a reservation there may wait for D1. */
export interface SeatInspection extends LedgerSnapshot {
  readonly reservationSeconds: number
}

/** The outbox of the seat ledgers, as the trail's cursors name it. */
export const LEDGER_OUTBOX = 'seat_ledger'

/** The fields of an audit event that a provider reads. */
export interface SeatEvent {
  readonly organizationId: string
  readonly action: string
  readonly targetId: string | null
  readonly metadata: Readonly<Record<string, unknown>>
}

/** A sink of the library's own, through which a provider reads the trail: in order, at least once. */
export interface SeatOutbox {
  readonly id: string
  readonly internal: true
  /** How long an event is tried, in hours. */
  readonly retryHours: number
  accepts(action: string): boolean
  deliver(
    event: SeatEvent
  ): Promise<
    { readonly outcome: 'delivered' } | { readonly outcome: 'retry'; readonly reason: string }
  >
}

/**
 * Where seats are counted. `ledgerSeats` asks a Durable Object per organization, `d1Seats` counts in
 * the batch itself, `unlimitedSeats` does not count. A provider that cannot answer refuses with
 * `seats_unavailable` or throws `StoreUnavailable`; it never admits.
 */
export interface SeatProvider {
  /** False if no limit is enforced; setting one is refused then. */
  readonly enforces: boolean
  /** Asks for a seat. Nothing is in D1 yet. */
  reserve(context: SeatContext, request: SeatRequest): Promise<Result<SeatGrant, ReserveRefusal>>
  /**
   * Asks for several seats of one organization at once: the first get them, for as long as there are
   * any. Each is answered in its place. All that are granted are used in one batch, in their order, so
   * that the first of them may bring the guards of all.
   */
  reserveEach(
    context: SeatContext,
    requests: readonly SeatRequest[]
  ): Promise<readonly Result<SeatGrant, ReserveRefusal>[]>
  /**
   * Tells that the membership is in D1, or with `until` that the invitation is, which holds the seat
   * until then. Off the critical path; what is lost here is made up for.
   */
  confirm(context: SeatContext, seat: SeatReference, until: Date | null): Promise<void>
  /**
   * Frees a seat whose membership is gone from D1, or certain never to be there. Idempotent. May
   * throw, like `confirm`: a provider that can miss it has an outbox to hear it from later.
   */
  release(context: SeatContext, seat: SeatReference): Promise<void>
  /** Tells an entitlement that is in D1, and answers the count under it. */
  setLimit(
    context: SeatContext,
    entitlement: Entitlement
  ): Promise<Result<SeatCount, 'seats_unavailable'>>
  /** Seats in use, and the limit. */
  usage(
    context: SeatContext,
    organizationId: string
  ): Promise<Result<SeatCount, 'seats_unavailable'>>
  /** What is on record beside D1, to be compared with it; null if nothing is yet. */
  inspect?(
    context: SeatContext,
    organizationId: string
  ): Promise<Result<SeatInspection | null, 'seats_unavailable'>>
  /** Counts anew from D1, unless that has been done since what is on record was under `epoch`. */
  renew?(
    context: SeatContext,
    organizationId: string,
    epoch: number
  ): Promise<Result<SeatCount, 'seats_unavailable'>>
  /** Takes from the audit events what a crash kept the provider from hearing, if it needs that. */
  outbox?(context: SeatContext): SeatOutbox
}
