import type { DomainRow } from '../../database/schema.ts'

/** A domain that an organization says is its own, and the DNS record that proves it. */
export interface DomainChallenge {
  readonly domain: string
  /** The name of the TXT record. */
  readonly name: string
  /** What the TXT record must say. */
  readonly value: string
}

/** What a domain is good for to those with an address there: nothing, to ask, or to come in. */
export type DomainMode = DomainRow['mode']

/** A mail domain of an organization. Until it is verified it is good for nothing. */
export interface Domain {
  readonly id: string
  readonly organizationId: string
  readonly domain: string
  readonly mode: DomainMode
  readonly verified: boolean
  /** Since when the record is missing that was there once; null while it is there. */
  readonly recordMissingSince: string | null
  /** The TXT record that proves that the domain is the organization's. */
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

/** What is to be looked for in the DNS. */
export function challengeOf({ domain, challenge }: DomainRow): DomainChallenge {
  return { domain, name: `_seatgate.${domain}`, value: `seatgate-domain=${challenge}` }
}
