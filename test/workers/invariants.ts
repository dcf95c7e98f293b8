/**
 * The invariants, each as a function over what the two stores hold: it answers what is wrong.
 */
import { runInDurableObject } from 'cloudflare:test'
import { testEnv } from './setup.ts'

export interface MemberState {
  readonly user_id: string
  readonly role: string
  readonly status: string
  readonly seat_id: string | null
}

export interface EventState {
  readonly sequence: number
  readonly action: string
  readonly actor_id: string | null
  readonly target_id: string
  readonly metadata: Readonly<Record<string, unknown>>
}

export interface LedgerState {
  readonly epoch: number
  readonly version: number
  readonly limit_kind: string
  readonly limit_seats: number | null
  readonly held: number
  readonly reserved: number
  readonly seats: readonly {
    readonly seat_id: string
    readonly holder: string
    readonly state: string
  }[]
}

/** What both stores hold of one organization. */
export interface State {
  readonly members: readonly MemberState[]
  readonly events: readonly EventState[]
  readonly entitlement: {
    readonly version: number
    readonly limit_kind: string
    readonly limit_seats: number | null
  } | null
  readonly epoch: number
  readonly fences: readonly string[]
  /** Null: not started. */
  readonly ledger: LedgerState | null
}

/** Reads D1 first, in one batch, then the ledger. */
export async function readState(organizationId: string): Promise<State> {
  const of = (sql: string) => testEnv.DB.prepare(sql).bind(organizationId)
  const [members, events, entitlement, epoch, fences] = await testEnv.DB.batch([
    of('SELECT user_id, role, status, seat_id FROM memberships WHERE organization_id = ?'),
    of(`SELECT sequence, action, actor_id, target_id, metadata FROM audit_events
      WHERE organization_id = ? ORDER BY sequence`),
    of('SELECT version, limit_kind, limit_seats FROM entitlements WHERE organization_id = ?'),
    of('SELECT epoch FROM seat_ledgers WHERE organization_id = ?'),
    of('SELECT seat_id FROM seat_fences WHERE organization_id = ?'),
  ])
  const rows = <T>(result: { readonly results: unknown[] } | undefined) =>
    (result?.results ?? []) as T[]
  return {
    members: rows<MemberState>(members),
    events: rows<EventState & { metadata: string }>(events).map((event) => ({
      ...event,
      metadata: JSON.parse(event.metadata) as Record<string, unknown>,
    })),
    entitlement: rows<NonNullable<State['entitlement']>>(entitlement)[0] ?? null,
    epoch: rows<{ epoch: number }>(epoch)[0]?.epoch ?? 0,
    fences: rows<{ seat_id: string }>(fences).map(({ seat_id }) => seat_id),
    ledger: await readLedger(organizationId),
  }
}

export function readLedger(organizationId: string): Promise<LedgerState | null> {
  return runInDurableObject(testEnv.SEATS.getByName(organizationId), (_ledger, { storage }) => {
    const [ledger] = storage.sql.exec('SELECT * FROM ledger').toArray()
    const seats = storage.sql.exec('SELECT seat_id, holder, state FROM seats').toArray()
    return ledger ? ({ ...ledger, seats } as unknown as LedgerState) : null
  })
}

/** Ledgers in D1 whose organization does not exist. */
export async function ledgersOfNobody(): Promise<unknown[]> {
  const { results } = await testEnv.DB.prepare(
    `SELECT organization_id FROM seat_ledgers
     WHERE organization_id NOT IN (SELECT id FROM organizations)`
  ).all()
  return results
}

export interface Circumstances {
  /** Nothing is under way, and what a crash left behind has been settled. */
  readonly quiet: boolean
  /** Seats in use when the limit was lowered below them. */
  readonly usedWhenLowered?: number
  /** Whether seats are counted at all. */
  readonly seatsCounted?: boolean
}

/** Everything that is wrong with an organization. */
export async function violations(
  organizationId: string,
  circumstances: Circumstances
): Promise<string[]> {
  return violationsIn(await readState(organizationId), circumstances)
}

export function violationsIn(state: State, circumstances: Circumstances): string[] {
  return [
    ...overshoot(state, circumstances),
    ...(circumstances.quiet ? leak(state) : []),
    ...doubledMembers(state),
    ...ownerless(state),
    ...unrecorded(state, circumstances),
  ]
}

const seatsOf = ({ members }: State) =>
  members.flatMap(({ status, seat_id }) =>
    status === 'active' && seat_id !== null ? [seat_id] : []
  )

// Invariant 1. D1 is read first: between the two reads seats may only be added by somebody who joins.
function overshoot(state: State, { usedWhenLowered = 0 }: Circumstances): string[] {
  const wrong: string[] = []
  const carried = seatsOf(state)
  const limit = state.entitlement?.limit_seats ?? Infinity
  const most = Math.max(limit, 1, usedWhenLowered)
  if (carried.length > most) wrong.push(`${carried.length} members, at most ${most} allowed`)
  for (const seat of carried) if (state.fences.includes(seat)) wrong.push(`${seat} is fenced`)
  if (state.ledger === null) return wrong
  const { seats } = state.ledger
  if (seats.length > most) wrong.push(`${seats.length} seats in the ledger, at most ${most}`)
  const known = new Set(seats.map(({ seat_id }) => seat_id))
  for (const seat of carried) if (!known.has(seat)) wrong.push(`the ledger does not know ${seat}`)
  return wrong
}

