import type { MembershipRow } from '../../database/schema.ts'

/** A membership in responses. Timestamps are ISO 8601 UTC. */
export interface Membership {
  readonly id: string
  readonly organizationId: string
  readonly userId: string
  readonly role: string
  readonly status: 'active' | 'suspended'
  readonly createdAt: string
  readonly updatedAt: string
}

/** What ended together with a user's rights. */
export interface EndedWith {
  /** How many open invitations ended, mainly those that they had sent and could no longer send. */
  readonly endedInvitations: number
}

/** A changed membership. */
export interface ChangedMembership extends Membership, EndedWith {}

/** A user who is about to become a member. */
export interface Newcomer {
  readonly organizationId: string
  readonly userId: string
  readonly role: string
}

/** Returns the row of a new membership; `claimSeats` adds its seat. */
export function newMembership(id: string, newcomer: Newcomer, now: Date) {
  return {
    id,
    ...newcomer,
    status: 'active',
    suspendedBy: null,
    createdAt: now,
    updatedAt: now,
  } as const satisfies Omit<MembershipRow, 'seatId'>
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
