import { PROMISED, retell } from './retell.ts'
import { endOf } from './seats.ts'
import type { Circumstances, MemberState, State } from './state.ts'

/** Invariant 5: told again from its beginning, the trail ends where the tables are. */
export function unrecorded(state: State, { seatsCounted = true }: Circumstances): string[] {
  const wrong: string[] = []
  const told = retell(state.events, wrong)
  const { members, organization } = state
  const invited = state.invitations.map((row) => [row.id, `${endOf(row)} ${row.role}`] as const)
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
      endOf(row) === 'unfinished' && row.seat_id !== null ? [[row.seat_id, PROMISED] as const] : []
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
