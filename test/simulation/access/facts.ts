/**
 * Links, keys, tokens and pushed users of an organization, as D1 has them.
 *
 * @module
 */
import { NO_DELEGATION, readDelegation, type DelegationFacts } from '../delegation/facts.ts'
import type { Connection } from '../sqlite.ts'
import type { AccessHost } from './host.ts'

export interface Link {
  readonly role: string
  readonly domain: string | null
  readonly max_uses: number
  readonly uses_left: number
  readonly expires_at: number
  readonly created_by_id: string | null
  readonly revoked_at: number | null
}

export interface Key {
  /** Its role, or its permissions in brackets. */
  readonly role: string
  readonly created_by_id: string | null
  readonly ends_with_creator: number
  readonly expires_at: number | null
  readonly replaced_by_id: string | null
}

export interface Token {
  readonly expires_at: number | null
}

export interface Pushed {
  readonly user_id: string
  readonly user_name: string
}

/** A request on the waitlist. */
export interface Waiting {
  readonly user_id: string
  readonly role: string
}

export interface AccessFacts {
  /** The waitlist, in order. */
  readonly line: readonly Waiting[]
  readonly deleted: boolean
  readonly links: ReadonlyMap<string, Link>
  readonly keys: ReadonlyMap<string, Key>
  readonly tokens: ReadonlyMap<string, Token>
  readonly pushed: ReadonlyMap<string, Pushed>
  readonly delegation: DelegationFacts
}

export const NO_FACTS: AccessFacts = {
  line: [],
  deleted: false,
  links: new Map(),
  keys: new Map(),
  tokens: new Map(),
  pushed: new Map(),
  delegation: NO_DELEGATION,
}

export function readFacts(
  connection: Connection,
  organizationId: string,
  host: AccessHost
): AccessFacts {
  const rows = <T>(columns: string, table: string) =>
    new Map(
      connection
        .all(`SELECT id, ${columns} FROM seatgate_${table} WHERE organization_id = ? ORDER BY id`, [
          organizationId,
        ])
        .map((row) => [String(row['id']), row as unknown as T])
    )
  const [deleted] = connection.all(
    'SELECT 1 FROM seatgate_organizations WHERE id = ? AND deleted_at IS NOT NULL',
    [organizationId]
  )
  return {
    deleted: deleted !== undefined,
    line: connection.all(
      `SELECT user_id, role FROM seatgate_join_requests
       WHERE organization_id = ? AND state = 'waiting' ORDER BY place`,
      [organizationId]
    ) as unknown as Waiting[],
    links: rows<Link>(
      'role, domain, max_uses, uses_left, expires_at, created_by_id, revoked_at',
      'invite_links'
    ),
    keys: rows<Key>(
      `coalesce(role, '[' || (SELECT group_concat(value, ' ') FROM json_each(permissions)) || ']')
       AS role, created_by_id, ends_with_creator, expires_at, replaced_by_id`,
      'api_keys'
    ),
    tokens: rows<Token>('expires_at', 'scim_tokens'),
    pushed: rows<Pushed>('user_id, user_name', 'scim_users'),
    delegation: host.delegation ? readDelegation(connection, organizationId) : NO_DELEGATION,
  }
}