// Invariant 2.
function leak(state: State): string[] {
  const { ledger, entitlement } = state
  if (ledger === null) return []
  const wrong: string[] = []
  const carried = new Set(seatsOf(state))
  for (const { seat_id, state } of ledger.seats) {
    if (!carried.has(seat_id)) wrong.push(`${seat_id} leaked`)
    if (state !== 'held') wrong.push(`${seat_id} is still ${state}`)
  }
  if (ledger.held !== ledger.seats.length || ledger.reserved !== 0) {
    wrong.push(`counts ${ledger.held} + ${ledger.reserved} for ${ledger.seats.length} seats`)
  }
  if (ledger.epoch !== state.epoch) wrong.push(`epoch ${ledger.epoch}, in force ${state.epoch}`)
  const bought = entitlement ?? { version: 0, limit_kind: ledger.limit_kind, limit_seats: null }
  if (
    ledger.version !== bought.version ||
    ledger.limit_kind !== bought.limit_kind ||
    ledger.limit_seats !== bought.limit_seats
  ) {
    wrong.push(
      `limit ${ledger.limit_seats} v${ledger.version} in the ledger, ` +
        `${bought.limit_seats} v${bought.version} in D1`
    )
  }
  return wrong
}

// Invariant 3. What was acknowledged, each test knows itself.
function doubledMembers({ members }: State): string[] {
  const ids = members.map(({ user_id }) => user_id)
  const twice = ids.filter((id, index) => ids.indexOf(id) !== index)
  return twice.map((id) => `${id} is a member twice`)
}

// Invariant 4.
function ownerless({ members }: State): string[] {
  const owners = members.filter(({ role, status }) => role === 'owner' && status === 'active')
  return owners.length === 0 ? ['no owner'] : []
}

// Invariant 5: told again from its beginning, the trail ends where the tables are.
function unrecorded(state: State, { seatsCounted = true }: Circumstances): string[] {
  const wrong: string[] = []
  const roles = new Map<string, string>()
  const seats = new Map<string, string>()
  const seatsEver = new Set<string>()
  let version = 0
  let limit: unknown = null
  state.events.forEach(({ sequence, action, actor_id, target_id, metadata }, index) => {
    const say = (problem: string) => wrong.push(`event ${sequence} ${action}: ${problem}`)
    if (sequence !== index + 1) say(`expected sequence ${index + 1}`)
    switch (action) {
      case 'organization.create':
        if (index !== 0) say('not the first')
        roles.set(String(actor_id), 'owner')
        break
      case 'organization.member_add':
        if (roles.has(target_id)) say('is a member already')
        roles.set(target_id, String(metadata['role']))
        break
      case 'organization.member_role_change':
        if (roles.get(target_id) !== metadata['old_role']) say('had another role')
        roles.set(target_id, String(metadata['new_role']))
        break
      case 'organization.member_remove':
        if (!roles.delete(target_id)) say('was no member')
        break
      case 'seat.assigned':
        if (seatsEver.has(target_id)) say('the seat id was used before')
        seatsEver.add(target_id)
        seats.set(target_id, String(metadata['user_id']))
        break
      case 'seat.released':
        if (seats.get(target_id) !== metadata['user_id']) say('was not this person’s seat')
        seats.delete(target_id)
        break
      case 'seat.limit_changed':
        if (!(Number(metadata['version']) > version)) say('the version did not rise')
        version = Number(metadata['version'])
        limit = metadata['limit']
        break
    }
  })
  const present = new Map(state.members.map(({ user_id, role }) => [user_id, role]))
  differences('member', roles, present, wrong)
  if (seatsCounted) {
    const carried = state.members.flatMap(({ seat_id, user_id }) =>
      seat_id === null ? [] : [[seat_id, user_id] as const]
    )
    differences('seat', seats, new Map(carried), wrong)
  }
  const bought = state.entitlement
  if ((bought?.version ?? 0) !== version) {
    wrong.push(`entitlement v${bought?.version ?? 0}, on record v${version}`)
  }
  if (bought && (bought.limit_seats ?? bought.limit_kind) !== limit) {
    wrong.push(`limit ${bought.limit_seats}, on record ${String(limit)}`)
  }
  return wrong
}

function differences(
  what: string,
  told: ReadonlyMap<string, string>,
  present: ReadonlyMap<string, string>,
  wrong: string[]
): void {
  for (const [id, value] of told) {
    if (present.get(id) !== value) wrong.push(`${what} ${id} is on record and not there`)
  }
  for (const [id, value] of present) {
    if (told.get(id) !== value) wrong.push(`${what} ${id} is there and not on record`)
  }
}
