import type { State } from './state.ts'

/** Invariant 3: no user is a member twice. Acknowledged memberships are for each test to check. */
export function doubledMembers({ members }: State): string[] {
  const ids = members.map(({ user_id }) => user_id)
  const twice = ids.filter((id, index) => ids.indexOf(id) !== index)
  return twice.map((id) => `${id} is a member twice`)
}

/** Compares the member count, which limits rely on without a ledger, with the rows. */
export function miscounted({ members, counts }: State): string[] {
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
    .map((kind) => `${counted[kind]} ${kind} in seatgate_member_counts, ${there[kind]} in the rows`)
}

/**
 * Invariant 4: every organization has an owner who can act. A deleted organization needs none; a restored
 * one does.
 */
export function ownerless({ organization, members }: State, ownerRole = 'owner'): string[] {
  if (organization === null || organization.deleted_at !== null) return []
  const owners = members.filter(({ role, status }) => role === ownerRole && status === 'active')
  return owners.length === 0 ? ['no owner'] : []
}
