import type { CheckedSeatTypes, EntitlementState } from './pools.ts'

/** The row of a membership. */
export interface MemberState {
  readonly user_id: string
  readonly role: string
  readonly status: string
  readonly seat_id: string | null
  readonly suspended_by: string | null
}

/** The organization; `deleted_at` is null while it is live. */
export interface OrganizationState {
  readonly name: string
  readonly slug: string
  readonly enforce_mfa_for_members: number
  readonly deleted_at: number | null
}

/** The member counts of the triggers. */
export interface CountState {
  readonly active: number
  readonly suspended: number
  readonly seats: number
}

/** An audit event. */
export interface EventState {
  readonly sequence: number
  readonly action: string
  readonly actor_id: string | null
  readonly target_id: string
  readonly metadata: Readonly<Record<string, unknown>>
}

/** An invitation, and whether it had expired when it was read. */
export interface InvitationState {
  readonly id: string
  readonly seat_id: string | null
  readonly role: string
  readonly expired: number
  readonly accepted_at: number | null
  readonly revoked_at: number | null
  readonly declined_at: number | null
}

/** The row of a request to join. */
export interface RequestState {
  readonly id: string
  readonly role: string
}

/** The content of a ledger's storage. */
export interface LedgerState {
  readonly epoch: number
  readonly version: number
  readonly limit_kind: string
  readonly limit_seats: number | null
  readonly held: number
  readonly reserved: number
  /** The rows of D1 that are being imported; left out when the import is over. */
  readonly stage?: 'invitations' | 'members'
  /** The seats of members in D1 that are counted and not imported yet. */
  readonly pending?: number
  readonly seats: readonly {
    readonly seat_id: string
    readonly holder: string
    readonly state: string
  }[]
}

/** The content of D1 for one organization. */
export interface StoredState {
  readonly organization: OrganizationState | null
  readonly members: readonly MemberState[]
  readonly invitations: readonly InvitationState[]
  readonly counts: CountState | null
  readonly events: readonly EventState[]
  readonly entitlement: EntitlementState | null
  /** The epoch of the ledger in force; 0 if no ledger was ever started. */
  readonly epoch: number
  readonly fences: readonly string[]
  /** The sequence up to which retention purged the trail. Default 0: the trail is complete. */
  readonly horizon?: number
  /** The requests on the waitlist, in order. */
  readonly line: readonly string[]
  /** The requests to join, in any state. Needed with types of seats. */
  readonly requests?: readonly RequestState[]
}

/** The content of both stores for one organization. */
export interface State extends StoredState {
  /** Null if the ledger is not started, or seats are counted in D1 only. */
  readonly ledger: LedgerState | null
  /** The ledgers of the types of seats, by type; one that is not started may be left out. */
  readonly typeLedgers?: Readonly<Record<string, LedgerState | null>>
}

/** The circumstances at the moment when the state was read. */
export interface Circumstances {
  /** Whether no change is in progress, and all leftovers of a crash have been settled. */
  readonly quiet: boolean
  /** Seats in use when the limit was lowered below them. */
  readonly usedWhenLowered?: number
  /** Whether seats are counted: false with `unlimitedSeats()`. */
  readonly seatsCounted?: boolean
  /** The types of seats that the host passes to `seatTypes()`. Default `{}`. */
  readonly seatTypes?: CheckedSeatTypes
  /** The owner's role, `roles.owner` of the host. Default `"owner"`. */
  readonly ownerRole?: string
  /** The limit without an entitlement, if it is the same for all organizations. */
  readonly defaultLimit?: number | 'unlimited'
}

/**
 * Reads the content of D1 for an organization, in one batch. Read it before the ledger: between the two
 * reads only joins may change seats.
 *
 * @example
 * ```ts
 * const stored = await readStored(env.DB, organizationId)
 * const wrong = violations({ ...stored, ledger: null }, { quiet: false })
 * ```
 */
export async function readStored(
  database: D1Database,
  organizationId: string,
  now: Date = new Date()
): Promise<StoredState> {
  const answers = await database.batch(
    QUESTIONS.map((sql) =>
      sql.includes('?2')
        ? database.prepare(sql).bind(organizationId, now.getTime())
        : database.prepare(sql).bind(organizationId)
    )
  )
  return storedFrom(answers.map(({ results }) => results))
}

