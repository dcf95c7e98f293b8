import type { DomainRow } from '../../database/schema.ts'

/** A mail domain of an organization, and the DNS record that proves its ownership. */
export interface DomainChallenge {
  readonly domain: string
  /** The name of the TXT record. */
  readonly name: string
  /** The value of the TXT record. */
  readonly value: string
}

/** The rights of users with an address in the domain: none, to request to join, or to join. */
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
