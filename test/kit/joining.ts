/**
 * Joining in the tests: worlds with a line or without, organizations with a domain, and people who
 * come from there.
 *
 * @module
 */
import {
  addDomain,
  approveJoinRequest,
  joinOrganization,
  joinRules,
  verifyDomain,
  type Domain,
  type DomainMode,
  type JoinOptions,
  type JoinOutcome,
  type Result,
} from '../../src/index.ts'
import { userWith } from './invitations.ts'
import { testEnv } from './environment.ts'
import {
  unwrap,
  createKit,
  newOrganization,
  type TestOrganization,
  type Kit,
  type KitOptions,
} from './kit.ts'

/** A world in which every domain is proven, and who finds no seat waits. */
export function createJoiningKit(
  options: KitOptions = {},
  joining: Partial<JoinOptions> = {}
): Kit {
  return createKit({
    ...options,
    joining: joinRules({
      verifyDomain: () => true,
      whenFull: { domain: 'wait', request: 'wait' },
      ...joining,
    }),
  })
}

/** An organization that people from a domain may join, or ask to. */
export interface OpenOrganization extends TestOrganization {
  readonly domain: Domain
}

/** A new domain that nobody has. */
export const newDomain = () => `${crypto.randomUUID()}.example`

/** Makes an organization with a verified domain, for sure. */
export async function openOrganization(
  kit: Kit,
  mode: DomainMode,
  limit?: number
): Promise<OpenOrganization> {
  const organization = await newOrganization(kit, limit)
  const scope = organization.as(organization.owner)
  const added = unwrap(await addDomain(kit.seatgate, scope, { domain: newDomain(), mode }))
  const domain = unwrap(await verifyDomain(kit.seatgate, scope, added.id))
  return { ...organization, domain }
}

/** Somebody new with an address in the organization's domain. */
export function neighbourOf({ domain }: OpenOrganization, verified = true): Promise<string> {
  return userWith(`${crypto.randomUUID()}@${domain.domain}`, verified)
}

/** Joins, or tries to, as somebody. */
export function joinAs(
  { seatgate }: Kit,
  { id }: Pick<TestOrganization, 'id'>,
  userId: string
): Promise<Result<JoinOutcome>> {
  return joinOrganization(seatgate, { caller: { userId } }, { organizationId: id })
}

/** Somebody new of the organization's domain joins, or tries to. */
export async function joinByDomain(kit: Kit, organization: OpenOrganization) {
  const userId = await neighbourOf(organization)
  const outcome = unwrap(await joinAs(kit, organization, userId))
  await kit.settled()
  return { userId, outcome, status: outcome.status }
}

/** Approves a request as the owner. */
export function approve(
  { seatgate }: Kit,
  organization: TestOrganization,
  id: string,
  input: unknown = {}
) {
  return approveJoinRequest(seatgate, organization.as(organization.owner), id, input as never)
}

/** Who is in, in the order in which they came. */
export async function membersOf({ id }: Pick<TestOrganization, 'id'>): Promise<string[]> {
  const { results } = await testEnv.DB.prepare(
    `SELECT target_id FROM seatgate_audit_events
     WHERE organization_id = ? AND action = 'organization.member_add' ORDER BY sequence`
  )
    .bind(id)
    .all<{ target_id: string }>()
  return results.map(({ target_id }) => target_id)
}

/** What has become of the requests, in the order of their places. */
export async function requestsOf({ id }: Pick<TestOrganization, 'id'>) {
  const { results } = await testEnv.DB.prepare(
    `SELECT user_id, state FROM seatgate_join_requests WHERE organization_id = ? ORDER BY place, created_at`
  )
    .bind(id)
    .all<{ user_id: string; state: string }>()
  return results
}
