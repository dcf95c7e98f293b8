/**
 * Links, keys, tokens and limits: looked at after every batch that may have changed them, by the events
 * that the batch has written and by what was true before it.
 *
 * @module
 */
import type { Sometimes } from '../../../src/testing/index.ts'
import type { Connection } from '../sqlite.ts'
import { NO_FACTS, readFacts, type AccessFacts, type Key, type Link } from './facts.ts'
import { carriedBy } from '../delegation/facts.ts'
import { typeOfRole, type AccessHost } from './host.ts'
import { mayGive, permissionsOf, rightsOf, type Holder, type RoleRules } from './rights.ts'

export interface AccessWatch {
  /** What is wrong with what has changed in an organization since it was last looked at. */
  changed(organizationId: string): readonly string[]
  /** D1 is another now: what is true there is taken as it is. */
  restored(organizationIds: readonly string[]): void
}

interface Event {
  readonly sequence: number
  readonly action: string
  readonly actor_type: string
  readonly actor_id: string
  readonly target_id: string
  readonly metadata: Readonly<Record<string, unknown>>
  readonly request_id: string | null
  readonly occurred_at: number
}

interface Member extends Holder {
  readonly status: string
}

interface Known {
  facts: AccessFacts
  members: ReadonlyMap<string, Member>
  sequence: number
  readonly uses: Map<string, number>
  /** The permissions that the role of each link had when it was made. */
  readonly promised: Map<string, readonly string[]>
}

const MOST_TOKENS = 2

