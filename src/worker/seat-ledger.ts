/**
 * The Durable Object that counts an organization's seats: `seatgate/durable-object`.
 *
 * @module
 */
import { ok, refused, type RefusalCode, type RefusalOf, type Result } from '../base/result.ts'
import {
  decideReserve,
  type LedgerSnapshot,
  type ReserveRefusal,
} from '../engine/seats/reserve-rules.ts'
import { DurableObject } from 'cloudflare:workers'
import { drizzle } from 'drizzle-orm/d1'
import { reportToConsole } from '../report-to-console.ts'
import type { Report } from '../base/runtime.ts'
import { sealEvents } from '../parts/log/seal-events.ts'
import type { Sealed, SealRequest, Sign } from '../engine/audit/sealer.ts'
import type {
  CloseRequest,
  ConfirmRequest,
  LedgerCalls,
  LedgerGrant,
  LedgerRequest,
  ReserveRequest,
} from '../parts/ledger/protocol.ts'
import type { Entitlement, SeatReference } from '../engine/seats/provider.ts'
import {
  IMPORT_PAGE,
  readSeatPage,
  readSeatsOf,
  startLedger,
} from '../parts/ledger/start-ledger.ts'
import { settleSeats } from '../engine/seats/settle-seats.ts'
import type { SeatCount } from '../engine/seats/limit.ts'
import { openLedgerTables, type LedgerTables, type SeatSought } from './ledger-tables.ts'

/** The bindings that the object needs: the database of the organizations, bound as `DB`. */
export interface SeatLedgerEnv {
  readonly DB: D1Database
}

const SETTLE_AT_ONCE = 500
const RETRY_MS = 10_000

/**
 * One per organization, named by its id: `env.SEATS.getByName(organizationId)`.
 *
 * A conditional insert alone enforces a limit in D1. The object adds reservations with a deadline, one
 * order for claims and limit changes, and refusals that write no row to D1. It is not the source of
 * truth: if its storage is lost, the next call starts it again from D1.
 *
 * Decisions run on synchronous SQL, never after an `await`. The one `await` before them is the start from
 * D1, which all calls wait for. It reads a page; the alarm imports the others, one at a time. Until then
 * seats that are not imported are counted by the number in D1, and a claim reads its own seat from there.
 *
 * @example
 * ```ts
 * export { SeatLedger } from 'seatgate/durable-object'
 * ```
 */
export class SeatLedger extends DurableObject<SeatLedgerEnv> implements LedgerCalls {
  /** Receives reports. A field, so that a stub of the object cannot call it. */
  protected readonly report: (report: Report) => void = reportToConsole
  /** How many rows a call imports from D1. */
  protected readonly importPage: number = IMPORT_PAGE
  readonly #tables: LedgerTables
  #starting: Promise<void> | null = null
  #armedFor: number | null = null
  #sealing: Promise<unknown> = Promise.resolve()

  constructor(ctx: DurableObjectState, env: SeatLedgerEnv) {
    super(ctx, env)
    this.#tables = openLedgerTables(ctx.storage.sql)
  }

  /** Reserves a seat until its deadline. Returns the same answer for the same seat id. */
  reserve(request: ReserveRequest): Promise<Result<LedgerGrant, ReserveRefusal>> {
    return this.#answer(request, () => this.#reserve(request), [request])
  }

