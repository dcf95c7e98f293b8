/**
 * Own roles, groups and impersonations of an organization, as D1 has them.
 *
 * @module
 */
import type { OwnRoles } from '../access/rights.ts'
import type { Connection } from '../sqlite.ts'

export interface GroupFacts {
  readonly name: string
  readonly role: string | null
  /** The number that is stored with it. */
  readonly members: number
  readonly userIds: readonly string[]
}

export interface ImpersonationFacts {
  readonly user_id: string
  readonly operator_id: string
  readonly expires_at: number
  readonly created_at: number
}

export interface DelegationFacts {
  readonly own: OwnRoles
  /** How often the own roles have changed. */
  readonly version: number
  readonly groups: ReadonlyMap<string, GroupFacts>
  readonly impersonations: ReadonlyMap<string, ImpersonationFacts>
}

export const NO_DELEGATION: DelegationFacts = {
  own: {},
  version: 0,
  groups: new Map(),
  impersonations: new Map(),
}

export function readDelegation(connection: Connection, organizationId: string): DelegationFacts {
  const all = (sql: string) => connection.all(sql, [organizationId])
  const [roles] = all('SELECT own_roles, roles_version FROM seatgate_organizations WHERE id = ?')
  const members = all(
    'SELECT group_id, user_id FROM seatgate_group_members WHERE organization_id = ? ORDER BY user_id'
  )
  return {
    own: JSON.parse(String(roles?.['own_roles'] ?? '{}')) as OwnRoles,
    version: Number(roles?.['roles_version'] ?? 0),
    groups: new Map(
      all(
        'SELECT id, name, role, members FROM seatgate_groups WHERE organization_id = ? ORDER BY id'
      ).map(({ id, name, role, members: count }) => [
        String(id),
        {
          name: String(name),
          role: role as string | null,
          members: Number(count),
          userIds: members.flatMap((row) =>
            row['group_id'] === id ? [String(row['user_id'])] : []
          ),
        },
      ])
    ),
    impersonations: new Map(
      all(
        `SELECT id, user_id, operator_id, expires_at, created_at
         FROM seatgate_impersonations WHERE organization_id = ? ORDER BY id`
      ).map((row) => [String(row['id']), row as unknown as ImpersonationFacts])
    ),
  }
}

/** The roles that the groups of somebody carry, each once, in order. */
export function carriedBy(
  { groups }: Pick<DelegationFacts, 'groups'>,
  userId: string
): readonly string[] {
  const carried = [...groups.values()].flatMap(({ role, userIds }) =>
    role !== null && userIds.includes(userId) ? [role] : []
  )
  return [...new Set(carried)].toSorted()
}
