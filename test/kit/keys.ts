/**
 * API keys in the tests: worlds with keys, and requests with them.
 *
 * @module
 */
import { Hono } from 'hono'
import {
  apiKeys,
  authenticateKeys,
  createApiKey,
  keyRoutes,
  type ApiKeysOptions,
  type CreateApiKeyInput,
  type KeysContext,
} from '../../src/hono/keys/index.ts'
import { seatgateRouter } from '../../src/hono/index.ts'
import type { FullSeatgate } from './flat-options.ts'
import { byName, clientOf, type Client } from './http.ts'
import { createKit, unwrap, type Kit, type KitOptions, type TestOrganization } from './kit.ts'

/** A world with API keys. */
export interface KeysKit extends Kit {
  readonly context: FullSeatgate & KeysContext
  /** Every route, for people by name and for keys. */
  readonly client: Client
}

/** The permissions of the worlds with keys. */
export const PROJECT = {
  permissions: { project: ['read', 'write'] },
  grants: {
    admin: ['members:*', 'organization:update', 'project:*'],
    member: ['project:read'],
  },
} as const

export function createKeysKit(options: KitOptions = {}, own: ApiKeysOptions = {}): KeysKit {
  const part = apiKeys(own)
  const kit = createKit({ provider: 'd1', ...options, keys: part })
  const context = { ...kit.seatgate, keys: part }
  const authenticate = authenticateKeys(context, byName)
  const app = (seatgateRouter(context, { authenticate }) as unknown as Hono).route(
    '/',
    keyRoutes(context, { authenticate })
  )
  return { ...kit, context, client: clientOf((url, init) => app.request(url, init)) }
}

/** Creates a key as a member, who must be allowed to, or the owner. */
export async function keyOf(
  { context }: KeysKit,
  organization: TestOrganization,
  input: Partial<CreateApiKeyInput> = {},
  by = organization.owner
): Promise<{ readonly id: string; readonly key: string }> {
  const rights = context.roles.bounded ? { permissions: ['members:manage'] } : { role: 'admin' }
  const scope = organization.as(by)
  const { id, key } = unwrap(
    await createApiKey(context, scope, { name: 'CI', ...rights, ...input })
  )
  return { id, key: key! }
}
