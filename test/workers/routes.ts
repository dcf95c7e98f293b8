/**
 * Every route of this slice, for what holds on all of them.
 *
 * @module
 */
/** A route: its method, its path in an organization, and a body that it takes. */
export type Route = readonly [method: string, path: (org: string) => string, body?: object]

const somebody = crypto.randomUUID()
/** The routes that name no organization. */
export const OWN: Route[] = [
  ['GET', () => '/organizations'],
  ['POST', () => '/organizations', { name: 'Acme' }],
]
/** The routes in an organization. */
export const NAMED: Route[] = [
  ['GET', (org) => `/organizations/${org}`],
  ['PATCH', (org) => `/organizations/${org}`, { name: 'Acme' }],
  ['GET', (org) => `/organizations/${org}/members`],
  ['POST', (org) => `/organizations/${org}/members`, { userId: somebody, role: 'member' }],
  ['PATCH', (org) => `/organizations/${org}/members/${somebody}`, { role: 'admin' }],
  ['DELETE', (org) => `/organizations/${org}/members/${somebody}`],
  ['GET', (org) => `/organizations/${org}/seats`],
  ['PUT', (org) => `/organizations/${org}/seats/limit`, { limit: 5 }],
  ['GET', (org) => `/organizations/${org}/audit`],
]
/** The paths of all lists. */
export const LISTS = [() => '/organizations', NAMED[2]![1], NAMED[8]![1]]
/** A row for `it.each`. */
export const named = ([method, path, body]: Route) =>
  [`${method} ${path(':org')}`, method, path, body] as const
