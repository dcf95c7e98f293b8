import type { MembershipRow } from '../database/schema.ts'

/** A membership as clients see it. Timestamps are ISO 8601 UTC. */
export interface Membership {
  readonly id: string
  readonly organizationId: string
  readonly userId: string
  readonly role: string
  readonly status: 'active' | 'suspended'
  readonly createdAt: string
  readonly updatedAt: string
}

export function membershipView(row: Omit<MembershipRow, 'seatId' | 'suspendedBy'>): Membership {
  return {
    id: row.id,
    organizationId: row.organizationId,
    userId: row.userId,
    role: row.role,
    status: row.status,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  }
}
