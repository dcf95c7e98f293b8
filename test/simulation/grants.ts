/**
 * Who comes to which role, and who has given it: looked at after every batch that may have changed it,
 * by the events that the batch has written and by what was true before it.
 *
 * @module
 */
import type { Sometimes } from '../../src/testing/index.ts'
import { mayGive, permissionsOf, type Holder, type RoleRules } from './access/rights.ts'
import type { AccessHost } from './access/host.ts'
import { carriedBy, NO_DELEGATION, readDelegation } from './delegation/facts.ts'
import { addressOf } from './operations/deed.ts'
import type { Connection } from './sqlite.ts'

export interface Grants {
  /** What is wrong with what has changed in an organization since it was last looked at. */
  changed(organizationId: string): readonly string[]
  /** D1 is another now: what is true there is taken as it is. */
  restored(organizationIds: readonly string[]): void
}

interface Member extends Holder {
  readonly status: string
}

interface Invitation {
  readonly role: string
  readonly invited_by_id: string | null
  readonly accepted_by_id: string | null
  readonly isOpen: boolean
}

interface Request {
  readonly user_id: string
  readonly state: string
  readonly path: string
  readonly decided_by_id: string | null
}

interface Link {
  readonly created_by_id: string | null
  readonly uses_left: number
}

interface Facts {
  readonly rules: RoleRules | null
  readonly members: ReadonlyMap<string, Member>
  readonly links: ReadonlyMap<string, Link>
  /** The roles of API keys, and of the tokens of identity providers. */
  readonly accounts: ReadonlyMap<string, { readonly role: string }>
  readonly invitations: ReadonlyMap<string, Invitation>
  readonly requests: ReadonlyMap<string, Request>
}

interface Event {
  readonly sequence: number
  readonly action: string
  readonly actor_type: string
  /** Who has done it, or as whom an operator has. */
  readonly actor_id: string | null
  readonly target_id: string
  readonly metadata: Readonly<Record<string, unknown>>
}

/** A person whom another has removed or suspended. Their address stays theirs with a new account. */
interface PutOut {
  readonly userId: string
  address: string | null
}

interface Known {
  facts: Facts
  sequence: number
  putOut: readonly PutOut[]
  /** The permissions that the role of each invitation had when it was sent. */
  readonly promised: Map<string, readonly string[]>
}

const NOTHING: Facts = {
  rules: null,
  members: new Map(),
  links: new Map(),
  accounts: new Map(),
  invitations: new Map(),
  requests: new Map(),
}

