import { partOf } from '../../engine/changes/part.ts'
import { createApiKey, type CreateApiKeyInput } from '../../parts/keys/create-key.ts'
import type { KeysContext } from '../../parts/keys/keys.ts'
import { listApiKeys } from '../../parts/keys/list-keys.ts'
import { revokeApiKey } from '../../parts/keys/revoke-key.ts'
import { rotateApiKey, type RotateApiKeyInput } from '../../parts/keys/rotate-key.ts'
import type { Seatgate } from '../../seatgate.ts'
import { answer, done, inOrganization, readOperation } from '../request.ts'
import type { Taking } from '../typed-response.ts'
import {
  signedInRoutes,
  type GroupOf,
  type RouteOptions,
  type Routes,
} from '../routes/route-group.ts'

/** A configuration that has API keys. */
type Keyed = Seatgate & Pick<KeysContext, 'keys'>

/**
 * The routes of the API keys of an organization, for those with `organization:update`. A key is in the
 * response to its creation alone, and not in that to a repeat with the same `Idempotency-Key`.
 *
 * @throws {TypeError} if an option is wrong, or if `keys` is not configured.
 *
 * @example
 * ```ts
 * app.route('/', keyRoutes(seatgate, { authenticate }))
 * ```
 */
export function keyRoutes(seatgate: Keyed, options: RouteOptions): KeyRoutes {
  partOf(seatgate, 'keys')
  return signedInRoutes('keyRoutes', seatgate, options, addKeys)
}

/** The routes of {@link keyRoutes}. */
export type KeyRoutes = GroupOf<typeof addKeys>

function addKeys(routes: Routes, seatgate: Keyed) {
  return routes
    .get('/organizations/:org/api-keys', async (c) =>
      answer(c, await listApiKeys(seatgate, inOrganization(c)))
    )
    .post('/organizations/:org/api-keys', async (c: Taking<{ json: CreateApiKeyInput }>) => {
      const { input, options } = await readOperation(c)
      return answer(c, await createApiKey(seatgate, inOrganization(c), input, options), 201)
    })
    .post(
      '/organizations/:org/api-keys/:id/rotate',
      async (c: Taking<{ json: RotateApiKeyInput }, '/:id'>) => {
        const { input, options } = await readOperation(c)
        const id = c.req.param('id')
        return answer(c, await rotateApiKey(seatgate, inOrganization(c), id, input, options), 201)
      }
    )
    .delete('/organizations/:org/api-keys/:id', async (c) =>
      done(c, await revokeApiKey(seatgate, inOrganization(c), c.req.param('id')))
    )
}