export function watchAccess(
  connection: Connection,
  host: AccessHost,
  sometimes: Sometimes,
  time: () => number
): AccessWatch {
  const known = new Map<string, Known>()
  /** Every key and token that was ever there. */
  const ever = new Set<string>()
  const readAccess = (id: string): AccessFacts => {
    const facts = readFacts(connection, id, host)
    for (const account of [...facts.keys.keys(), ...facts.tokens.keys()]) ever.add(account)
    return facts
  }

  const membersOf = (id: string, { delegation }: AccessFacts): Known['members'] =>
    new Map(
      connection
        .all('SELECT user_id, role, status FROM seatgate_memberships WHERE organization_id = ?', [
          id,
        ])
        .map((row) => {
          const userId = String(row['user_id'])
          return [userId, { ...(row as unknown as Member), carried: carriedBy(delegation, userId) }]
        })
    )

  const rulesIn = ({ delegation }: AccessFacts): RoleRules => ({ ...host, own: delegation.own })

  const eventsSince = (id: string, sequence: number) =>
    connection
      .all(EVENTS, [id, sequence])
      .map((row) => ({ ...row, metadata: JSON.parse(String(row['metadata'])) }) as unknown as Event)

  const isWaiting = ({ line }: AccessFacts, userId: string) =>
    line.some(({ user_id }) => user_id === userId)

  const countUse = ({ uses }: Known, { action, target_id }: Event) => {
    if (action !== 'organization.invite_link.used') return
    uses.set(target_id, (uses.get(target_id) ?? 0) + 1)
  }

  /** What is wrong with an event, as things were before the batch that has written it. */
  const wrongIn = (before: Known, after: Known, event: Event): readonly string[] => [
    ...(event.action === 'organization.invite_link.used' ? wrongUse(before, event) : []),
    ...(event.actor_type === 'service_account' ? wrongActor(before.facts, event) : []),
    ...wrongPush(after, event),
    ...overtaking(before.facts, event),
    ...beyondLimits(after, event),
  ]

  function wrongUse({ facts, members }: Known, { target_id, occurred_at }: Event): string[] {
    const link = facts.links.get(target_id)
    const say = (problem: string) => [`link ${target_id} let somebody in: ${problem}`]
    if (link === undefined || facts.deleted) return say('it is not there')
    if (link.revoked_at !== null) return say('it is revoked')
    if (link.expires_at <= occurred_at) return say('it has expired')
    if (link.uses_left < 1) return say('it is used up')
    if (link.uses_left === 1) sometimes('a link was used up')
    return isTheirs(link, { facts, members })
      ? []
      : say(`${link.created_by_id} may not invite any more`)
  }

  const isTheirs = (
    { created_by_id, role }: Link,
    { facts, members }: Pick<Known, 'facts' | 'members'>,
    given?: readonly string[]
  ) => {
    const creator = members.get(created_by_id ?? '')
    if (creator?.status !== 'active') return false
    return mayGive(rulesIn(facts), 'members:invite', creator, [], role, given)
  }

  /** The identity provider and machines act while their token or key is there. */
  function wrongActor({ keys, tokens }: AccessFacts, event: Event): string[] {
    const { action, actor_id, occurred_at } = event
    const account = keys.get(actor_id) ?? tokens.get(actor_id)
    if (account === undefined) {
      // A refusal is recorded after its answer: in between its key or token may end.
      if (action === 'seat.limit_reached' && ever.has(actor_id)) return []
      return [`${action} by ${actor_id}, which has ended`]
    }
    const { expires_at } = account
    if (keys.has(actor_id)) sometimes('a key changed something')
    if (expires_at === null || expires_at > occurred_at) return []
    return [`${action} by ${actor_id}, which expired ${occurred_at - expires_at} ms before`]
  }

  /** A person is in or out as the identity provider has said, the moment it is written. */
  function wrongPush({ members, facts }: Known, event: Event): string[] {
    const [, wish] = /^scim (in|out) /.exec(event.request_id ?? '') ?? []
    const { action, metadata, target_id } = event
    if (wish === undefined || !PRESENCE.test(action)) return []
    const userId = String(metadata['user_id'] ?? target_id)
    const isIn = members.get(userId)?.status === 'active'
    if (wish === 'out') {
      if (action !== 'organization.scim_user.created') sometimes('a pushed user was put out')
      const isAhead =
        !isIn && action !== 'organization.scim_user.created' && isWaiting(facts, userId)
      return isIn || isAhead
        ? [`${userId} is ${isIn ? 'in' : 'in line'}, and the provider put them out (${action})`]
        : []
    }
    if (isIn) return []
    if (host.pushed === 'wait' && isWaiting(facts, userId)) {
      sometimes('a pushed user waited')
      return []
    }
    return [`${userId} is out, and the provider put them in (${action})`]
  }

  /** Of those who wait for a seat of one type the first comes first. */
  function overtaking({ line }: AccessFacts, { action, metadata, target_id, actor_type }: Event) {
    const mine = line.find(({ user_id }) => user_id === target_id)
    const isAwaited =
      action === 'organization.member_add' &&
      actor_type === 'system' &&
      metadata['path'] !== undefined
    if (!isAwaited || mine === undefined) return []
    const type = typeOfRole(host)(mine.role)
    const first = line.find(({ role }) => typeOfRole(host)(role) === type)
    return first === mine ? [] : [`${target_id} came before ${first?.user_id}, who was first`]
  }

  function beyondLimits({ members }: Known, { action, metadata, target_id }: Event): string[] {
    const owners = () =>
      [...members].filter(([, { role }]) => role === 'owner').map(([userId]) => userId)
    const gained: Readonly<Record<string, () => readonly string[]>> = {
      'organization.create': owners,
      'organization.restore': owners,
      'organization.member_add': () => [target_id],
      'organization.member_role_change': () => [target_id],
      'organization.ownership_transfer': () => [String(metadata['to_user_id'] ?? target_id)],
    }
    return (gained[action]?.() ?? []).flatMap((userId) => {
      const [count] = connection.all(LIMITED, [userId])
      const [owned, all] = [Number(count?.['owned']), Number(count?.['all_of_them'])]
      const isMember = action !== 'organization.restore'
      return [
        ...(owned > (host.owned ?? Infinity) ? [`${userId} owns ${owned} organizations`] : []),
        ...(isMember && all > (host.memberships ?? Infinity)
          ? [`${userId} is in ${all} organizations`]
          : []),
      ]
    })
  }

  /** What is wrong with what is there, whatever happened. */
  function wrongNow({ facts, members, uses, promised }: Known): string[] {
    const now = time()
    const isValid = ({ expires_at }: { readonly expires_at: number | null }) =>
      expires_at === null || expires_at > now
    const rules = rulesIn(facts)
    // What a role has got since then is given by who has added it.
    const of = (id: string, { role }: Link) => {
      const now = permissionsOf(rules, role)
      const then = promised.get(id) ?? now
      promised.set(id, then)
      return now.filter((each) => then.includes(each))
    }
    const links = [...facts.links].flatMap(([id, link]) => {
      const used = uses.get(id) ?? 0
      const left = link.max_uses - used
      return [
        ...(left < 0 || left !== link.uses_left
          ? [`link ${id} of ${link.max_uses} was used ${used} times, left are ${link.uses_left}`]
          : []),
        ...(link.revoked_at === null &&
        !(isTheirs(link, { facts, members }, of(id, link)) && !facts.deleted)
          ? [`link ${id} is open, and ${link.created_by_id} may not invite to ${link.role}`]
          : []),
      ]
    })
    const keys = [...facts.keys].flatMap(([id, key]) =>
      isBound(key) && !hasAll(rules, key, members.get(key.created_by_id ?? ''))
        ? [`key ${id} is there, and ${key.created_by_id} has not its rights`]
        : []
    )
    const open = [...facts.keys.values()].filter(
      (key) => key.replaced_by_id === null && isValid(key)
    )
    const tokens = [...facts.tokens.values()].filter(isValid)
    return [
      ...links,
      ...keys,
      ...(open.length > host.mostKeys ? [`${open.length} keys are valid`] : []),
      ...(tokens.length > MOST_TOKENS ? [`${tokens.length} tokens are valid`] : []),
    ]
  }

  const isBound = ({ ends_with_creator }: Key) => ends_with_creator === 1

  const hasAll = (rules: RoleRules, { role }: Key, creator: Member | undefined) => {
    if (creator?.status !== 'active') return false
    const own = rightsOf(rules, creator)
    const needed = [...permissionsOf(rules, role), 'organization:update']
    return needed.every((each) => own.includes(each))
  }

  return {
    changed(id) {
      const before = known.get(id) ?? newlyKnown()
      const facts = readAccess(id)
      const after: Known = { ...before, facts, members: membersOf(id, facts) }
      known.set(id, after)
      const wrong: string[] = []
      for (const event of eventsSince(id, before.sequence)) {
        countUse(after, event)
        wrong.push(...wrongIn(before, after, event))
        if (event.action === 'organization.invite_link.ended')
          sometimes('a link ended with the rights of its creator')
        if (event.action === 'organization.api_key.ended')
          sometimes('a key ended with the rights of its creator')
        after.sequence = event.sequence
      }
      return [...wrong, ...wrongNow(after)]
    },
    restored(organizationIds) {
      known.clear()
      for (const id of organizationIds) {
        const facts = readAccess(id)
        const there: Known = { ...newlyKnown(), facts, members: membersOf(id, facts) }
        for (const event of eventsSince(id, 0)) {
          countUse(there, event)
          there.sequence = event.sequence
        }
        known.set(id, there)
      }
    },
  }
}

const newlyKnown = (): Known => ({
  facts: NO_FACTS,
  members: new Map(),
  sequence: 0,
  uses: new Map(),
  promised: new Map(),
})

const PRESENCE = /^organization\.(scim_user\.|member_(add|restore|remove|suspend)$|join_request\.)/

const EVENTS = `SELECT sequence, action, actor_type, actor_id, target_id, metadata, request_id, occurred_at
  FROM seatgate_audit_events WHERE organization_id = ? AND sequence > ? ORDER BY sequence`

const LIMITED = `SELECT coalesce(sum(m.role = 'owner'), 0) AS owned, count(*) AS all_of_them
  FROM seatgate_memberships m JOIN seatgate_organizations o ON o.id = m.organization_id
  WHERE m.user_id = ? AND o.deleted_at IS NULL`
