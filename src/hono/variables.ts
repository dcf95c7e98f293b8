import type { Membership } from '../engine/model/membership.ts'
import type { Organization } from '../engine/model/organization.ts'
import type { Principal } from '../engine/access/principal.ts'

/** What is on `c.var` once it is known who is asking: perhaps nobody, and perhaps nowhere. */
export interface ScopeVariables {
  readonly caller: Principal | null
  /** The organization that this request works in. */
  readonly organization: Organization | null
  /** The caller's membership in it, read for this request; null for a service account. */
  readonly membership: Membership | null
  readonly role: string | null
}

/** What is on `c.var` behind `loadOrganizationFromSlug` and `requireMembership`. */
export interface OrganizationVariables extends ScopeVariables {
  readonly caller: Principal
  readonly organization: Organization
  readonly role: string
}

/** The environment of routes behind `loadActiveOrganization`. */
export interface ScopeEnv {
  Variables: ScopeVariables
}

/** The environment of routes behind `loadOrganizationFromSlug` or `requireMembership`. */
export interface OrganizationEnv {
  Variables: OrganizationVariables
}