export function createGrants(
  connection: Connection,
  sometimes: Sometimes,
  access: AccessHost | null = null
): Grants {
  const known = new Map<string, Known>()
  // Of an account that is deleted there is no address any more.
  const addresses = new Map<string, string>()
  const addressNow = (userId: string) => {
    const [row] = connection.all('SELECT email FROM users WHERE id = ?', [userId])
    if (row) addresses.set(userId, String(row['email']))
    return addresses.get(userId) ?? addressOf(userId)
  }

  const read = (id: string): Facts => {
    const rows = <T>(sql: string) =>
      new Map(connection.all(sql, [id]).map((row) => [String(row['key']), row as unknown as T]))
    const delegation = access?.delegation ? readDelegation(connection, id) : NO_DELEGATION
    const members = [...rows<Member>(MEMBERS)].map(
      ([userId, member]) => [userId, { ...member, carried: carriedBy(delegation, userId) }] as const
    )
    return {
      rules: access && { ...access, own: delegation.own },
      members: new Map(members),
      links: access ? rows<Link>(LINKS) : NOTHING.links,
      accounts: access ? rows<{ role: string }>(ACCOUNTS) : NOTHING.accounts,
      invitations: rows<Invitation>(INVITATIONS),
      requests: rows<Request>(REQUESTS),
    }
  }

  const eventsSince = (id: string, sequence: number) =>
    connection
      .all(EVENTS, [id, sequence])
      .map((row) => ({ ...row, metadata: JSON.parse(String(row['metadata'])) }) as unknown as Event)

  const notePromised = ({ promised }: Known, { rules, invitations }: Facts) => {
    for (const [id, { isOpen, role }] of invitations) {
      if (isOpen && !promised.has(id)) promised.set(id, permissionsOf(rules, role))
    }
  }

  const isPutOut = ({ putOut }: Known, userId: string) => {
    const address = addressNow(userId)
    return putOut.some((person) => person.userId === userId || person.address === address)
  }

  const letIn = (there: Known, userId: string) => {
    if (!isPutOut(there, userId)) return
    const address = addressNow(userId)
    there.putOut = there.putOut.filter(
      (person) => person.userId !== userId && person.address !== address
    )
    sometimes('who was put out was let in again')
  }

  /** What an event says of who was put out, and who is let in. */
  const follow = (there: Known, event: Event) => {
    const { action, actor_id, actor_type, target_id, metadata } = event
    const userId = String(metadata['user_id'] ?? target_id)
    switch (action) {
      case 'organization.member_remove':
      case 'organization.member_suspend': {
        if (actor_id === userId || metadata['reason'] !== undefined) return
        there.putOut = [...there.putOut, { userId, address: addressNow(userId) }]
        return
      }
      case 'audit.erasure': {
        for (const person of there.putOut) if (person.userId === userId) person.address = null
        return
      }
      case 'organization.join_request.queued':
        // Whom the identity provider puts in line, it lets in.
        return actor_type === 'service_account' ? letIn(there, userId) : undefined
      case 'organization.join_request.approved':
      case 'organization.member_restore':
        return letIn(there, userId)
      case 'organization.member_add':
        if (metadata['path'] !== 'domain') letIn(there, userId)
    }
  }

  return {
    changed(id) {
      const there = known.get(id) ?? newlyKnown()
      known.set(id, there)
      const [before, after] = [there.facts, read(id)]
      const wrong: string[] = []
      const explained = new Set<string>()
      const renamed = new Map<string, unknown>()
      for (const event of eventsSince(id, there.sequence)) {
        const { action, target_id: target, metadata } = event
        if (action === 'organization.join_request.created') {
          noteRequest(there, before, target, String(metadata['user_id']))
        }
        if (action === 'organization.invitation.revoked') {
          if (metadata['reason'] === 'inviter_lost_role') {
            sometimes('an invitation ended with the rights of its sender')
          }
        }
        if (RENAMING.test(action)) {
          renamed.set(target, metadata['new_role'] ?? metadata['replacement'] ?? target)
        }
        if (RENEWS.test(action)) there.promised.delete(target)
        if (action === 'organization.create')
          for (const key of after.members.keys()) explained.add(key)
        if (GRANTING.has(action)) {
          const userId = String(metadata['to_user_id'] ?? target)
          explained.add(userId)
          const { path } = metadata
          const isAdded = action === 'organization.member_add'
          if (isAdded && (path === 'domain' || path === 'link') && isPutOut(there, userId)) {
            wrong.push(`${userId} was put out, and is in by the ${path}`)
          }
          wrong.push(...ungranted(there.promised, before, after, event, userId))
        }
        follow(there, event)
        there.sequence = event.sequence
      }
      for (const [userId, { role, status }] of after.members) {
        const earlier = before.members.get(userId)
        const was = renamed.get(earlier?.role ?? '') ?? earlier?.role
        const same = was === role && (status !== 'active' || earlier?.status === status)
        // Who hands over the ownership is in the event of who gets it.
        if (!same && !explained.has(userId) && earlier?.role !== 'owner') {
          wrong.push(`${userId} is ${status} as ${role}, and no event says who has let them in`)
        }
      }
      there.facts = after
      notePromised(there, after)
      return wrong
    },
    restored(organizationIds) {
      known.clear()
      for (const id of organizationIds) {
        const there: Known = { ...newlyKnown(), facts: read(id) }
        notePromised(there, there.facts)
        known.set(id, there)
        for (const event of eventsSince(id, 0)) {
          follow(there, event)
          there.sequence = event.sequence
        }
      }
    },
  }

  function noteRequest(there: Known, before: Facts, requestId: string, userId: string) {
    const excluded = isPutOut(there, userId)
    if (before.requests.get(requestId)?.state === 'waiting') {
      sometimes(
        excluded ? 'who was put out lost their place in line' : 'an approval in line lapsed'
      )
    } else if (excluded) {
      sometimes('who was put out asked to come back')
      const known = there.putOut.some((person) => person.userId === userId)
      if (!known) sometimes('who was put out asked with another account')
    }
  }
}

const newlyKnown = (): Known => ({ facts: NOTHING, sequence: 0, putOut: [], promised: new Map() })

const RENEWS = /^organization\.invitation\.(resent|role_change)$/

const RENAMING = /^organization\.role\.(updated|deleted)$/

const GRANTING: ReadonlySet<string> = new Set([
  'organization.member_add',
  'organization.member_role_change',
  'organization.member_restore',
  'organization.ownership_transfer',
])