  /** Reserves several seats of this organization, in order, while there are any. */
  async reserveEach(
    requests: readonly ReserveRequest[]
  ): Promise<readonly Result<LedgerGrant, ReserveRefusal>[]> {
    const [first] = requests
    if (first === undefined) return []
    const answered = await this.#answer(
      first,
      () => ok(requests.map((request) => this.#reserve(request))),
      requests
    )
    return answered.ok ? answered.value : requests.map(() => answered)
  }

  /**
   * Confirms that the membership is in D1: the reservation becomes a held seat. With `until` the
   * invitation is in D1: the seat stays reserved until then.
   */
  confirm(request: ConfirmRequest): Promise<Result<null, 'seats_unavailable'>> {
    return this.#answerIfStarted(request, () => this.#settle(request, request.until))
  }

  /** Frees a seat whose membership was deleted from D1, or was certainly not written. */
  release(request: LedgerRequest & SeatReference): Promise<Result<null, 'seats_unavailable'>> {
    return this.#answerIfStarted(request, () => this.#tables.remove(request))
  }

  /** Stores an entitlement that is in D1. A version that is not newer is ignored. */
  setLimit(request: LedgerRequest & Entitlement): Promise<Result<SeatCount, 'seats_unavailable'>> {
    return this.#answer(request, () => {
      this.#tables.setLimit(request.version, request.limit)
      return this.#count(request)
    })
  }

  /**
   * Empties the ledger of a deleted organization, or one that differs from D1; an empty ledger costs no
   * storage. The next call starts it again from D1. With an `epoch` only the ledger of that epoch is
   * emptied: one that was started later stays.
   */
  async close({ epoch }: CloseRequest): Promise<Result<null, 'seats_unavailable'>> {
    await this.#whileStarting()
    if (this.#tables.organizationId() === null) return ok(null)
    const present = this.#tables.epoch()
    if (epoch !== undefined && epoch !== present) return ok(null)
    this.#change(() => this.#tables.clear())
    this.#armedFor = null
    await this.ctx.storage.deleteAlarm()
    return ok(null)
  }

  /**
   * Returns the whole content, to be compared with D1; null if the ledger was not started or still imports
   * it. Does not start it.
   */
  async inspect(
    _request: LedgerRequest
  ): Promise<Result<LedgerSnapshot | null, 'seats_unavailable'>> {
    await this.#whileStarting()
    if (this.#tables.organizationId() === null) return ok(null)
    this.#rearm()
    return ok(this.#tables.snapshot(Date.now()))
  }

  /** Returns the seats in use and the limit. */
  usage(request: LedgerRequest): Promise<Result<SeatCount, 'seats_unavailable'>> {
    return this.#answer(request, () => this.#count(request))
  }

  /**
   * Seals the organization's audit events, one request at a time: of two concurrent ones the second would
   * hash in vain. Calls about seats are served in between.
   *
   * @throws {StoreUnavailable} if D1 does not answer, and any error of `sign`.
   */
  seal(request: SealRequest, sign: Sign): Promise<Sealed> {
    const turn = this.#sealing.then(() => sealEvents(drizzle(this.env.DB), request, sign))
    this.#sealing = turn.catch(() => {})
    return turn
  }

  /**
   * Settles reservations whose deadline has passed, and imports the next page of a start. The clock alone
   * never frees a seat: D1 decides, and keeps a fence if it has no membership. If D1 does not answer the
   * seats stay, and the alarm is set again. It never throws: the platform drops an alarm that failed six
   * times.
   */
  override async alarm(): Promise<void> {
    const organizationId = this.#tables.organizationId()
    if (organizationId === null) return
    this.#armedFor = null
    this.#arm(Date.now() + RETRY_MS)
    try {
      await this.#settleDue(organizationId)
      await this.#importNext(organizationId)
    } catch {
      return
    }
    this.#armedFor = null
    const next = this.#nextAlarm()
    if (next === null) await this.ctx.storage.deleteAlarm()
    else this.#arm(next)
  }

  async #settleDue(organizationId: string): Promise<void> {
    const now = Date.now()
    const due = this.#tables.due(now, SETTLE_AT_ONCE)
    if (due.length === 0) return
    const seatIds = due.map(({ seatId }) => seatId)
    const carried = await settleSeats(drizzle(this.env.DB), organizationId, seatIds, new Date(now))
    if (this.#tables.organizationId() === null) return
    // Calls were served in the meantime: change only seats that are still reserved.
    for (const seat of due) {
      const settled = carried.get(seat.seatId)
      if (settled === undefined || this.#tables.isDouble(seat, settled.userId)) {
        this.#tables.dropReservation(seat)
      } else this.#settle(seat, settled.until?.getTime() ?? null)
    }
  }

  async #importNext(organizationId: string): Promise<void> {
    const [place, epoch] = [this.#tables.place(), this.#tables.epoch()]
    if (place === null) return
    const db = drizzle(this.env.DB)
    const page = await readSeatPage(db, organizationId, place, new Date(), this.importPage)
    this.#change(() => {
      // Another start in the meantime has its own pages.
      if (this.#tables.epoch() === epoch && this.#tables.place()?.after === place.after) {
        this.#tables.import(page)
      }
    })
  }

  // Until its page is imported, a seat that is claimed again, or whose holder has one, is not known here.
  async #importSeats(
    organizationId: string,
    claims: readonly ReserveRequest[],
    epoch: number
  ): Promise<void> {
    const seats = await readSeatsOf(drizzle(this.env.DB), organizationId, claims, new Date())
    this.#change(() => {
      if (this.#tables.epoch() === epoch) this.#tables.import({ seats })
    })
  }

  #change(act: () => void): void {
    try {
      this.ctx.storage.transactionSync(act)
    } finally {
      this.#tables.refresh()
    }
  }

  #count({ defaultLimit }: LedgerRequest): Result<SeatCount, 'seats_unavailable'> {
    if (this.#tables.place()?.stage === 'invitations') return refused({ code: 'seats_unavailable' })
    return ok(this.#tables.count(defaultLimit))
  }

  #reserve(request: ReserveRequest): Result<LedgerGrant, ReserveRefusal> {
    const { seatId, holder, reservationSeconds, until } = request
    const count = this.#tables.count(request.defaultLimit)
    const decision = decideReserve({ ...count, ...this.#tables.seatsOf(request) }, holder)
    if (decision.kind === 'refuse') return refused(this.#certain(decision.refusal))
    if (decision.kind === 'reserve') {
      if (count.limit.kind === 'finite' && !this.#count(request).ok) {
        return refused({ code: 'seats_unavailable' })
      }
      const deadline = Date.now() + reservationSeconds * 1000
      this.#tables.add({ seatId, holder }, deadline, until)
      this.#arm(deadline)
    }
    // The acceptance is about to make the seat a member's. D1 is asked soon, in case the confirmation is
    // lost.
    if (decision.kind === 'repeat') {
      const deadline = Date.now() + reservationSeconds * 1000
      this.#tables.hasten({ seatId, userId: holder }, deadline)
      this.#arm(deadline)
    }
    const epoch = this.#tables.epoch() ?? 0
    return ok({ epoch, at: Date.now(), count: this.#tables.count(request.defaultLimit) })
  }

  // While seats are imported the count may be too high. Then it may refuse, but not with a number.
  #certain(refusal: RefusalOf<ReserveRefusal>): RefusalOf<ReserveRefusal> {
    if (refusal.code !== 'seat_limit_reached' || this.#tables.place() === null) return refusal
    const certain = refusal.used - this.#tables.mayOvercount() >= refusal.limit
    return certain ? refusal : { code: 'seats_unavailable' }
  }

  #settle(seat: SeatSought, until: number | null): void {
    if (until === null) return this.#tables.hold(seat)
    this.#tables.promise(seat, until)
    this.#arm(until)
  }

  // A ledger that was not started needs no update: it reads D1 when it starts.
  async #answerIfStarted(
    { organizationId }: Pick<LedgerRequest, 'organizationId'>,
    act: () => void
  ): Promise<Result<null, 'seats_unavailable'>> {
    if (this.#tables.organizationId() === null && this.#starting === null) return ok(null)
    return this.#answer({ organizationId }, () => {
      act()
      return ok(null)
    })
  }

  async #answer<T, Code extends RefusalCode = never>(
    { organizationId }: Pick<LedgerRequest, 'organizationId'>,
    decide: () => Result<T, Code>,
    claims: readonly ReserveRequest[] = []
  ): Promise<Result<T, Code | 'seats_unavailable'>> {
    try {
      // Another waiting call may have emptied it.
      let known: number | null = null
      do {
        await this.#start(organizationId)
        known = this.#tables.epoch()
        if (known !== null && claims.length > 0 && this.#tables.place()) {
          await this.#importSeats(organizationId, claims, known)
        }
      } while (known === null || this.#tables.epoch() !== known)
    } catch (error) {
      this.report({ event: 'ledger_start_failed', organizationId, error })
      return refused({ code: 'seats_unavailable' })
    }
    return this.ctx.storage.transactionSync(decide)
  }

  #start(organizationId: string): Promise<void> | void {
    const known = this.#tables.organizationId()
    if (known === organizationId) return this.#rearm()
    if (known !== null) throw new Error('This ledger belongs to another organization.')
    this.#starting ??= this.#import(organizationId).finally(() => {
      this.#starting = null
    })
    return this.#starting
  }

  // Waits for the start and ignores its result; each caller checks the state itself.
  async #whileStarting(): Promise<void> {
    await this.#starting?.catch(() => {})
  }

  async #import(organizationId: string): Promise<void> {
    // The type requires the binding, but the host's configuration may lack it.
    if (!this.env.DB) throw new Error('SeatLedger finds no D1 database bound as DB.')
    const db = drizzle(this.env.DB)
    const start = await startLedger(db, organizationId, new Date(), this.importPage)
    this.#change(() => {
      // Seats without a ledger's row have no meaning.
      this.#tables.clear()
      this.#tables.start({ ...start, organizationId })
      this.#rearm()
    })
  }

  // Sets an alarm again that the platform gave up, with the next call.
  #rearm(): void {
    if (this.#armedFor !== null && this.#armedFor > Date.now() - RETRY_MS) return
    this.#armedFor = null
    const next = this.#nextAlarm()
    if (next !== null) this.#arm(next)
  }

  // The next page is imported at once.
  #nextAlarm(): number | null {
    return this.#tables.place() === null ? this.#tables.nextDeadline() : Date.now()
  }

  // The output gate covers this write: no response leaves before it is durable.
  #arm(at: number): void {
    if (this.#armedFor !== null && this.#armedFor <= at) return
    this.#armedFor = at
    void this.ctx.storage.setAlarm(at)
  }
}
