import type { DomainRow, JoinRequestRow } from '../../database/schema/joining-tables.ts'
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

/** A mail domain of an organization, and the DNS record that proves its ownership. */
export interface DomainChallenge {
  readonly domain: string
  /** The name of the TXT record. */
  readonly name: string
  /** The value of the TXT record. */
  readonly value: string
}

/** Whether users with an address in the domain may request to join, or join, or neither. */
export type DomainMode = DomainRow['mode']

/** A mail domain of an organization. Until it is verified it admits no user. */
export interface Domain {
  readonly id: string
  readonly organizationId: string
  readonly domain: string
  readonly mode: DomainMode
  readonly verified: boolean
  /** Since when the record of a verified domain has been missing; null while it is there. */
  readonly recordMissingSince: string | null
  /** The TXT record that proves the ownership. */
  readonly record: { readonly name: string; readonly value: string }
  readonly createdAt: string
  readonly updatedAt: string
}

export function domainView(row: DomainRow): Domain {
  const { name, value } = challengeOf(row)
  return {
    id: row.id,
    organizationId: row.organizationId,
    domain: row.domain,
    mode: row.mode,
    verified: row.verifiedAt !== null,
    recordMissingSince: row.recordMissingSince?.toISOString() ?? null,
    record: { name, value },
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  }
}

/** Returns the record to look up in the DNS. */
export function challengeOf({ domain, challenge }: DomainRow): DomainChallenge {
  return { domain, name: `_seatgate.${domain}`, value: `seatgate-domain=${challenge}` }
}
