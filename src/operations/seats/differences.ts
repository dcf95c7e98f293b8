/**
 * Finds differences in an organization's seats from the content of D1 and the ledger: pure. A change in
 * progress is not a difference.
 *
 * @module
 */
import {
  readCarriedSeats,
  type CarriedSeat,
  type CarriedSeats,
} from '../../engine/seats/assigned-seats.ts'
import { limitView, type SeatLimit } from '../../engine/seats/limit.ts'
import { limitFrom } from '../../engine/seats/count-seats.ts'
import { invitationHolder, poolOf, typeOfSeat, type SeatType } from '../../base/seat-types.ts'
import type { ProviderContext, SeatInspection } from '../../engine/seats/provider.ts'
import type { AccessContext } from '../../engine/access/roles.ts'
import { ok, refused, type Result } from '../../base/result.ts'
import type { Runtime } from '../../base/runtime.ts'
import { readExpected, readOverview, type Overview } from './stored-state.ts'

/** A difference between D1, which is the source of truth, and a count. */
export interface SeatDifference {
  readonly kind:
    | 'member_count'
    | 'member_without_seat'
    | 'needless_seat'
    | 'misplaced_seat'
    | 'fenced_seat'
    | 'foreign_ledger'
    | 'epoch'
    | 'limit'
    | 'ledger_count'
    | 'unknown_seat'
    | 'leaked_seat'
    | 'seat_holder'
    | 'seat_state'
    | 'seat_deadline'
  /** The id of the seat or the member; null if the difference concerns neither. */
  readonly id: string | null
  /** The value in D1. */
  readonly stored: string
  /** The value in the ledger or, for `member_count`, the counter. */
  readonly counted: string
  /** The type of seats whose ledger or counter differs; left out for the default one. */
  readonly seatType?: string
}

/** The number of memberships of each kind. */
export interface Counts {
  readonly active: number
  readonly suspended: number
  readonly seats: number
}

/** The content of D1 that may contradict itself. */
export interface StoredFacts {
  readonly rows: Counts
  /** The counts of the triggers. */
  readonly counter: Counts
  /** Active members without the seat that their role takes, which the library never writes: id and role. */
  readonly seatless: readonly (readonly [userId: string, role: string])[]
  /** Members whose seat is of another type than their role takes: the role took that one before. */
  readonly misplaced: readonly (readonly [userId: string, role: string, seatId: string])[]
  /** The counts of types that differ from the rows. */
  readonly miscounted: readonly {
    readonly type: string
    readonly rows: number
    readonly counted: number
  }[]
  /** Members with a seat that their role does not take: the role took one before. */
  readonly needless: readonly { readonly userId: string; readonly seatId: string }[]
  /** Seats in use that are fenced. */
  readonly fenced: readonly string[]
}

/** Returns the differences within D1. It is read in one batch, so no change is in progress in it. */
export function differencesWithin({
  rows,
  counter,
  seatless,
  misplaced,
  miscounted,
  needless,
  fenced,
}: StoredFacts): readonly SeatDifference[] {
  const kinds = ['active', 'suspended', 'seats'] as const
  return [
    ...kinds.flatMap((kind) =>
      rows[kind] === counter[kind]
        ? []
        : [difference('member_count', null, `${rows[kind]} ${kind}`, `${counter[kind]} ${kind}`)]
    ),
    ...miscounted.map((each) => ({
      ...difference('member_count', null, `${each.rows} seats`, `${each.counted} seats`),
      seatType: each.type,
    })),
    ...seatless.map(([userId]) => difference('member_without_seat', userId, 'active', 'no seat')),
    ...misplaced.map(([userId, role, seatId]) =>
      difference('misplaced_seat', userId, `a seat for ${role}`, typeOfSeat(seatId) ?? 'default')
    ),
    ...needless.map(({ userId }) => difference('needless_seat', userId, 'no seat', 'a seat')),
    ...fenced.map((seatId) => difference('fenced_seat', seatId, 'in use', 'given up')),
  ]
}

