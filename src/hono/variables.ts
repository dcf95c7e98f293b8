import type { Membership } from '../engine/model/membership.ts'
import type { Organization } from '../engine/model/organization.ts'
import type { Principal } from '../engine/access/principal.ts'

/** The variables on `c.var` after authentication; the caller and the organization may be null. */
export interface ScopeVariables {
  readonly caller: Principal | null
  /** The organization that this request works in. */
  readonly organization: Organization | null
  /** The caller's membership in it, read for this request; null for a service account. */
  readonly membership: Membership | null
  readonly role: string | null
}

/** The variables on `c.var` after `loadOrganizationFromSlug` and `requireMembership`. */
export interface OrganizationVariables extends ScopeVariables {
  readonly caller: Principal
  readonly organization: Organization
  readonly role: string
}

/** The environment of routes after `loadActiveOrganization`. */
export interface ScopeEnv {
  Variables: ScopeVariables
}

/** The environment of routes after `loadOrganizationFromSlug` or `requireMembership`. */
export interface OrganizationEnv {
  Variables: OrganizationVariables
}
