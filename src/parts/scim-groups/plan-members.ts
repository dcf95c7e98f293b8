import { ok, type Result } from '../../base/result.ts'
import type { MemberChange } from '../groups/change-members.ts'
import { scimInvalid } from '../scim/scim-invalid.ts'
import type { MembersChange } from './group-change.ts'
import type { Candidate } from './scim-group.ts'

/** The ids of all users that changes name. */
export function idsIn(changes: readonly MembersChange[]): readonly string[] {
  return [...new Set(changes.flatMap(({ ids }) => ids))]
}

/** Whether a change takes the place of all members, so that they have to be read. */
export function replacesAll(changes: readonly MembersChange[]): boolean {
  return changes.some(({ op }) => op === 'replace')
}

/**
 * Returns the added and the removed users of changes that are made in order. `named` are the users that the
 * changes name, and `current` the pushed users of the group, if a change replaces them. Refuses to add a
 * user who is not an active member. Members who were not pushed stay.
 */
export function memberChange(
  changes: readonly MembersChange[],
  named: readonly Candidate[],
  current: readonly Candidate[]
): Result<MemberChange, 'scim_invalid'> {
  const known = new Map([...current, ...named].map((each) => [each.id, each]))
  const before = new Set([...known.values()].filter(({ isIn }) => isIn === 1).map(({ id }) => id))
  let after: ReadonlySet<string> = before
  for (const { op, ids } of changes) {
    if (op === 'add') after = new Set([...after, ...ids])
    else if (op === 'replace') after = new Set(ids)
    else after = new Set([...after].filter((id) => !ids.includes(id)))
  }
  const added = [...after].filter((id) => !before.has(id))
  const stranger = added.find((id) => known.get(id)?.isActive !== 1)
  if (stranger !== undefined) {
    return scimInvalid('invalidValue', `members: ${stranger} is not the id of an active user.`)
  }
  const userIds = (ids: readonly string[]) => ids.flatMap((id) => known.get(id)?.userId ?? [])
  const removed = [...before].filter((id) => !after.has(id))
  return ok({ added: userIds(added), removed: userIds(removed) })
}
