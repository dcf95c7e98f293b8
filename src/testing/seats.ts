import { limitOf, poolTypes, typeOfSeat, type PoolType } from './pools.ts'
import type { Circumstances, InvitationState, LedgerState, State } from './state.ts'

/** Returns the seats that memberships hold. */
export function carriedSeats({ members }: Pick<State, 'members'>): string[] {
  return members.flatMap(({ status, seat_id }) =>
    status === 'active' && seat_id !== null ? [seat_id] : []
  )
}

/** Returns the seats that pending invitations reserve. */
export function promisedSeats({ invitations }: Pick<State, 'invitations'>): string[] {
  return invitations.flatMap((row) =>
    endOf(row) === 'unfinished' && row.expired === 0 && row.seat_id !== null ? [row.seat_id] : []
  )
}

/** Returns the ledger of a type of seats. */
export function ledgerOf(
  { ledger, typeLedgers = {} }: Pick<State, 'ledger' | 'typeLedgers'>,
  type: PoolType
): LedgerState | null {
  return type === null ? ledger : (typeLedgers[type] ?? null)
}

/** Returns how an invitation ended, without regard to the clock. */
export function endOf({
  accepted_at,
  revoked_at,
  declined_at,
}: Pick<InvitationState, 'accepted_at' | 'revoked_at' | 'declined_at'>) {
  if (accepted_at !== null) return 'accepted'
  if (revoked_at !== null) return 'revoked'
  return declined_at === null ? 'unfinished' : 'declined'
}

/**
 * Invariant 1: neither store has more seats of a type than its limit; the ledger of the type knows every
 * seat in D1, and no seat in use is fenced.
 */
export function overshoot(state: State, circumstances: Circumstances): string[] {
  return poolTypes(circumstances.seatTypes).flatMap((type) => overfull(state, circumstances, type))
}

function overfull(
  state: State,
  { usedWhenLowered = 0, seatTypes }: Circumstances,
  type: PoolType
): string[] {
  const wrong: string[] = []
  const all = [...carriedSeats(state), ...promisedSeats(state)]
  const carried = all.filter((seat) => typeOfSeat(seat) === type)
  const limit = limitOf(state.entitlement, type, seatTypes) ?? Infinity
  // The owner has a seat of the default type at any limit.
  const most = Math.max(limit, type === null ? 1 : 0, usedWhenLowered)
  if (carried.length > most) wrong.push(`${carried.length} members, at most ${most} allowed`)
  for (const seat of carried) if (state.fences.includes(seat)) wrong.push(`${seat} is fenced`)
  const ledger = ledgerOf(state, type)
  if (ledger === null) return wrong
  const used = usedIn(ledger)
  if (used > most) wrong.push(`${used} seats in the ledger, at most ${most}`)
  return [...wrong, ...unknownSeats(carried, ledger)]
}

/** Returns the number of seats that a ledger counts, imported or not. */
export function usedIn({ seats, pending = 0 }: LedgerState): number {
  return seats.length + pending
}

/**
 * Returns seats that D1 has and the ledger does not count, and so would grant a second time. While it
 * imports seats, it counts as many as it does not know yet. Before it knows all invitations it grants
 * no seat.
 */
export function unknownSeats(
  carried: readonly string[],
  { seats, pending = 0, stage }: LedgerState
): readonly string[] {
  const known = new Set(seats.map(({ seat_id }) => seat_id))
  const unknown = carried.filter((seat) => !known.has(seat))
  if (stage === 'invitations' || unknown.length <= pending) return []
  return unknown.map((seat) => `the ledger does not know ${seat}`)
}

/**
 * Invariant 1, between two moments: a ledger that grew did so within its limit. It may keep the seats
 * that it had when the limit was lowered. `used` counts seats, held and reserved.
 */
export function growth(
  before: { readonly used: number },
  after: { readonly used: number; readonly limit: number }
): readonly string[] {
  return after.used > before.used && after.used > after.limit
    ? [`grew from ${before.used} to ${after.used} seats, at most ${after.limit} allowed`]
    : []
}

/**
 * Invariant 2, once quiet: the ledger of each type holds the seats of memberships, has those of pending
 * invitations reserved, and no others. The limit and the epoch of the organization's ledger are those in
 * D1.
 */
export function leak(state: State, { seatTypes }: Pick<Circumstances, 'seatTypes'> = {}): string[] {
  const { ledger } = state
  const wrong = poolTypes(seatTypes).flatMap((type) => leakOf(state, type))
  if (ledger === null) return wrong
  if (ledger.epoch !== state.epoch) wrong.push(`epoch ${ledger.epoch}, in force ${state.epoch}`)
  return [...wrong, ...staleLimit(ledger, state)]
}

function leakOf(state: State, type: PoolType): string[] {
  const ledger = ledgerOf(state, type)
  if (ledger === null) return []
  const wrong: string[] = ledger.stage === undefined ? [] : ['the import is not over']
  const ofType = (seats: readonly string[]) =>
    new Set(seats.filter((seat) => typeOfSeat(seat) === type))
  const carried = ofType(carriedSeats(state))
  const promised = ofType(promisedSeats(state))
  for (const { seat_id, state } of ledger.seats) {
    if (!carried.has(seat_id) && !promised.has(seat_id)) wrong.push(`${seat_id} leaked`)
    if (state !== (promised.has(seat_id) ? 'reserved' : 'held')) {
      wrong.push(`${seat_id} is still ${state}`)
    }
  }
  if (ledger.held + ledger.reserved !== ledger.seats.length || ledger.reserved !== promised.size) {
    wrong.push(`counts ${ledger.held} + ${ledger.reserved} for ${ledger.seats.length} seats`)
  }
  return wrong
}

function staleLimit(ledger: LedgerState, { entitlement }: State): readonly string[] {
  const bought = entitlement ?? { version: 0, limit_kind: ledger.limit_kind, limit_seats: null }
  const same =
    ledger.version === bought.version &&
    ledger.limit_kind === bought.limit_kind &&
    ledger.limit_seats === bought.limit_seats
  if (same) return []
  return [
    `limit ${ledger.limit_seats} v${ledger.version} in the ledger, ` +
      `${bought.limit_seats} v${bought.version} in D1`,
  ]
}

/** Invariant 3: no user is a member twice. Acknowledged memberships are for each test to check. */
export function doubledMembers({ members }: State): string[] {
  const ids = members.map(({ user_id }) => user_id)
  const twice = ids.filter((id, index) => ids.indexOf(id) !== index)
  return twice.map((id) => `${id} is a member twice`)
}

/** Compares the member count, which limits rely on without a ledger, with the rows. */
export function miscounted({ members, counts }: State): string[] {
  const of = (status: string) => members.filter((member) => member.status === status).length
  const counted = { active: 0, suspended: 0, seats: 0, ...counts }
  const there = {
    active: of('active'),
    suspended: of('suspended'),
    seats: members.filter(({ seat_id }) => seat_id !== null).length,
  }
  const kinds = ['active', 'suspended', 'seats'] as const
  return kinds
    .filter((kind) => counted[kind] !== there[kind])
    .map((kind) => `${counted[kind]} ${kind} in seatgate_member_counts, ${there[kind]} in the rows`)
}

/**
 * Invariant 4: every organization has an owner who can act. A deleted organization needs no owner; a
 * restored one does.
 */
export function ownerless({ organization, members }: State, ownerRole = 'owner'): string[] {
  if (organization === null || organization.deleted_at !== null) return []
  const owners = members.filter(({ role, status }) => role === ownerRole && status === 'active')
  return owners.length === 0 ? ['no owner'] : []
}
