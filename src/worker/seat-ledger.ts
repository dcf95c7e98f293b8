/**
 * The Durable Object that counts an organization's seats: `seatgate/durable-object`.
 *
 * @module
 */
import type { RefusalCode } from '../base/refusal.ts'
import type { ReserveRefusal } from '../engine/seats/reserve-rules.ts'
import { DurableObject } from 'cloudflare:workers'
import { drizzle } from 'drizzle-orm/d1'
import { reportToConsole } from '../report-to-console.ts'
import type { Report } from '../base/runtime.ts'
import { sealEvents } from '../parts/log/seal-events.ts'
import type { Sealed, SealRequest, Sign } from '../engine/audit/sealer.ts'
import { ok, refused, type Result } from '../base/result.ts'
import type {
  CloseRequest,
  ConfirmRequest,
  LedgerCalls,
  LedgerGrant,
  LedgerRequest,
  ReserveRequest,
} from '../parts/ledger/protocol.ts'
import type { Entitlement, SeatReference } from '../engine/seats/provider.ts'
import { decideReserve, type LedgerSnapshot } from '../engine/seats/reserve-rules.ts'
import { startLedger } from '../parts/ledger/start-ledger.ts'
import { settleSeats } from '../engine/seats/counts.ts'
import type { SeatCount } from '../engine/seats/seat-count.ts'
import { openLedgerTables, type LedgerTables } from './ledger-tables.ts'

/** What the object needs from its Worker: the database of the organizations, bound as `DB`. */
export interface SeatLedgerEnv {
  readonly DB: D1Database
}

const SETTLE_AT_ONCE = 500
const RETRY_MS = 10_000

/**
 * One per organization, named by its id: `env.SEATS.getByName(organizationId)`.
 *
 * A conditional insert alone keeps a limit in D1. The object adds what that cannot give: seats that
 * are reserved with a deadline, one order for admissions and limit changes, and refusals that write
 * nothing to D1. Nothing in it is the truth:
 * lose it, and the next call starts it anew from D1.
 *
 * Decisions are made on synchronous SQL, never after an `await`; the one `await` before them is the
 * start from D1, which all calls wait for.
 *
 * @example
 * ```ts
 * export { SeatLedger } from 'seatgate/durable-object'
 * ```
 */
export class SeatLedger extends DurableObject<SeatLedgerEnv> implements LedgerCalls {
  /** What the object reports, and where. A field, so that no stub of the object can call it. */
  protected readonly report: (report: Report) => void = reportToConsole
  readonly #tables: LedgerTables
  #starting: Promise<void> | null = null
  #armedFor: number | null = null
  #sealing: Promise<unknown> = Promise.resolve()

  constructor(ctx: DurableObjectState, env: SeatLedgerEnv) {
    super(ctx, env)
    this.#tables = openLedgerTables(ctx.storage.sql)
  }

  /** Takes a seat until its deadline. The same seat id again: the same answer. */
  reserve(request: ReserveRequest): Promise<Result<LedgerGrant, ReserveRefusal>> {
    return this.#answer(request, () => this.#reserve(request))
  }

  /** Takes several seats of this organization, in order, for as long as there are any. */
  async reserveEach(
    requests: readonly ReserveRequest[]
  ): Promise<readonly Result<LedgerGrant, ReserveRefusal>[]> {
    const [first] = requests
    if (first === undefined) return []
    const answered = await this.#answer(first, () =>
      ok(requests.map((request) => this.#reserve(request)))
    )
    return answered.ok ? answered.value : requests.map(() => answered)
  }

  /**
   * The membership is in D1: the reservation becomes a held seat. Or (`until`) the invitation is: the
   * seat stays reserved for as long as that is open.
   */
  confirm(request: ConfirmRequest): Promise<Result<null, 'seats_unavailable'>> {
    const { seatId, until } = request
    return this.#answerIfStarted(request, () => this.#settle(seatId, until))
  }

  /** The membership is gone from D1, or certain never to be there: the seat is free. */
  release(request: LedgerRequest & SeatReference): Promise<Result<null, 'seats_unavailable'>> {
    return this.#answerIfStarted(request, () => this.#tables.remove(request.seatId))
  }

  /** An entitlement that is in D1. A version that is not newer changes nothing. */
  setLimit(request: LedgerRequest & Entitlement): Promise<Result<SeatCount, 'seats_unavailable'>> {
    return this.#answer(request, () => {
      this.#tables.setLimit(request.version, request.limit)
      return ok(this.#tables.count(request.defaultLimit))
    })
  }

