import type { OrganizationRow } from '../../database/schema.ts'

/** An organization as clients see it. Timestamps are ISO 8601 UTC. */
export interface Organization {
  readonly id: string
  readonly name: string
  readonly slug: string
  /** Who created it. It says nothing about who owns it now: that is a role. */
  readonly founderUserId: string
  readonly personal: boolean
  /** Whether members must have a second factor to work in it. */
  readonly enforceMfaForMembers: boolean
  readonly createdAt: string
  readonly updatedAt: string
}

export function organizationView(row: Omit<OrganizationRow, 'deletedAt'>): Organization {
  return {
    id: row.id,
    name: row.name,
    slug: row.slug,
    founderUserId: row.ownerUserId,
    personal: row.personal,
    enforceMfaForMembers: row.enforceMfaForMembers,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  }
}
