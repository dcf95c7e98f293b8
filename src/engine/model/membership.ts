import type { MembershipRow } from '../../database/schema.ts'

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

/** What a change of somebody's rights ended beside it. */
export interface EndedWith {
  /** How many open invitations: those that they had sent and could not send any more, above all. */
  readonly endedInvitations: number
}

/** A membership after a change of it. */
export interface ChangedMembership extends Membership, EndedWith {}

/** Somebody who is to become a member. */
export interface Newcomer {
  readonly organizationId: string
  readonly userId: string
  readonly role: string
}

/** The row of a membership that comes to be; the gate gives it its seat. */
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