  /**
   * The organization is deleted, or what is on record here is not what D1 says: the ledger is empty and
   * costs nothing. If it is ever asked again, it starts anew from D1. With an `epoch` this is for the
   * ledger of that epoch alone: one that has started since stays.
   */
  async close({ epoch }: CloseRequest): Promise<Result<null, 'seats_unavailable'>> {
    await this.#whileStarting()
    const present = this.#tables.epoch()
    if (present === null || (epoch !== undefined && epoch !== present)) return ok(null)
    this.ctx.storage.transactionSync(() => this.#tables.clear())
    this.#armedFor = null
    await this.ctx.storage.deleteAlarm()
    return ok(null)
  }

  /** Everything on record, to be compared with D1; null if there is nothing. It is not started by that. */
  async inspect(
    _request: LedgerRequest
  ): Promise<Result<LedgerSnapshot | null, 'seats_unavailable'>> {
    await this.#whileStarting()
    this.#rearm()
    return ok(this.#tables.snapshot(Date.now()))
  }

  /** Seats in use, and the limit. */
  usage(request: LedgerRequest): Promise<Result<SeatCount, 'seats_unavailable'>> {
    return this.#answer(request, () => ok(this.#tables.count(request.defaultLimit)))
  }

  /**
   * Seals the organization's audit events, one after the other however many ask: of two at once the
   * second would have hashed in vain. Seats are asked for in between.
   *
   * @throws {StoreUnavailable} if D1 does not answer, and whatever `sign` throws.
   */
  seal(request: SealRequest, sign: Sign): Promise<Sealed> {
    const turn = this.#sealing.then(() => sealEvents(drizzle(this.env.DB), request, sign))
    this.#sealing = turn.catch(() => {})
    return turn
  }

  /**
   * Settles reservations whose deadline has passed. A seat is never freed by the clock alone: D1 is
   * asked, and keeps a fence where it has no membership. If D1 does not answer the seats stay, and
   * the alarm comes again. It never throws: the platform drops an alarm that failed six times.
   */
  override async alarm(): Promise<void> {
    const organizationId = this.#tables.organizationId()
    if (organizationId === null) return
    this.#armedFor = null
    this.#arm(Date.now() + RETRY_MS)
    const now = Date.now()
    const due = this.#tables.due(now, SETTLE_AT_ONCE)
    if (due.length > 0) {
      let carried: ReadonlyMap<string, Date | null>
      try {
        carried = await settleSeats(drizzle(this.env.DB), organizationId, due, new Date(now))
      } catch {
        return
      }
      // Calls were answered meanwhile: only what is still reserved is touched.
      for (const seatId of due) {
        const until = carried.get(seatId)
        if (until === undefined) this.#tables.dropReservation(seatId)
        else this.#settle(seatId, until?.getTime() ?? null)
      }
    }
    this.#armedFor = null
    const next = this.#tables.nextDeadline()
    if (next === null) await this.ctx.storage.deleteAlarm()
    else this.#arm(next)
  }

  #reserve(request: ReserveRequest): Result<LedgerGrant, ReserveRefusal> {
    const { seatId, holder, reservationSeconds } = request
    const count = this.#tables.count(request.defaultLimit)
    const decision = decideReserve(
      {
        ...count,
        sameSeat: this.#tables.seatById(seatId),
        sameHolder: this.#tables.seatOf(holder),
      },
      holder
    )
    if (decision.kind === 'refuse') return refused(decision.refusal)
    if (decision.kind === 'reserve') {
      const deadline = Date.now() + reservationSeconds * 1000
      this.#tables.add({ seatId, holder, state: 'reserved' }, deadline)
      this.#arm(deadline)
    }
    // A promised seat that is presented is about to become a member's: D1 is asked soon, should nobody
    // tell what became of it.
    if (decision.kind === 'repeat') {
      const deadline = Date.now() + reservationSeconds * 1000
      this.#tables.hasten(seatId, deadline)
      this.#arm(deadline)
    }
    const epoch = this.#tables.epoch() ?? 0
    return ok({ epoch, at: Date.now(), count: this.#tables.count(request.defaultLimit) })
  }

  #settle(seatId: string, until: number | null): void {
    if (until === null) return this.#tables.hold(seatId)
    this.#tables.promise(seatId, until)
    this.#arm(until)
  }

  // A ledger that is not there has nothing to be told: when it starts, it reads what is true in D1.
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
    decide: () => Result<T, Code>
  ): Promise<Result<T, Code | 'seats_unavailable'>> {
    try {
      // Somebody who waited as well may have closed it.
      do await this.#start(organizationId)
      while (this.#tables.organizationId() === null)
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

  // What comes of it, whoever is told shall see for themselves.
  async #whileStarting(): Promise<void> {
    await this.#starting?.catch(() => {})
  }

  async #import(organizationId: string): Promise<void> {
    // Typed as there, but it is what the host's configuration binds.
    if (!this.env.DB) throw new Error('SeatLedger finds no D1 database bound as DB.')
    const start = await startLedger(drizzle(this.env.DB), organizationId, new Date())
    this.ctx.storage.transactionSync(() => {
      const seats = start.seats.map(({ seatId, holder, until }) => ({
        seatId,
        holder,
        state: until === null ? ('held' as const) : ('reserved' as const),
        deadline: until?.getTime() ?? null,
      }))
      // Seats without their ledger are nobody's.
      this.#tables.clear()
      this.#tables.start({ ...start, organizationId }, seats)
      this.#rearm()
    })
  }

  // An alarm that the platform gave up comes back with the next call.
  #rearm(): void {
    if (this.#armedFor !== null && this.#armedFor > Date.now() - RETRY_MS) return
    this.#armedFor = null
    const next = this.#tables.nextDeadline()
    if (next !== null) this.#arm(next)
  }

  // The write is covered by the output gate like every other: no answer leaves before it is durable.
  #arm(at: number): void {
    if (this.#armedFor !== null && this.#armedFor <= at) return
    this.#armedFor = at
    void this.ctx.storage.setAlarm(at)
  }
}
