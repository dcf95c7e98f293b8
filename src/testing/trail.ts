import { PROMISED, type Told } from './assume.ts'
import { retell } from './replay-trail.ts'
import { endOf } from './seats.ts'
import type { Circumstances, MemberState, State } from './state.ts'

/** Invariant 5: replayed from its beginning, the trail leads to the state of the tables. */
export function unrecorded(state: State, { seatsCounted = true }: Circumstances): string[] {
  const wrong: string[] = []
  const { members, organization, horizon = 0 } = state
  const told = retell(state.events, wrong, horizon)
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
