import { ok, refused, type RefusalCode, type RefusalOf, type Result } from '../../base/result.ts'
import type { ReserveRefusal } from '../../engine/seats/reserve-rules.ts'
import { checkOptionNames, namesOf } from '../../base/names.ts'
import { sql } from 'drizzle-orm'
import { guard } from '../../database/commit.ts'
import { within } from '../../base/async.ts'
import { observedCall } from '../../engine/access/observed.ts'
import type { LedgerCalls, LedgerGrant, LedgerNamespace, LedgerRequest } from './protocol.ts'
import {
  LEDGER_OUTBOX,
  type Entitlement,
  type ProviderContext,
  type SeatContext,
  type SeatGrant,
  type SeatProvider,
  type SeatReference,
  type SeatRequest,
} from '../../engine/seats/provider.ts'
import { seatLimit, type SeatLimit } from '../../engine/seats/limit.ts'
import {
  checkedDefaultLimit,
  limitByDefault,
  type DefaultLimitOption,
} from '../../engine/seats/count-seats.ts'
import type { TrailConsumer } from '../../engine/audit/consumers.ts'
import type { Brought } from '../../engine/changes/part.ts'
import { cursorConsumer } from '../../engine/delivery/deliver.ts'
import { forwardUnleased, STATEMENTS_UNLEASED } from '../../engine/delivery/forward-unleased.ts'
import type { Sink } from '../../engine/delivery/sink.ts'
import { servesTrails } from '../../engine/delivery/sweep-trails.ts'
import type { TendContext } from '../../engine/delivery/tend-trail.ts'
import { guardWaitlist } from '../../engine/seats/waitlist-seats.ts'
import { poolOf, typeOfSeat, type SeatType, type SeatTypeLimits } from '../../base/seat-types.ts'

/** The fields of an audit event that a ledger reads. */
interface SeatEvent {
  readonly organizationId: string
  readonly action: string
  readonly targetId: string | null
  readonly metadata: Readonly<Record<string, unknown>>
}

/** Options of {@link ledgerSeats}. */
export interface LedgerSeatsOptions extends DefaultLimitOption {
  /** After how many seconds an unconfirmed seat is settled against D1. Default 30. */
  readonly reservationSeconds?: number
  /** For how many seconds to wait for the ledger before growth is refused. Default 10. */
  readonly timeoutSeconds?: number
}

const OPTIONS = namesOf<LedgerSeatsOptions>({
  defaultLimit: true,
  reservationSeconds: true,
  timeoutSeconds: true,
})

/**
 * Counts seats in one Durable Object per organization and type of seats, the class `SeatLedger` of
 * `seatgate/durable-object`. The object counts without asking D1, and refused joins write no row there,
 * even in a rush.
 *
 * @throws {TypeError} if the namespace is not bound or an option is wrong.
 *
 * @example
 * ```ts
 * createSeatgate({ database: drizzle(env.DB), seats: ledgerSeats(env.SEATS), sessions: 'none' })
 * ```
 */
