import type { JoinRequestRow } from '../../database/schema.ts'
import type { Membership } from './membership.ts'

/** A wish to join: `open` waits for somebody's word, `waiting` for a seat. Timestamps are ISO 8601 UTC. */
export interface JoinRequest {
  readonly id: string
  readonly organizationId: string
  readonly userId: string
  /** What they are to become. */
  readonly role: string
  readonly state: JoinRequestRow['state']
  readonly createdAt: string
  readonly updatedAt: string
}

/** What came of the wish to join. */
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

/** What is to be said of a request that nothing has come of yet. */
export function pendingOutcome(row: Omit<JoinRequestRow, 'place'>): JoinOutcome {
  return {
    status: row.state === 'waiting' ? 'waiting' : 'requested',
    request: joinRequestView(row),
  }
}

/** Whether somebody may still come in by it. */
export function isPendingRequest({ state }: Pick<JoinRequestRow, 'state'>): boolean {
  return state === 'open' || state === 'waiting'
}
