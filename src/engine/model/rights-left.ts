import { sql, type SQL } from 'drizzle-orm'
import type { RightsLeft } from './plan.ts'

/** Members of an organization to whom the same rights are left. */
export interface LeftAlike extends Omit<RightsLeft, 'userId'> {
  readonly userIds: readonly string[]
}

/** Groups losses by the rights that are left, so that one statement serves all members with the same. */
export function alike(losses: readonly RightsLeft[]): readonly LeftAlike[] {
  const found = new Map<string, LeftAlike & { readonly userIds: string[] }>()
  for (const { userId, ...loss } of losses) {
    const { organizationId, rights } = loss
    const key = JSON.stringify([organizationId, rights.role, rights.permissions])
    const same = found.get(key)
    if (same) same.userIds.push(userId)
    else found.set(key, { ...loss, userIds: [userId] })
  }
  return [...found.values()]
}

/** Builds the comparison of a column with ids. A single one is compared directly: a list costs D1 more rows to read. */
export function isOneOf(ids: readonly string[]): SQL {
  const [only, ...others] = ids
  return others.length === 0
    ? sql`= ${only ?? null}`
    : sql`in (select value from json_each(${JSON.stringify(ids)}))`
}