export function ledgerSeats(
  namespace: LedgerNamespace,
  options: LedgerSeatsOptions = {}
): SeatProvider & Brought {
  checkOptionNames('ledgerSeats', options, OPTIONS)
  const { reservationSeconds = 30, timeoutSeconds = 10 } = options
  if (typeof namespace?.getByName !== 'function') {
    throw new TypeError('ledgerSeats: the Durable Object namespace is not bound.')
  }
  for (const [name, value] of Object.entries({ reservationSeconds, timeoutSeconds })) {
    if (!(Number.isFinite(value) && value > 0)) {
      throw new TypeError(`ledgerSeats: ${name} must be a positive number of seconds.`)
    }
  }

  // Each type has a ledger of its own. To the ledger its pool is an organization.
  const call = <T, Code extends RefusalCode>(
    context: SeatContext,
    { organizationId, type }: Pool,
    name: keyof LedgerCalls,
    ask: (ledger: LedgerCalls, request: LedgerRequest) => Promise<Result<T, Code>>
  ) => {
    const pool = poolOf(organizationId, type)
    return callLedger(context, timeoutSeconds, name, () =>
      ask(namespace.getByName(pool), {
        organizationId: pool,
        defaultLimit: limitByDefault(context, type),
      })
    )
  }
  const asked = ({ seatId, holder, until }: SeatRequest) => ({
    seatId,
    holder,
    reservationSeconds,
    ...(until !== null && { until: until.getTime() }),
  })
  const release = (context: SeatContext, seat: SeatReference) =>
    call(context, poolOfSeat(seat), 'release', (ledger, request) =>
      ledger.release({ ...seat, ...request })
    )

  const close = (context: SeatContext, pool: Pool, epoch?: number) =>
    call(context, pool, 'close', (ledger, request) =>
      ledger.close({ ...request, ...(epoch !== undefined && { epoch }) })
    )
  const closeEach = async (
    context: SeatContext,
    organizationId: string,
    ledgers: readonly (readonly [type: SeatType, epoch?: number])[]
  ) => {
    const closed = await Promise.all(
      ledgers.map(([type, epoch]) => close(context, { organizationId, type }, epoch))
    )
    return closed.find((answer) => !answer.ok) ?? ok(null)
  }
  const usage = (context: SeatContext, pool: Pool) =>
    call(context, pool, 'usage', (ledger, request) => ledger.usage(request))
  const limit = (context: SeatContext, pool: Pool, version: number, seats: SeatLimit) =>
    call(context, pool, 'setLimit', (ledger, request) =>
      ledger.setLimit({ ...request, version, limit: seats })
    )

  /** Passes a limit on to the ledger of each type, the default one first. */
  const limitEach = async (context: SeatContext, entitlement: Entitlement) => {
    const { organizationId, version, typeLimits = {} } = entitlement
    const types = Object.entries(typeLimits).filter(([type]) => context.seatTypes.has(type))
    const [first, ...others] = await Promise.all([
      limit(context, { organizationId, type: null }, version, entitlement.limit),
      ...types.map(([type, seats]) =>
        limit(context, { organizationId, type }, version, seatLimit(seats))
      ),
    ])
    return others.find((answer) => !answer.ok) ?? first
  }

  const hear = (
    context: SeatContext,
    event: SeatEvent
  ): Promise<Result<unknown, 'seats_unavailable'>> => {
    const { organizationId, metadata } = event
    switch (event.action) {
      case 'seat.released':
        return release(context, {
          organizationId,
          seatId: event.targetId ?? '',
          ...(typeof metadata['user_id'] === 'string' && { userId: metadata['user_id'] }),
        })
      case 'seat.limit_changed':
        return limitEach(context, limitChange(event))
      case 'seat.drift_repaired':
        return closeEach(context, organizationId, [
          [null, Number(metadata['ledger_epoch'])],
          ...Object.entries((metadata['type_epochs'] ?? {}) as Record<string, number>),
        ])
      default:
        return closeEach(
          context,
          organizationId,
          [null, ...context.seatTypes.keys()].map((type) => [type])
        )
    }
  }

  return {
    enforces: true,
    countsTypes: true,
    defaultLimit: checkedDefaultLimit('ledgerSeats', options),

    async reserve(context, seat) {
      const { organizationId, seatId, kind } = seat
      // A new organization has no ledger. Its first ledger, started on first use, finds the founder's
      // seat in D1; the guard ensures that no ledger was started before.
      if (kind === 'founding') return ok(grant(context, { organizationId, seatId }, FOUNDING))
      const pool = poolOfSeat({ organizationId, seatId })
      const granted = await call(context, pool, 'reserve', (ledger, request) =>
        ledger.reserve({ ...request, ...asked(seat) })
      )
      if (!granted.ok) return refused(inType(granted.error, pool.type))
      return ok(granting(context, seat, granted.value))
    },

    async reserveEach(context, requests): Promise<readonly Result<SeatGrant, ReserveRefusal>[]> {
      const [first] = requests
      if (first === undefined) return []
      const pool = poolOfSeat(first)
      const answered = await call<Answers, never>(
        context,
        pool,
        'reserveEach',
        async (ledger, request) =>
          ok(await ledger.reserveEach(requests.map((seat) => ({ ...request, ...asked(seat) }))))
      )
      if (!answered.ok) return requests.map(() => answered)
      const answers = answered.value.map((answer) =>
        answer.ok ? answer : refused(inType(answer.error, pool.type))
      )
      return grantEach(context, requests, answers)
    },

    async confirm(context, seat, until) {
      const told = await call(context, poolOfSeat(seat), 'confirm', (ledger, request) =>
        ledger.confirm({ ...seat, ...request, until: until?.getTime() ?? null })
      )
      if (!told.ok) throw new Error('The seat ledger did not receive a confirmation.')
    },

    async release(context, seat) {
      const told = await release(context, seat)
      if (!told.ok) throw new Error('The seat ledger did not receive a release.')
    },

    setLimit: limitEach,

    usage: (context, organizationId, type = null) => usage(context, { organizationId, type }),

    async inspect(context, organizationId, type = null) {
      const pool = { organizationId, type }
      const seen = await call(context, pool, 'inspect', (ledger, request) =>
        ledger.inspect(request)
      )
      return seen.ok ? ok(seen.value && { ...seen.value, reservationSeconds }) : seen
    },

    async renew(context, organizationId, epoch, type = null) {
      const pool = { organizationId, type }
      const closed = await close(context, pool, epoch)
      return closed.ok ? usage(context, pool) : closed
    },

    readsTrail: true,
    consumers: [ledgerConsumer(hear)],
    ...servesTrails,
  }
}