/** What is wrong with a role that a person has got, as things were before the batch that gave it. */
function ungranted(
  promised: Known['promised'],
  before: Facts,
  after: Facts,
  event: Event,
  userId: string
): readonly string[] {
  const member = after.members.get(userId)
  if (member === undefined) return []
  const roles = [member.role]
  const earlier = before.members.get(userId)
  if (earlier && event.action === 'organization.member_role_change') roles.push(earlier.role)
  const granter = granterOf(before, after, event, userId)
  if (granter === null) return []
  if (granter === 'the domain') {
    return member.role === 'member' ? [] : [`${userId} is ${member.role} by the domain`]
  }
  const machine = event.actor_id === granter ? before.accounts.get(granter) : undefined
  const by: Member = machine
    ? { ...machine, status: 'active' }
    : (before.members.get(granter) ?? { role: 'no member', status: 'gone' })
  const { rules } = before
  const invited = isInvited(before, after, event, userId)
  // What a role has got since it was promised is given by who has added it.
  const given = promised.get(acceptedBy(before, after, userId) ?? '')
  const all = permissionsOf(rules, member.role)
  const may =
    by.status === 'active' &&
    mayGive(
      rules,
      invited ? 'members:invite' : 'members:manage',
      by,
      roles,
      member.role,
      all.filter((each) => given?.includes(each) ?? true)
    )
  if (may) return []
  return [`${userId} is ${member.role} by the word of ${granter}: ${by.role}, ${by.status}`]
}

/** Who has given the role; null: the host. */
function granterOf(
  before: Facts,
  after: Facts,
  { action, actor_id, actor_type, metadata }: Event,
  userId: string
): string | null {
  if (action === 'organization.member_add') {
    const { path } = metadata
    if (path === 'domain') return 'the domain'
    if (path === 'link') return usedLink(before, after)?.created_by_id ?? null
    const accepted = before.invitations.get(acceptedBy(before, after, userId) ?? '')
    if (accepted) return accepted.invited_by_id
    if (path === 'request') {
      for (const [id, request] of before.requests) {
        const joined = after.requests.get(id)?.state === 'joined' && request.user_id === userId
        if (joined && request.state === 'waiting') return request.decided_by_id
      }
    }
  }
  return actor_type === 'system' ? null : actor_id
}

/** Whether somebody is in by the word of one who invites: by a link or an invitation. */
function isInvited(before: Facts, after: Facts, event: Event, userId: string): boolean {
  if (event.action !== 'organization.member_add') return false
  if (event.metadata['path'] === 'link') return true
  return acceptedBy(before, after, userId) !== undefined
}

/** The id of the invitation that somebody has accepted. */
function acceptedBy(before: Facts, after: Facts, userId: string): string | undefined {
  const accepted = [...before.invitations].find(
    ([id, { isOpen }]) => isOpen && after.invitations.get(id)?.accepted_by_id === userId
  )
  return accepted?.[0]
}

function usedLink(before: Facts, after: Facts): Link | undefined {
  const used = [...before.links].find(
    ([id, { uses_left }]) => (after.links.get(id)?.uses_left ?? 0) < uses_left
  )
  return used?.[1]
}

const MEMBERS = `SELECT user_id AS key, role, status FROM seatgate_memberships WHERE organization_id = ?`

const INVITATIONS = `SELECT id AS key, role, invited_by_id, accepted_by_id,
  accepted_at IS NULL AND revoked_at IS NULL AND declined_at IS NULL AS isOpen
  FROM seatgate_invitations WHERE organization_id = ?`

const LINKS = `SELECT id AS key, created_by_id, uses_left
  FROM seatgate_invite_links WHERE organization_id = ? AND uses_left > 0`

const ACCOUNTS = `SELECT id AS key,
  coalesce(role, '[' || (SELECT group_concat(value, ' ') FROM json_each(permissions)) || ']') AS role
  FROM seatgate_api_keys WHERE organization_id = ?1
  UNION ALL SELECT id, 'owner' FROM seatgate_scim_tokens WHERE organization_id = ?1`

const REQUESTS = `SELECT id AS key, user_id, state, path, decided_by_id
  FROM seatgate_join_requests WHERE organization_id = ?`

const EVENTS = `SELECT sequence, action, actor_type, coalesce(effective_user_id, actor_id) AS actor_id,
  target_id, metadata FROM seatgate_audit_events
  WHERE organization_id = ? AND sequence > ? ORDER BY sequence`
