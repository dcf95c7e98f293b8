/**
 * Organizations' own roles in the tests: worlds in which they can be made.
 *
 * @module
 */
import { Hono } from 'hono'
import { apiKeys } from '../../src/hono/keys/index.ts'
import { inviteLinkRoutes, seatgateRouter } from '../../src/hono/index.ts'
import { joinRules } from '../../src/index.ts'
import {
  createRole,
  ownRoles,
  roleRoutes,
  type OwnRolesContext,
  type OwnRolesOptions,
} from '../../src/hono/roles/index.ts'
import type { KeysContext } from '../../src/hono/keys/index.ts'
import type { FlatOptions, FullSeatgate } from './flat-options.ts'
import { byName, clientOf, seatgateWith, type Client } from './http.ts'
import { createKit, unwrap, type Kit, type KitOptions, type TestOrganization } from './kit.ts'

/** A world in which organizations make roles, with links and API keys. */
export interface RolesKit extends Kit {
  readonly context: FullSeatgate & OwnRolesContext & KeysContext
  /** Every route, for people by name. */
  readonly client: Client
}

/** The permissions of the worlds with own roles. */
export const RIGHTS = {
  permissions: { project: ['read', 'write'] },
  grants: {
    admin: ['members:*', 'organization:update', 'project:*'],
    member: ['project:read'],
  },
} as const

export function createRolesKit(options: KitOptions = {}, own: OwnRolesOptions = {}): RolesKit {
  const part = ownRoles(own)
  const keys = apiKeys()
  const joining = joinRules({
    verifyDomain: () => true,
    whenFull: { domain: 'wait', request: 'wait' },
    links: { whenFull: 'wait' },
  })
  const kit = createKit({ provider: 'd1', ...RIGHTS, keys, joining, ownRoles: part, ...options })
  const context = { ...kit.seatgate, ownRoles: part, keys }
  const routing = { authenticate: byName }
  const app = (seatgateRouter(context, routing) as unknown as Hono)
    .route('/', roleRoutes(context, routing))
    .route('/', inviteLinkRoutes(context, routing))
  return { ...kit, context, client: clientOf((url, init) => app.request(url, init)) }
}

/** A quiet configuration in which organizations make roles. */
export function seatgateWithRoles(options: Partial<FlatOptions> = {}) {
  const part = ownRoles()
  return { ...seatgateWith({ ...RIGHTS, ...options, ownRoles: part }), ownRoles: part }
}

/** The routes of own roles, for people by name. */
export const ownRoleRoutes = () => roleRoutes(seatgateWithRoles(), { authenticate: byName })

/** Makes a role as the owner. */
export async function roleOf(
  { context }: RolesKit,
  organization: TestOrganization,
  permissions: readonly string[],
  name = 'auditor'
): Promise<string> {
  const scope = organization.as(organization.owner)
  return unwrap(await createRole(context, scope, { name, permissions })).name
}