type Answers = Awaited<ReturnType<LedgerCalls['reserveEach']>>

/** The seats of one type in one organization, which a ledger counts. */
interface Pool {
  readonly organizationId: string
  readonly type: SeatType
}

function poolOfSeat({ organizationId, seatId }: SeatReference): Pool {
  return { organizationId, type: typeOfSeat(seatId) }
}

// A ledger does not know the type of its seats.
function inType(refusal: RefusalOf<ReserveRefusal>, type: SeatType): RefusalOf<ReserveRefusal> {
  return refusal.code === 'seat_limit_reached' && type !== null
    ? { ...refusal, seatType: type }
    : refusal
}

type Hear = (
  context: SeatContext,
  event: SeatEvent
) => Promise<Result<unknown, 'seats_unavailable'>>

/** Makes the consumer that delivers changes which a ledger missed in a crash. */
function ledgerConsumer(hear: Hear): TrailConsumer {
  const traits = {
    id: LEDGER_OUTBOX,
    internal: true,
    // Without an end: a ledger that missed a release would count the seat until it is rebuilt.
    retryHours: Infinity,
    accepts: (action: string) => HEARD.has(action),
  }
  const sinkIn = (context: SeatContext): Sink => ({
    ...traits,
    async deliver(event) {
      const told = await hear(context, event)
      return told.ok ? delivered : { outcome: 'retry', reason: told.error.code }
    },
  })
  // A repeat has no effect, because a seat id is used once and limits and ledgers have versions.
  return {
    ...cursorConsumer(traits),
    statements: STATEMENTS_UNLEASED,
    run: (context: TendContext & ProviderContext, organizationId, invocation) =>
      forwardUnleased(context, sinkIn(context.seatContext), organizationId, invocation),
  }
}

const HEARD: ReadonlySet<string> = new Set([
  'seat.released',
  'seat.limit_changed',
  'seat.drift_repaired',
  'organization.delete',
])

const delivered = { outcome: 'delivered' } as const

function limitChange({ organizationId, metadata }: SeatEvent): Entitlement {
  const typeLimits = metadata['type_limits'] as SeatTypeLimits | undefined
  return {
    organizationId,
    version: Number(metadata['version']),
    limit: seatLimit(metadata['limit']),
    ...(typeLimits && { typeLimits }),
  }
}

// The ledger's count does not know the waitlist, which is in D1.
function granting(context: SeatContext, request: SeatRequest, granted: LedgerGrant): SeatGrant {
  const { epoch, count } = granted
  const { guards } = grant(context, request, granted)
  return { guards: [...guards, ...guardWaitlist(context, request, count)], count, epoch }
}

