/**
 * Every route of this slice, for what holds on all of them.
 *
 * @module
 */
import { PASSWORD } from './kit.ts'

/** A route: its method, its path in an organization, and a body that it takes. */
export type Route = readonly [method: string, path: (org: string) => string, body?: object]

const somebody = crypto.randomUUID()
const password = PASSWORD

/** The routes that name no organization. */
export const OWN: Route[] = [
  ['GET', () => '/organizations'],
  ['POST', () => '/organizations', { name: 'Acme' }],
  ['GET', () => '/active-organization'],
  ['PUT', () => '/active-organization', { organizationId: somebody }],
  ['POST', () => '/organizations/switch', { organization_id: somebody }],
  ['DELETE', () => '/users/me', { password }],
  ['GET', () => '/invitations'],
  ['GET', () => '/joinable-organizations'],
  ['POST', () => '/join-requests', { organizationId: somebody }],
  ['DELETE', () => `/join-requests/${somebody}`],
]

/** The routes for who presents the token of an invitation: whatever else they are sent is none. */
export const BY_TOKEN: Route[] = [
  ['POST', () => '/invitations/view', { token: 'none' }],
  ['POST', () => '/invitations/accept', { token: 'none' }],
  ['POST', () => '/invitations/decline', { token: 'none' }],
  ['POST', () => '/invitations/accept-with-signup', { token: 'none' }],
]

/** The routes in an organization. */
export const NAMED: Route[] = [
  ['GET', (org) => `/organizations/${org}`],
  ['PATCH', (org) => `/organizations/${org}`, { name: 'Acme' }],
  ['POST', (org) => `/organizations/${org}/slug`, { slug: 'acme', confirmSlug: 'acme', password }],
  ['DELETE', (org) => `/organizations/${org}`, { confirmName: 'Acme', password }],
  ['POST', (org) => `/organizations/${org}/transfer`, { userId: somebody, password }],
  ['GET', (org) => `/organizations/${org}/members`],
  ['GET', (org) => `/organizations/${org}/members/count`],
  ['PUT', (org) => `/organizations/${org}/mfa-policy`, { enabled: false }],
  ['POST', (org) => `/organizations/${org}/members`, { userId: somebody, role: 'member' }],
  ['PATCH', (org) => `/organizations/${org}/members/${somebody}`, { role: 'admin' }],
  ['DELETE', (org) => `/organizations/${org}/members/${somebody}`],
  ['POST', (org) => `/organizations/${org}/members/${somebody}/suspend`],
  ['POST', (org) => `/organizations/${org}/members/${somebody}/restore`],
  ['GET', (org) => `/organizations/${org}/invitations`],
  [
    'POST',
    (org) => `/organizations/${org}/invitations`,
    { email: `${somebody}@example.com`, role: 'member' },
  ],
  [
    'POST',
    (org) => `/organizations/${org}/invitations/bulk`,
    { invitations: [{ email: `${somebody}@example.com`, role: 'member' }] },
  ],
  ['PATCH', (org) => `/organizations/${org}/invitations/${somebody}`, { role: 'admin' }],
  ['POST', (org) => `/organizations/${org}/invitations/${somebody}/resend`],
  ['DELETE', (org) => `/organizations/${org}/invitations/${somebody}`],
  ['GET', (org) => `/organizations/${org}/seats`],
  ['GET', (org) => `/organizations/${org}/seats/explain`],
  ['PUT', (org) => `/organizations/${org}/seats/limit`, { limit: 5 }],
  ['GET', (org) => `/organizations/${org}/billing`],
  ['GET', (org) => `/organizations/${org}/domains`],
  ['POST', (org) => `/organizations/${org}/domains`, { domain: 'acme.example', mode: 'auto' }],
  ['PATCH', (org) => `/organizations/${org}/domains/${somebody}`, { mode: 'off' }],
  ['DELETE', (org) => `/organizations/${org}/domains/${somebody}`],
  ['POST', (org) => `/organizations/${org}/domains/${somebody}/verify`],
  ['GET', (org) => `/organizations/${org}/join-requests`],
  ['POST', (org) => `/organizations/${org}/join-requests/${somebody}/approve`],
  ['POST', (org) => `/organizations/${org}/join-requests/${somebody}/decline`],
  ['GET', (org) => `/organizations/${org}/audit`],
  ['GET', (org) => `/organizations/${org}/audit/count`],
  ['GET', (org) => `/organizations/${org}/audit/export`],
  ['GET', (org) => `/organizations/${org}/audit/sinks`],
  ['GET', (org) => `/organizations/${org}/audit/sinks/audit/attempts`],
  ['GET', (org) => `/organizations/${org}/audit/sinks/audit/dead-letters`],
  ['GET', (org) => `/o/${org}`],
  ['GET', (org) => `/operator/organizations/${org}`],
  ['POST', (org) => `/operator/organizations/${org}/restore`],
  ['GET', (org) => `/operator/organizations/${org}/seats/verify`],
  ['GET', (org) => `/operator/organizations/${org}/entitlement`],
  ['PUT', (org) => `/operator/organizations/${org}/entitlement`, { included: 5, reason: 'r' }],
  ['POST', (org) => `/operator/organizations/${org}/seats/rebuild`],
  ['GET', (org) => `/operator/organizations/${org}/audit`],
  ['GET', (org) => `/operator/organizations/${org}/audit/count`],
]

/** The paths of all lists. */
export const LISTS: ((org: string) => string)[] = [
  () => '/organizations',
  (org) => `/organizations/${org}/members`,
  (org) => `/organizations/${org}/audit`,
  (org) => `/organizations/${org}/invitations`,
  () => '/invitations',
]

/** Those who may do most: what only an operator may do needs one. */
export const isForOperators = (path: string) =>
  path.endsWith('/seats/limit') || path.startsWith('/operator/')

/** A row for `it.each`. */
export const named = ([method, path, body]: Route) =>
  [`${method} ${path(':org').replace(somebody, ':id')}`, method, path, body] as const