/** Reads the ids of all organizations, deleted ones too. */
export async function organizationsIn(database: D1Database): Promise<readonly string[]> {
  const { results } = await database
    .prepare('SELECT id FROM seatgate_organizations ORDER BY id')
    .all<{ id: string }>()
  return results.map(({ id }) => id)
}

const QUESTIONS = [
  `SELECT name, slug, enforce_mfa_for_members, deleted_at FROM seatgate_organizations WHERE id = ?1`,
  `SELECT user_id, role, status, seat_id, suspended_by FROM seatgate_memberships
    WHERE organization_id = ?1`,
  `SELECT id, seat_id, role, expires_at <= ?2 AS expired, accepted_at, revoked_at, declined_at
    FROM seatgate_invitations WHERE organization_id = ?1`,
  'SELECT active, suspended, seats FROM seatgate_member_counts WHERE organization_id = ?1',
  `SELECT sequence, action, actor_id, target_id, metadata FROM seatgate_audit_events
    WHERE organization_id = ?1 ORDER BY sequence`,
  `SELECT version, limit_kind, limit_seats, type_limits FROM seatgate_entitlements WHERE organization_id = ?1`,
  'SELECT epoch FROM seatgate_seat_ledgers WHERE organization_id = ?1',
  'SELECT seat_id FROM seatgate_seat_fences WHERE organization_id = ?1',
  `SELECT coalesce(max(last_sequence), 0) AS horizon FROM seatgate_audit_purges WHERE organization_id = ?1`,
  `SELECT id FROM seatgate_join_requests WHERE organization_id = ?1 AND state = 'waiting' ORDER BY place`,
  'SELECT id, role FROM seatgate_join_requests WHERE organization_id = ?1 ORDER BY id',
]

function storedFrom(answers: readonly (readonly unknown[])[]): StoredState {
  const rows = <T>(index: number) => (answers[index] ?? []) as readonly T[]
  return {
    organization: rows<OrganizationState>(0)[0] ?? null,
    members: rows<MemberState>(1),
    invitations: rows<InvitationState>(2),
    counts: rows<CountState>(3)[0] ?? null,
    events: rows<EventState & { metadata: string }>(4).map((event) => ({
      ...event,
      metadata: JSON.parse(event.metadata) as Record<string, unknown>,
    })),
    entitlement: rows<EntitlementState>(5)[0] ?? null,
    epoch: rows<{ epoch: number }>(6)[0]?.epoch ?? 0,
    fences: rows<{ seat_id: string }>(7).map(({ seat_id }) => seat_id),
    horizon: rows<{ horizon: number }>(8)[0]?.horizon ?? 0,
    line: rows<{ id: string }>(9).map(({ id }) => id),
    requests: rows<RequestState>(10),
  }
}

/**
 * Reads a ledger from the storage of its object; null if it has not been started.
 *
 * @example
 * ```ts
 * import { runInDurableObject } from 'cloudflare:test'
 *
 * const ledger = await runInDurableObject(env.SEATS.getByName(organizationId), (_, { storage }) =>
 *   readLedger(storage.sql)
 * )
 * ```
 */
export function readLedger(sql: SqlStorage): LedgerState | null {
  const tables = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'ledger'"
  if (sql.exec(tables).toArray().length === 0) return null
  const [ledger] = sql.exec<{ claims: string }>('SELECT * FROM ledger').toArray()
  const [pending] = sql.exec('SELECT stage, pending FROM import').toArray()
  if (!ledger) return null
  const { claims, ...row } = ledger
  const claimed = JSON.parse(claims) as Record<string, unknown>
  const seats = sql
    .exec<{ seat_id: string; holder: string; deadline: number | null }>(
      'SELECT seat_id, holder, deadline FROM seats ORDER BY seat_id'
    )
    .toArray()
    .map(({ seat_id, holder, deadline }) => ({
      seat_id,
      holder,
      state: deadline === null && !Object.hasOwn(claimed, seat_id) ? 'held' : 'reserved',
    }))
  return { ...row, ...pending, seats } as unknown as LedgerState
}
