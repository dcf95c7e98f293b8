import { PROMISED, Told, believe, type Story } from './assume.ts'
import { endOf } from './seats.ts'
import type { Circumstances, EventState, MemberState, State } from './state.ts'

/** Invariant 5: replayed from its beginning, the trail leads to the state of the tables. */
export function unrecorded(
  state: State,
  { seatsCounted = true, ownerRole = 'owner' }: Circumstances
): string[] {
  const wrong: string[] = []
  const { members, organization, horizon = 0 } = state
  const told = retell(state.events, wrong, { horizon, ownerRole })
  const compare = (what: string, story: Told, present: ReadonlyMap<string, string>) =>
    differences(what, story, horizon > 0 ? spokenOf(present, story) : present, wrong)
  const invited = state.invitations.map((row) => [row.id, `${endOf(row)} ${row.role}`] as const)
  compare('invitation', told.invitations, new Map(invited))
  const rolesOf = members.map(({ user_id, role }) => [user_id, role] as const)
  compare('member', told.roles, new Map(rolesOf))
  const standing = members.map((row) => [row.user_id, standingOf(row)] as const)
  compare('standing', told.standing, new Map(standing))
  if (seatsCounted) {
    const carried = members.flatMap(({ seat_id, user_id }) =>
      seat_id === null ? [] : [[seat_id, user_id] as const]
    )
    // An expired invitation keeps its seat until that is settled; the trail does not record the clock.
    const promised = state.invitations.flatMap((row) =>
      endOf(row) === 'unfinished' && row.seat_id !== null ? [[row.seat_id, PROMISED] as const] : []
    )
    compare('seat', told.seats, new Map([...carried, ...promised]))
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
  if (told.version === null) return wrong
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

// Behind a horizon, only the entries that the events mention.
function spokenOf(present: ReadonlyMap<string, string>, { ever }: Told): Map<string, string> {
  return new Map([...present].filter(([id]) => ever.has(id)))
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

/**
 * Replays the events and returns the state that they lead to. Behind a horizon the state has only what
 * the remaining events mention, and the first mention is assumed.
 */
function retell(
  events: readonly EventState[],
  wrong: string[],
  { horizon, ownerRole }: { readonly horizon: number; readonly ownerRole: string }
) {
  const [roles, standing, seats, invitations] = [new Told(), new Told(), new Told(), new Told()]
  // Behind a horizon each value is known from the first event that records it.
  const organization: Story['organization'] = horizon > 0 ? {} : { mfa: false, deleted: false }
  // The uses that are left of each invite link.
  const uses = new Map<string, number>()
  const story: Story = { roles, standing, seats, invitations, organization }
  let version = horizon > 0 ? null : 0
  let limit: unknown = null
  // Unknown behind a horizon, and after a repair by hand.
  let over = horizon > 0 ? null : false
  events.forEach((event, index) => {
    const { sequence, action, actor_id, target_id, metadata } = event
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
    const due = horizon + index + 1
    if (sequence !== due) say(`expected sequence ${due}`)
    if (horizon > 0) believe(story, event, ownerRole)
    switch (action) {
      case 'organization.create':
        if (sequence !== 1) say('not the first')
        enter(String(actor_id), ownerRole)
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
        if (roles.get(from) !== ownerRole) say('was not the owner’s to give')
        for (const userId of [from, to]) {
          if (standing.get(userId) !== 'active') say(`${userId} was not active`)
        }
        roles.set(from, String(metadata['old_owner_role']))
        roles.set(to, ownerRole)
        break
      }
      // A new name, and a replacement, are those of all members and open invitations.
      case 'organization.role.updated':
      case 'organization.role.deleted': {
        const named = metadata['new_role'] ?? metadata['replacement']
        const to = typeof named === 'string' ? named : target_id
        for (const [userId, role] of roles) if (role === target_id) roles.set(userId, to)
        for (const [id, is] of invitations) {
          if (is === `unfinished ${target_id}`) invitations.set(id, `unfinished ${to}`)
        }
        break
      }
      case 'organization.member_suspend':
        // A member whom a limit has suspended may be suspended by a user too.
        if (standing.get(target_id) !== 'active' && metadata['by'] === 'over_limit') {
          say('was not active')
        }
        if (standing.get(target_id) === 'suspended by admin') say('was suspended already')
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
      // The event does not record the new values.
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
        // The event with its role is behind the horizon.
        if (horizon > 0 && !invitations.ever.has(target_id)) break
        const [was, role] = (invitations.get(target_id) ?? '').split(' ')
        if (was !== 'unfinished') say('was not unfinished')
        const is = action.endsWith('resent') ? 'unfinished' : action.split('.').at(-1)
        invitations.set(target_id, `${is} ${role}`)
        break
      }
      case 'organization.invite_link.created':
        uses.set(target_id, Number(metadata['max_uses']))
        break
      case 'organization.invite_link.revoked':
        uses.delete(target_id)
        break
      case 'organization.invite_link.used': {
        const left = uses.get(target_id) ?? (horizon > 0 ? Infinity : 0)
        if (left === 0) say('has no use left')
        uses.set(target_id, left - 1)
        break
      }
      case 'seat.reserved':
        if (seats.ever.has(target_id)) say('the seat id was used before')
        seats.set(target_id, PROMISED)
        break
      case 'seat.assigned':
        if (seats.ever.has(target_id) && seats.get(target_id) !== PROMISED) {
          say('the seat id was used before')
        }
        seats.set(target_id, String(metadata['user_id']))
        break
      case 'seat.released':
        if (seats.get(target_id) !== (metadata['user_id'] ?? PROMISED)) {
          say('was not this person’s seat')
        }
        seats.delete(target_id)
        break
      case 'seat.limit_changed':
        if (!(Number(metadata['version']) > (version ?? 0))) say('the version did not rise')
        version = Number(metadata['version'])
        limit = metadata['limit']
        break
      // Records the result of a repair, not its cause: changes by hand have no event.
      case 'seat.drift_repaired':
        over = null
        break
      case 'seat.over_limit_entered':
      case 'seat.over_limit_cleared': {
        const entered = action === 'seat.over_limit_entered'
        if (over === entered) say('was so already')
        if (Number(metadata['held']) + Number(metadata['reserved']) > Number(metadata['limit'])) {
          if (!entered) say('was over it still')
        } else if (entered) say('was within it')
        over = entered
        break
      }
      // An active organization grants no access, and a refused user is not a member.
      case 'seat.limit_reached':
      case 'seat.limit_notice':
      case 'seat.entitlement_set':
      case 'organization.billing.subscription_change':
      case 'organization.billing.cancel_scheduled':
      case 'organization.billing.subscription_end':
      case 'organization.billing.second_subscription_end':
      case 'organization.billing.seats_request':
      case 'organization.billing.seats_update':
      case 'organization.billing.seats_refuse':
      case 'organization.billing.webhook_receive':
      case 'organization.billing.owner_end':
      case 'organization.domain.added':
      case 'organization.domain.verified':
      case 'organization.domain.mode_change':
      case 'organization.domain.record_missing':
      case 'organization.domain.record_found':
      case 'organization.domain.removed':
      case 'organization.join_request.created':
      case 'organization.join_request.approved':
      case 'organization.join_request.queued':
      case 'organization.join_request.declined':
      case 'organization.join_request.withdrawn':
      case 'organization.join_request.closed':
      case 'organization.invite_link.ended':
      case 'organization.api_key.created':
      case 'organization.api_key.rotated':
      case 'organization.api_key.revoked':
      case 'organization.api_key.ended':
      case 'organization.impersonation.started':
      case 'organization.impersonation.ended':
      case 'organization.role.created':
      case 'organization.group.created':
      case 'organization.group.updated':
      case 'organization.group.deleted':
      case 'organization.group.member_added':
      case 'organization.group.member_removed':
      case 'organization.scim_token.created':
      case 'organization.scim_token.rotated':
      case 'organization.scim_token.revoked':
      case 'organization.scim_user.created':
      case 'organization.scim_user.updated':
      case 'organization.scim_user.deleted':
      case 'organization.active_switched':
      case 'organization.active_auto_reassigned':
      case 'audit.purge_run':
      case 'audit.forced_purge':
      case 'audit.hold_place':
      case 'audit.hold_release':
        break
      default:
        // The host's own events, and those about the trail itself, change no state here.
        if (/^(organization|seat)\./.test(action)) say('is not known here')
    }
  })
  return { ...story, version, limit }
}

/** A delivery that a sink accepted, in the order of arrival. */
export interface Heard {
  readonly sequence: number
  readonly action: string
}

/**
 * Invariant 6, once quiet: a sink has received every event that it takes, the first deliveries in
 * sequence. Repeats are allowed.
 *
 * @example
 * ```ts
 * const wrong = undelivered(state.events, heard, (action) => action.startsWith('organization.'))
 * ```
 */
export function undelivered(
  events: readonly Pick<EventState, 'sequence' | 'action'>[],
  heard: readonly Heard[],
  accepts: (action: string) => boolean = () => true
): readonly string[] {
  const sequences = new Set(heard.map(({ sequence }) => sequence))
  const unheard = events.flatMap(({ sequence, action }) =>
    accepts(action) && !sequences.has(sequence) ? [`event ${sequence} ${action} was not heard`] : []
  )
  return [...unheard, ...disordered(heard)]
}

/** Invariant 6, at any time: the first deliveries of a sink's events are in sequence. */
export function disordered(heard: readonly Heard[]): readonly string[] {
  let highest = 0
  const known = new Set<number>()
  return heard.flatMap(({ sequence }) => {
    const late = !known.has(sequence) && sequence < highest
    known.add(sequence)
    highest = Math.max(highest, sequence)
    return late ? [`event ${sequence} came after ${highest}`] : []
  })
}