// The first grant brings the guards of all seats. They were granted at once, under one epoch, and the
// users on the waitlist must have a seat left when the last of them is taken.
function grantEach(
  context: SeatContext,
  requests: readonly SeatRequest[],
  answers: readonly Result<LedgerGrant, ReserveRefusal>[]
): readonly Result<SeatGrant, ReserveRefusal>[] {
  const granted = requests.flatMap((request, index) => {
    const answer = answers[index]
    return answer?.ok ? [{ request, ...answer.value }] : []
  })
  const [first] = granted
  const grown = granted.findLast(({ request }) => request.kind === 'new')
  const guards = [
    ...(first ? [guardOpen(context, first.request, seatIdsOf(granted))] : []),
    ...(first ? [guardInForce(context, first.request, first)] : []),
    ...(grown ? guardWaitlist(context, grown.request, grown.count) : []),
  ]
  return requests.map((request, index) => {
    const answer = answers[index] ?? refused({ code: 'seats_unavailable' })
    if (!answer.ok) return answer
    const { count, epoch } = answer.value
    return ok({ guards: request === first?.request ? guards : [], count, epoch })
  })
}

/** The epoch and the time of a grant. */
type Authority = Pick<LedgerGrant, 'epoch' | 'at'>

// Used before a ledger exists: any ledger in force did not grant the seat.
const FOUNDING: Authority = { epoch: 0, at: Number.MAX_SAFE_INTEGER }

function grant(context: SeatContext, seat: SeatReference, by: Authority): SeatGrant {
  const guards = [guardOpen(context, seat, [seat.seatId]), guardInForce(context, seat, by)]
  return { guards, count: null }
}

function seatIdsOf(granted: readonly { readonly request: SeatReference }[]): readonly string[] {
  return granted.map(({ request }) => request.seatId)
}

// The fence refuses a write that arrives after its seat was given up. The plan then asks for another
// seat.
function guardOpen({ db }: SeatContext, { seatId }: SeatReference, seatIds: readonly string[]) {
  const theirs =
    seatIds.length === 1
      ? sql`seat_id = ${seatId}`
      : sql`seat_id in (select value from json_each(${JSON.stringify(seatIds)}))`
  return guard(db, 'stale', sql`not exists (select 1 from seatgate_seat_fences where ${theirs})`)
}

// The epoch refuses a write that was admitted by a ledger no longer in force. The time refuses one that
// is so late that the fence of its seat may have been deleted.
function guardInForce({ db }: SeatContext, seat: SeatReference, { epoch, at }: Authority) {
  const { organizationId, type } = poolOfSeat(seat)
  const inForce = sql`coalesce(
      (select case when fenced_through < ${at} then epoch end
        from seatgate_seat_ledgers where organization_id = ${poolOf(organizationId, type)}), 0
    ) = ${epoch}`
  return guard(db, 'ledger_superseded', inForce)
}

/**
 * Calls the ledger, and repeats the call once if the platform marks the error as retryable. Every call
 * may be repeated, because a seat id always names the same seat. Without an answer in time the result is
 * `seats_unavailable`.
 */
function callLedger<T, Code extends RefusalCode = never>(
  context: SeatContext,
  timeoutSeconds: number,
  call: keyof LedgerCalls,
  ask: () => Promise<Result<T, Code>>
): Promise<Result<T, Code | 'seats_unavailable'>> {
  return observedCall(
    context,
    [`seatgate.ledger.${call}`, { 'seatgate.call': call }],
    (took) => ({ name: 'ledger.call', call, ...took }),
    () => askTwice(timeoutSeconds, ask)
  )
}

async function askTwice<T, Code extends RefusalCode>(
  timeoutSeconds: number,
  ask: () => Promise<Result<T, Code>>
): Promise<Result<T, Code | 'seats_unavailable'>> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await within(timeoutSeconds, ask())
    } catch (error) {
      if (attempt === 2 || !isWorthRetrying(error)) {
        return refused({ code: 'seats_unavailable' })
      }
    }
  }
}

// A stub stays broken after its object was reset, so each attempt gets its own.
function isWorthRetrying(error: unknown): boolean {
  const flags = error as { retryable?: unknown; overloaded?: unknown } | null
  return flags?.retryable === true && flags.overloaded !== true
}
