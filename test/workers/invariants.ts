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
  readonly suspended_by: string | null
}

/** The organization itself; `deleted_at` null while it lives. */
export interface OrganizationState {
  readonly name: string
  readonly slug: string
  readonly enforce_mfa_for_members: number
  readonly deleted_at: number | null
}

/** How many members the triggers have counted. */
export interface CountState {
  readonly active: number
  readonly suspended: number
  readonly seats: number
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

export interface InvitationState {
  readonly id: string
  readonly seat_id: string | null
  readonly role: string
  /** Whether its time was over when it was read. */
  readonly expired: number
  readonly accepted_at: number | null
  readonly revoked_at: number | null
  readonly declined_at: number | null
}

/** What both stores hold of one organization. */
export interface State {
  readonly organization: OrganizationState | null
  readonly members: readonly MemberState[]
  readonly invitations: readonly InvitationState[]
  readonly counts: CountState | null
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
  const [organization, members, invitations, counts, events, entitlement, epoch, fences] =
    await testEnv.DB.batch([
      of(`SELECT name, slug, enforce_mfa_for_members, deleted_at FROM organizations
      WHERE id = ?`),
      of(`SELECT user_id, role, status, seat_id, suspended_by FROM memberships
      WHERE organization_id = ?`),
      of(`SELECT id, seat_id, role, expires_at <= ${Date.now()} AS expired, accepted_at, revoked_at, declined_at FROM invitations
      WHERE organization_id = ?`),
      of('SELECT active, suspended, seats FROM member_counts WHERE organization_id = ?'),
      of(`SELECT sequence, action, actor_id, target_id, metadata FROM audit_events
      WHERE organization_id = ? ORDER BY sequence`),
      of('SELECT version, limit_kind, limit_seats FROM entitlements WHERE organization_id = ?'),
      of('SELECT epoch FROM seat_ledgers WHERE organization_id = ?'),
      of('SELECT seat_id FROM seat_fences WHERE organization_id = ?'),
    ])
  const rows = <T>(result: { readonly results: unknown[] } | undefined) =>
    (result?.results ?? []) as T[]
  return {
    organization: rows<OrganizationState>(organization)[0] ?? null,
    members: rows<MemberState>(members),
    invitations: rows<InvitationState>(invitations),
    counts: rows<CountState>(counts)[0] ?? null,
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
    ...miscounted(state),
    ...ownerless(state),
    ...unrecorded(state, circumstances),
  ]
}

const seatsOf = ({ members }: State) =>
  members.flatMap(({ status, seat_id }) =>
    status === 'active' && seat_id !== null ? [seat_id] : []
  )

const stateOf = ({ accepted_at, revoked_at, declined_at }: InvitationState) => {
  if (accepted_at !== null) return 'accepted'
  if (revoked_at !== null) return 'revoked'
  return declined_at === null ? 'unfinished' : 'declined'
}

const promisedSeats = ({ invitations }: State) =>
  invitations.flatMap((row) =>
    stateOf(row) === 'unfinished' && row.expired === 0 && row.seat_id !== null ? [row.seat_id] : []
  )

// Invariant 1. D1 is read first: between the two reads seats may only be added by somebody who joins.
function overshoot(state: State, { usedWhenLowered = 0 }: Circumstances): string[] {
  const wrong: string[] = []
  const carried = [...seatsOf(state), ...promisedSeats(state)]
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
  const promised = new Set(promisedSeats(state))
  for (const { seat_id, state } of ledger.seats) {
    if (!carried.has(seat_id) && !promised.has(seat_id)) wrong.push(`${seat_id} leaked`)
    if (state !== (promised.has(seat_id) ? 'reserved' : 'held')) {
      wrong.push(`${seat_id} is still ${state}`)
    }
  }
  if (ledger.held + ledger.reserved !== ledger.seats.length || ledger.reserved !== promised.size) {
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

// The count that limits rest on without a ledger, against the rows that it stands for.
function miscounted({ members, counts }: State): string[] {
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
    .map((kind) => `${counted[kind]} ${kind} in member_counts, ${there[kind]} in the rows`)
}

// Invariant 4. An organization that is deleted needs nobody; one that comes back does.
function ownerless({ organization, members }: State): string[] {
  if (organization === null || organization.deleted_at !== null) return []
  const owners = members.filter(({ role, status }) => role === 'owner' && status === 'active')
  return owners.length === 0 ? ['no owner'] : []
}

// Invariant 5: told again from its beginning, the trail ends where the tables are.
function unrecorded(state: State, { seatsCounted = true }: Circumstances): string[] {
  const wrong: string[] = []
  const told = retell(state.events, wrong)
  const { members, organization } = state
  const invited = state.invitations.map((row) => [row.id, `${stateOf(row)} ${row.role}`] as const)
  differences('invitation', told.invitations, new Map(invited), wrong)
  const rolesOf = members.map(({ user_id, role }) => [user_id, role] as const)
  differences('member', told.roles, new Map(rolesOf), wrong)
  const standing = members.map((row) => [row.user_id, standingOf(row)] as const)
  differences('standing', told.standing, new Map(standing), wrong)
  if (seatsCounted) {
    const carried = members.flatMap(({ seat_id, user_id }) =>
      seat_id === null ? [] : [[seat_id, user_id] as const]
    )
    // What has expired holds its seat until that is settled; the trail says nothing of the clock.
    const promised = state.invitations.flatMap((row) =>
      stateOf(row) === 'unfinished' && row.seat_id !== null
        ? [[row.seat_id, PROMISED] as const]
        : []
    )
    differences('seat', told.seats, new Map([...carried, ...promised]), wrong)
  }
  for (const { user_id, status, seat_id } of members) {
    if (status === 'suspended' && seat_id !== null) wrong.push(`${user_id} has a seat, suspended`)
  }
  if (organization !== null) {
    const { name, slug, enforce_mfa_for_members, deleted_at } = organization
    const there = { name, slug, mfa: enforce_mfa_for_members === 1, deleted: deleted_at !== null }
    for (const [field, value] of Object.entries(told.organization)) {
      if (there[field as keyof typeof there] !== value) {
        wrong.push(`${field} is on record as ${String(value)}`)
      }
    }
  }
  const bought = state.entitlement
  if ((bought?.version ?? 0) !== told.version) {
    wrong.push(`entitlement v${bought?.version ?? 0}, on record v${told.version}`)
  }
  if (bought && (bought.limit_seats ?? bought.limit_kind) !== told.limit) {
    wrong.push(`limit ${bought.limit_seats}, on record ${String(told.limit)}`)
  }
  return wrong
}

const standingOf = ({ status, suspended_by }: MemberState) =>
  status === 'suspended' ? `suspended by ${suspended_by}` : status

const PROMISED = 'an invitation'

/** Where the events lead to, one after the other. */
function retell(events: readonly EventState[], wrong: string[]) {
  const roles = new Map<string, string>()
  const standing = new Map<string, string>()
  const seats = new Map<string, string>()
  const invitations = new Map<string, string>()
  const seatsEver = new Set<string>()
  // What the first event does not say is known from the first one on that does.
  const organization: { name?: unknown; slug?: unknown; mfa: unknown; deleted: boolean } = {
    mfa: false,
    deleted: false,
  }
  let version = 0
  let limit: unknown = null
  events.forEach(({ sequence, action, actor_id, target_id, metadata }, index) => {
    const say = (problem: string) => wrong.push(`event ${sequence} ${action}: ${problem}`)
    const enter = (userId: string, role: string) => {
      if (roles.has(userId)) say('is a member already')
      roles.set(userId, role)
      standing.set(userId, 'active')
    }
    const follow = (field: 'name' | 'slug', from: string, to: string) => {
      if (field in organization && organization[field] !== metadata[from])
        say(`had another ${field}`)
      organization[field] = metadata[to]
    }
    if (sequence !== index + 1) say(`expected sequence ${index + 1}`)
    switch (action) {
      case 'organization.create':
        if (index !== 0) say('not the first')
        enter(String(actor_id), 'owner')
        break
      case 'organization.member_add':
        enter(target_id, String(metadata['role']))
        break
      case 'organization.member_role_change':
        if (roles.get(target_id) !== metadata['old_role']) say('had another role')
        roles.set(target_id, String(metadata['new_role']))
        break
      case 'organization.ownership_transfer': {
        const [from, to] = [String(metadata['from_user_id']), String(metadata['to_user_id'])]
        if (from === to || to !== target_id) say('went to somebody else')
        if (roles.get(from) !== 'owner') say('was not the owner’s to give')
        for (const userId of [from, to]) {
          if (standing.get(userId) !== 'active') say(`${userId} was not active`)
        }
        roles.set(from, String(metadata['old_owner_role']))
        roles.set(to, 'owner')
        break
      }
      case 'organization.member_suspend':
        if (standing.get(target_id) !== 'active') say('was not active')
        standing.set(target_id, `suspended by ${String(metadata['by'])}`)
        break
      case 'organization.member_restore':
        if (standing.get(target_id) !== `suspended by ${String(metadata['by'])}`) {
          say('was not suspended so')
        }
        standing.set(target_id, 'active')
        break
      case 'organization.member_remove':
        if (!roles.delete(target_id)) say('was no member')
        standing.delete(target_id)
        break
      case 'organization.rename':
        follow('name', 'old_name', 'new_name')
        break
      // It does not say what it wrote.
      case 'organization.update':
        delete organization.name
        break
      case 'organization.slug_change':
        follow('slug', 'old_slug', 'new_slug')
        break
      case 'organization.mfa_policy_change':
        if (organization.mfa !== metadata['old_value']) say('had another policy')
        organization.mfa = metadata['new_value']
        break
      case 'organization.delete':
      case 'organization.restore': {
        const deleted = action === 'organization.delete'
        if (organization.deleted === deleted) say('was so already')
        organization.deleted = deleted
        break
      }
      case 'organization.invitation.created':
        invitations.set(target_id, `unfinished ${String(metadata['role'])}`)
        break
      case 'organization.invitation.role_change':
        invitations.set(target_id, `unfinished ${String(metadata['new_role'])}`)
        break
      case 'organization.invitation.resent':
      case 'organization.invitation.accepted':
      case 'organization.invitation.revoked':
      case 'organization.invitation.declined': {
        const [was, role] = (invitations.get(target_id) ?? '').split(' ')
        if (was !== 'unfinished') say('was not unfinished')
        const is = action.endsWith('resent') ? 'unfinished' : action.split('.').at(-1)
        invitations.set(target_id, `${is} ${role}`)
        break
      }
      case 'seat.reserved':
        if (seatsEver.has(target_id)) say('the seat id was used before')
        seatsEver.add(target_id)
        seats.set(target_id, PROMISED)
        break
      case 'seat.assigned':
        if (seatsEver.has(target_id) && seats.get(target_id) !== PROMISED) {
          say('the seat id was used before')
        }
        seatsEver.add(target_id)
        seats.set(target_id, String(metadata['user_id']))
        break
      case 'seat.released':
        if (seats.get(target_id) !== (metadata['user_id'] ?? PROMISED)) {
          say('was not this person’s seat')
        }
        seats.delete(target_id)
        break
      case 'seat.limit_changed':
        if (!(Number(metadata['version']) > version)) say('the version did not rise')
        version = Number(metadata['version'])
        limit = metadata['limit']
        break
      // Where somebody works is not where they may.
      case 'organization.domain.added':
      case 'organization.domain.verified':
      case 'organization.domain.mode_change':
      case 'organization.domain.removed':
      case 'organization.join_request.created':
      case 'organization.join_request.approved':
      case 'organization.join_request.queued':
      case 'organization.join_request.declined':
      case 'organization.join_request.withdrawn':
      case 'organization.join_request.closed':
      case 'organization.active_switched':
      case 'organization.active_auto_reassigned':
        break
      default:
        say('is not known here')
    }
  })
  return { roles, standing, seats, invitations, organization, version, limit }
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