/** The expected content of the ledger, and the events that it has not received. */
export interface Expected {
  readonly organizationId: string
  readonly epoch: number
  readonly version: number
  readonly limit: SeatLimit | null
  readonly seats: CarriedSeats
  readonly unheard: Unheard
  readonly now: Date
}

/** Recorded changes that were not delivered to the ledger before it was read. */
export interface Unheard {
  readonly released: ReadonlySet<string>
  readonly versions: ReadonlySet<number>
  /** The epochs of ledgers that are about to be started again. */
  readonly renewed: ReadonlySet<number>
}

export const nothingUnheard: Unheard = {
  released: new Set(),
  versions: new Set(),
  renewed: new Set(),
}

/** Returns the differences between D1 and a ledger, only for these seats or, without a list, for all. */
export function differencesBetween(
  expected: Expected,
  ledger: SeatInspection,
  suspects?: ReadonlySet<string>
): readonly SeatDifference[] {
  const { organizationId, epoch, seats, unheard } = expected
  if (unheard.renewed.has(ledger.epoch)) return []
  if (ledger.organizationId !== organizationId) {
    return [difference('foreign_ledger', null, organizationId, ledger.organizationId)]
  }
  const entries = new Map(ledger.seats.map((entry) => [entry.seatId, entry]))
  const ids = suspects ?? new Set([...seats.keys(), ...entries.keys()])
  return [
    ...(ledger.epoch === epoch
      ? []
      : [difference('epoch', null, String(epoch), String(ledger.epoch))]),
    ...limitDifference(expected, ledger),
    ...countDifference(ledger),
    ...[...ids].flatMap((id) => {
      const found = seatDifference(expected, ledger, id, seats.get(id), entries.get(id))
      return found === null ? [] : [found]
    }),
  ]
}

function limitDifference(
  { version, limit, unheard }: Expected,
  ledger: SeatInspection
): readonly SeatDifference[] {
  const [stored, counted] = [limitText(limit), limitText(ledger.limit)]
  if (ledger.version === version && stored === counted) return []
  if (ledger.version < version && unheard.versions.has(version)) return []
  return [difference('limit', null, `${stored} v${version}`, `${counted} v${ledger.version}`)]
}

function countDifference({ held, reserved, seats }: SeatInspection): readonly SeatDifference[] {
  const there = seats.filter(({ state }) => state === 'held').length
  const promised = seats.length - there
  if (held === there && reserved === promised) return []
  return [difference('ledger_count', null, `${there} + ${promised}`, `${held} + ${reserved}`)]
}

type Entry = SeatInspection['seats'][number]

function seatDifference(
  { unheard, now }: Expected,
  { reservationSeconds }: SeatInspection,
  id: string,
  carried: CarriedSeat | undefined,
  entry: Entry | undefined
): SeatDifference | null {
  const patienceMs = reservationSeconds * 1000 + CLOCKS_APART_MS
  const settlesSoon = (at: Entry) => at.remainingMs !== null && at.remainingMs <= patienceMs
  if (carried === undefined) {
    if (entry === undefined || unheard.released.has(id) || settlesSoon(entry)) return null
    return difference('leaked_seat', id, 'nobody', entry.holder)
  }
  const { holder, until } = carried
  const leftMs = until && until.getTime() - now.getTime()
  if (entry === undefined) {
    // The ledger's clock may be ahead, so that the invitation has expired for it.
    if (leftMs !== null && leftMs <= CLOCKS_APART_MS) return null
    return difference('unknown_seat', id, holder, 'unknown')
  }
  // A member who joined by an invitation has its seat, under the invitation's name.
  if (entry.holder !== holder && entry.holder !== invitationHolder(id)) {
    return difference('seat_holder', id, holder, entry.holder)
  }
  const settled = now.getTime() - carried.changedAt.getTime() > patienceMs
  if (leftMs === null) {
    if (entry.state === 'held' || settlesSoon(entry) || !settled) return null
    return difference('seat_state', id, 'held', entry.state)
  }
  if (entry.remainingMs === null) return difference('seat_state', id, 'reserved', entry.state)
  if (entry.remainingMs <= leftMs + patienceMs || !settled) return null
  return difference('seat_deadline', id, `${leftMs} ms`, `${entry.remainingMs} ms`)
}

