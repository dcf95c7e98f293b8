/**
 * What the watch knows of an organization.
 *
 * @module
 */
import type { AccessHost } from '../access/host.ts'
import { permissionsOf, type Holder, type RoleRules } from '../access/rights.ts'
import type { Connection } from '../sqlite.ts'
import { carriedBy, NO_DELEGATION, readDelegation, type DelegationFacts } from './facts.ts'

export interface Event {
  readonly id: string
  readonly sequence: number
  readonly action: string
  readonly actor_type: string
  readonly actor_id: string | null
  readonly effective_user_id: string | null
  readonly target_id: string
  readonly metadata: Readonly<Record<string, unknown>>
  readonly request_id: string | null
  readonly cause_event_id: string | null
  readonly occurred_at: number
}

export interface Member extends Holder {
  readonly status: string
  /** The roles of their groups, as their membership has them. */
  readonly group_roles: string | null
}

export interface Sent {
  readonly role: string
  readonly invited_by_id: string | null
  readonly expires_at: number
}

export interface Known {
  readonly deleted: boolean
  readonly rules: RoleRules
  readonly delegation: DelegationFacts
  readonly members: ReadonlyMap<string, Member>
  /** The roles of API keys. */
  readonly accounts: ReadonlyMap<string, { readonly role: string }>
  /** Open invitations. */
  readonly sent: ReadonlyMap<string, Sent>
  /** Every role that something has which has not ended, with what has it. */
  readonly named: ReadonlyMap<string, string>
  /** The permissions that the role of each invitation had when it was sent. */
  readonly promised: ReadonlyMap<string, readonly string[]>
  sequence: number
}

interface Holding {
  readonly holder: string
}

export const newlyKnown = (): Known => ({
  deleted: false,
  rules: { bounded: true },
  delegation: NO_DELEGATION,
  members: new Map(),
  accounts: new Map(),
  sent: new Map(),
  named: new Map(),
  promised: new Map(),
  sequence: 0,
})

export function readKnown(
  connection: Connection,
  id: string,
  { bounded }: AccessHost,
  before: Known,
  now: number
): Known {
  const rows = <T>(sql: string, ...further: readonly number[]) =>
    new Map(
      connection
        .all(sql, [id, ...further])
        .map((row) => [String(row['key']), row as unknown as T] as const)
    )
  const delegation = readDelegation(connection, id)
  const rules = { bounded, own: delegation.own }
  const sent = rows<Sent>(SENT)
  const members = [...rows<Member>(MEMBERS)].map(
    ([userId, member]) => [userId, { ...member, carried: carriedBy(delegation, userId) }] as const
  )
  const promises = [...sent].map(
    ([key, { role }]) => [key, before.promised.get(key) ?? permissionsOf(rules, role)] as const
  )
  return {
    deleted: rows(DELETED).size > 0,
    rules,
    delegation,
    members: new Map(members),
    accounts: rows<{ role: string }>(ACCOUNTS),
    sent,
    named: new Map(
      [...rows<Holding>(NAMED[0]), ...rows<Holding>(NAMED[1], now)].map(([role, { holder }]) => [
        role,
        holder,
      ])
    ),
    promised: new Map(promises),
    sequence: before.sequence,
  }
}

/** The rights of an event's actor, as things were before it; null: they are nobody who may act. */
export function holderOf(
  { members, accounts }: Known,
  { actor_type, actor_id, effective_user_id }: Event
): Holder | null {
  if (actor_type === 'service_account') return accounts.get(actor_id ?? '') ?? null
  const member = members.get(effective_user_id ?? actor_id ?? '')
  return member?.status === 'active' ? member : null
}

const DELETED =
  'SELECT id AS key FROM seatgate_organizations WHERE id = ? AND deleted_at IS NOT NULL'

const MEMBERS = `SELECT user_id AS key, role, status, group_roles
  FROM seatgate_memberships WHERE organization_id = ?`

const ACCOUNTS = `SELECT id AS key,
  coalesce(role, '[' || (SELECT group_concat(value, ' ') FROM json_each(permissions)) || ']') AS role
  FROM seatgate_api_keys WHERE organization_id = ?1
  UNION ALL SELECT id, 'owner' FROM seatgate_scim_tokens WHERE organization_id = ?1`

const OPEN = 'accepted_at IS NULL AND revoked_at IS NULL AND declined_at IS NULL'

const SENT = `SELECT id AS key, role, invited_by_id, expires_at
  FROM seatgate_invitations WHERE organization_id = ? AND ${OPEN}`

// D1 takes up to five terms in one statement.
const NAMED = [
  `SELECT role AS key, 'a member' AS holder FROM seatgate_memberships WHERE organization_id = ?1
  UNION ALL SELECT value, 'the rights of a member' FROM seatgate_memberships, json_each(group_roles)
    WHERE organization_id = ?1
  UNION ALL SELECT role, 'a request' FROM seatgate_join_requests
    WHERE organization_id = ?1 AND state IN ('open', 'waiting')
  UNION ALL SELECT role, 'a group' FROM seatgate_groups
    WHERE organization_id = ?1 AND role IS NOT NULL`,
  `SELECT role AS key, 'an invitation' AS holder FROM seatgate_invitations
    WHERE organization_id = ?1 AND ${OPEN} AND expires_at > ?2
  UNION ALL SELECT role, 'a link' FROM seatgate_invite_links
    WHERE organization_id = ?1 AND revoked_at IS NULL AND uses_left > 0 AND expires_at > ?2
  UNION ALL SELECT role, 'a key' FROM seatgate_api_keys
    WHERE organization_id = ?1 AND role IS NOT NULL AND coalesce(expires_at, ?2 + 1) > ?2`,
] as const
