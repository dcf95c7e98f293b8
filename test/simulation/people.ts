/**
 * What is true of the organizations at this moment, for those who decide what is done next and for
 * those who check it. It is read from D1 directly, and kept until something is written.
 *
 * @module
 */
import type { Connection } from './sqlite.ts'

export interface MemberView {
  readonly user_id: string
  readonly role: string
  readonly status: string
  readonly seat_id: string | null
}

export interface InvitationView {
  readonly id: string
  readonly email: string
  readonly role: string
  readonly seat_id: string | null
  readonly expires_at: number
  readonly invited_by_id: string | null
}

/** An invitation that has ended, one of the last. */
export interface EndedInvitation {
  readonly id: string
  readonly email: string
}

export interface DomainView {
  readonly id: string
  readonly verified: boolean
}

/** A wish to join that nothing has come of yet; with a place it is in line. */
export interface RequestView {
  readonly id: string
  readonly user_id: string
  readonly role: string
  readonly place: number | null
  readonly decided_by_id: string | null
}

export interface OrganizationView {
  readonly id: string
  readonly name: string
  readonly slug: string
  readonly deleted: boolean
  readonly members: readonly MemberView[]
  /** Those that nothing but the clock has ended. */
  readonly unfinished: readonly InvitationView[]
  readonly ended: readonly EndedInvitation[]
  /** The ids of those whom another has removed or suspended. */
  readonly putOut: readonly string[]
  readonly domains: readonly DomainView[]
  readonly requests: readonly RequestView[]
  /** Infinity: unlimited; null: no entitlement. */
  readonly limit: number | null
}

export interface Registry {
  /** Every organization that has ever been in D1, in that order. */
  ids(): readonly string[]
  learn(organizationId: string): void
  view(organizationId: string): OrganizationView | null
  /** What is known of it as it was before the last write. */
  known(organizationId: string): OrganizationView | null
  /** Something has been written. */
  forget(): void
  isFenced(seatId: unknown): boolean
  /** Which ledger is in force, and up to when its fences may have been purged; null: there is none. */
  inForce(
    organizationId: string
  ): { readonly epoch: unknown; readonly fencedThrough: number } | null
  /** Where somebody's session points. */
  pointerOf(userId: string): string | null
  /** Accounts that were made again, with the address of one that was deleted. */
  madeAgain(): readonly string[]
  /** Whether there is an account with this address. */
  isTaken(email: string): boolean
  /** Whether anybody has stood in line since then. */
  hadLineSince(organizationId: string, time: number): boolean
}

export function createRegistry(connection: Connection, now: () => number): Registry {
  const lastInLine = new Map<string, number>()
  const ids: string[] = []
  const known = new Map<string, OrganizationView | null>()
  const read = (id: string): OrganizationView | null => {
    const [row] = connection.all(
      'SELECT name, slug, deleted_at IS NOT NULL AS deleted FROM seatgate_organizations WHERE id = ?',
      [id]
    )
    if (row === undefined) return null
    const [bought] = connection.all(
      'SELECT limit_kind, limit_seats FROM seatgate_entitlements WHERE organization_id = ?',
      [id]
    )
    const limit = bought ? Number(bought['limit_seats'] ?? Infinity) : null
    const requests = connection.all(
      `SELECT id, user_id, role, iif(state = 'waiting', place, NULL) AS place, decided_by_id
       FROM seatgate_join_requests
       WHERE organization_id = ? AND state IN ('open', 'waiting')`,
      [id]
    ) as unknown as RequestView[]
    noteLine(id, requests)
    return {
      id,
      name: String(row['name']),
      slug: String(row['slug']),
      deleted: row['deleted'] === 1,
      members: connection.all(
        'SELECT user_id, role, status, seat_id FROM seatgate_memberships WHERE organization_id = ?',
        [id]
      ) as unknown as MemberView[],
      unfinished: connection.all(
        `SELECT id, email, role, seat_id, expires_at, invited_by_id
         FROM seatgate_invitations WHERE organization_id = ?
         AND accepted_at IS NULL AND revoked_at IS NULL AND declined_at IS NULL`,
        [id]
      ) as unknown as InvitationView[],
      ended: connection.all(
        `SELECT id, email FROM seatgate_invitations WHERE organization_id = ?
         AND (accepted_at IS NOT NULL OR revoked_at IS NOT NULL OR declined_at IS NOT NULL)
         ORDER BY id DESC LIMIT 5`,
        [id]
      ) as unknown as EndedInvitation[],
      putOut: connection
        .all('SELECT user_id FROM seatgate_exclusions WHERE organization_id = ? ORDER BY id', [id])
        .map((person) => String(person['user_id'])),
      domains: connection
        .all(
          'SELECT id, verified_at FROM seatgate_organization_domains WHERE organization_id = ?',
          [id]
        )
        .map((domain) => ({ id: String(domain['id']), verified: domain['verified_at'] !== null })),
      requests,
      limit,
    }
  }
  const noteLine = (id: string, requests: readonly RequestView[]) => {
    if (requests.some(({ place }) => place !== null)) lastInLine.set(id, Infinity)
    else if (lastInLine.get(id) === Infinity) lastInLine.set(id, now())
  }
  return {
    ids: () => ids,
    learn(id) {
      if (!ids.includes(id)) ids.push(id)
    },
    view(id) {
      const there = known.get(id)
      if (there !== undefined) return there
      const view = read(id)
      known.set(id, view)
      return view
    },
    known: (id) => known.get(id) ?? null,
    forget: () => known.clear(),
    isFenced: (seatId) =>
      connection.all('SELECT 1 FROM seatgate_seat_fences WHERE seat_id = ?', [seatId]).length > 0,
    inForce(organizationId) {
      const [row] = connection.all(
        'SELECT epoch, fenced_through FROM seatgate_seat_ledgers WHERE organization_id = ?',
        [organizationId]
      )
      return row ? { epoch: row['epoch'], fencedThrough: Number(row['fenced_through']) } : null
    },
    pointerOf(userId) {
      const [row] = connection.all(
        'SELECT active_organization_id AS pointer FROM seatgate_sessions WHERE user_id = ?',
        [userId]
      )
      return (row?.['pointer'] as string | null | undefined) ?? null
    },
    madeAgain: () =>
      connection
        .all("SELECT id FROM users WHERE id GLOB 'user-*.*' ORDER BY id", [])
        .map(({ id }) => String(id)),
    isTaken: (email) => connection.all('SELECT 1 FROM users WHERE email = ?', [email]).length > 0,
    hadLineSince: (organizationId, time) => (lastInLine.get(organizationId) ?? -Infinity) >= time,
  }
}

/** The seats that D1 has given away at an instant: those of members, and of open invitations. */
export function seatsIn({ members, unfinished }: OrganizationView, now: number): readonly string[] {
  return [
    ...members.flatMap(({ seat_id }) => (seat_id === null ? [] : [seat_id])),
    ...unfinished.flatMap(({ seat_id, expires_at }) =>
      seat_id === null || expires_at <= now ? [] : [seat_id]
    ),
  ]
}

/** D1 without a way to it, for those who only look. */
export function directly(connection: Connection): D1Database {
  const prepare = (sql: string) => ({ sql, params: [] as unknown[], bind: bindTo(sql) })
  const bindTo =
    (sql: string) =>
    (...params: unknown[]) => ({ sql, params })
  return {
    prepare,
    batch: async (statements: { sql: string; params: unknown[] }[]) =>
      statements.map(({ sql, params }) => ({ results: connection.all(sql, params) })),
  } as unknown as D1Database
}
