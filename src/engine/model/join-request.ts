import type { JoinRequestRow } from '../../database/schema.ts'
import type { Membership } from './membership.ts'

/** A request to join: `open` needs an approval, `waiting` a seat. Timestamps are ISO 8601 UTC. */
export interface JoinRequest {
  readonly id: string
  readonly organizationId: string
  readonly userId: string
  /** The requested role. */
  readonly role: string
  readonly state: JoinRequestRow['state']
  readonly createdAt: string
  readonly updatedAt: string
}

/** The outcome of a join. */
export type JoinOutcome =
  | { readonly status: 'joined'; readonly membership: Membership }
  | { readonly status: 'requested' | 'waiting'; readonly request: JoinRequest }

export function joinRequestView(row: Omit<JoinRequestRow, 'place'>): JoinRequest {
  return {
    id: row.id,
    organizationId: row.organizationId,
    userId: row.userId,
    role: row.role,
    state: row.state,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  }
}

/** Returns the outcome of a pending request. */
export function pendingOutcome(row: Omit<JoinRequestRow, 'place'>): JoinOutcome {
  return {
    status: row.state === 'waiting' ? 'waiting' : 'requested',
    request: joinRequestView(row),
  }
}

/** Whether the user may still join by the request. */
export function isPendingRequest({ state }: Pick<JoinRequestRow, 'state'>): boolean {
  return state === 'open' || state === 'waiting'
}
