import type { State } from './state.ts'

/** Invariant 3: nobody is a member twice. What was acknowledged, each test knows itself. */
export function doubledMembers({ members }: State): string[] {
  const ids = members.map(({ user_id }) => user_id)
  const twice = ids.filter((id, index) => ids.indexOf(id) !== index)
  return twice.map((id) => `${id} is a member twice`)
}

/** The count that limits rest on without a ledger, against the rows that it stands for. */
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
 * Invariant 4: somebody who can act owns every organization. One that is deleted needs nobody; one
 * that comes back does.
 */
export function ownerless({ organization, members }: State, ownerRole = 'owner'): string[] {
  if (organization === null || organization.deleted_at !== null) return []
  const owners = members.filter(({ role, status }) => role === ownerRole && status === 'active')
  return owners.length === 0 ? ['no owner'] : []
}
