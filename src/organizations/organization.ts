import type { OrganizationRow } from '../database/schema.ts'

/** An organization as clients see it. Timestamps are ISO 8601 UTC. */
export interface Organization {
  readonly id: string
  readonly name: string
  readonly slug: string
  readonly createdAt: string
  readonly updatedAt: string
}

export function organizationView(
  row: Omit<OrganizationRow, 'ownerUserId' | 'deletedAt'>
): Organization {
  return {
    id: row.id,
    name: row.name,
    slug: row.slug,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  }
}