// How far two clocks of the platform may differ.
const CLOCKS_APART_MS = 60_000

function limitText(limit: SeatLimit | null): string {
  return limit === null ? 'default' : String(limitView(limit))
}

function difference(
  kind: SeatDifference['kind'],
  id: string | null,
  stored: string,
  counted: string
): SeatDifference {
  return { kind, id, stored, counted }
}

/** The seats of an organization in D1 and in its ledgers, with the differences. */
export interface Examination {
  readonly organizationId: string
  readonly overview: Overview
  /** The ledger of the default type; null without one, or if it was not started and will start from D1. */
  readonly ledger: SeatInspection | null
  /** The ledgers of the types, by their names. */
  readonly typeLedgers: ReadonlyMap<string, SeatInspection>
  readonly differences: readonly SeatDifference[]
}

const ATTEMPTS = 3

/**
 * Compares both sides without changing them. Reads D1, then the ledger, then D1 again for the suspicious
 * seats: a seat that is in D1 before and after must be in the ledger, and a seat that is only in the
 * ledger must be about to be settled, or have a recorded release that the ledger has not received yet.
 *
 * Refusals: `seats_unavailable` if the ledger does not answer, `operation_in_progress` if it
 * restarts several times during the comparison.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 */
export async function examine(
  context: ExamineContext,
  organizationId: string
): Promise<Result<Examination, 'seats_unavailable' | 'operation_in_progress'>> {
  const { db, roles, seats, now } = context
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const overview = await readOverview(context, organizationId, now())
    const within = differencesWithin(overview)
    const settled = {
      organizationId,
      overview,
      ledger: null,
      typeLedgers: new Map<string, SeatInspection>(),
      differences: within,
    }
    if (!seats.inspect) return ok(settled)
    const carried = await readCarriedSeats(db, organizationId, now())
    const { ledger, differences, ...answer } = await compare(context, overview, carried, null)
    if (answer.refusal) return refused(answer.refusal)
    const found = [...within, ...differences]
    let isOver = !answer.again
    for (const type of isOver ? roles.seatTypes.keys() : []) {
      const other = await compare(context, overview, carried, type)
      if (other.refusal) return refused(other.refusal)
      isOver &&= !other.again
      if (other.ledger) settled.typeLedgers.set(type, other.ledger)
      found.push(...other.differences.map((each) => ({ ...each, seatType: type })))
    }
    if (isOver) return ok({ ...settled, ledger, differences: found })
  }
  return refused({ code: 'operation_in_progress' })

  /** Compares the ledger of a type. `again`: it was started in between, so its content is not compared. */
  async function compare(
    { seatContext }: ExamineContext,
    overview: Overview,
    carried: CarriedSeats,
    type: SeatType
  ) {
    const pool = poolOf(organizationId, type)
    const epoch = type === null ? overview.epoch : (overview.typeEpochs.get(pool) ?? 0)
    const seatsOfType = [...carried].filter(([seatId]) => typeOfSeat(seatId) === type)
    const before: Expected = {
      organizationId: pool,
      epoch,
      ...limitFrom(overview.entitlement, type),
      seats: new Map(seatsOfType),
      unheard: nothingUnheard,
      now: now(),
    }
    const inspected = await seats.inspect?.(seatContext, organizationId, type)
    const none = { again: false, refusal: null, differences: [] as readonly SeatDifference[] }
    if (inspected?.ok === false) return { ...none, ledger: null, refusal: inspected.error }
    const ledger = inspected?.value ?? null
    if (ledger === null) return { ...none, ledger }
    const suspected = differencesBetween(before, ledger)
    if (suspected.length === 0) return { ...none, ledger }
    const suspects = new Set(suspected.flatMap(({ id }) => (id === null ? [] : [id])))
    const after = await readExpected(db, pool, [...suspects], overview, now())
    if (after.epoch !== epoch) return { ...none, ledger, again: true }
    return { ...none, ledger, differences: differencesBetween(after, ledger, suspects) }
  }
}

type ExamineContext = AccessContext & ProviderContext & Pick<Runtime, 'now'>
