import { partOf } from '../../engine/changes/part.ts'
import type { Seatgate } from '../../seatgate.ts'
import { createScimToken, type CreateScimTokenInput } from '../../parts/scim/create-token.ts'
import { listScimTokens } from '../../parts/scim/list-tokens.ts'
import { revokeScimToken } from '../../parts/scim/revoke-token.ts'
import { rotateScimToken, type RotateScimTokenInput } from '../../parts/scim/rotate-token.ts'
import type { ScimContext } from '../../parts/scim/scim.ts'
import { answer, done, inOrganization, readOperation } from '../request.ts'
import type { Taking } from '../typed-response.ts'
import {
  signedInRoutes,
  type GroupOf,
  type RouteOptions,
  type Routes,
} from '../routes/route-group.ts'

/** A configuration that has SCIM. */
type Provisioning = Seatgate & ScimContext

/**
 * The routes of the tokens of an organization's identity provider. An owner creates and rotates them; those
 * with `organization:update` list and revoke them. A secret is in the first response to its creation alone:
 * a repeat with the same `Idempotency-Key` has `token: null`.
 *
 * @throws {TypeError} if an option is wrong, or if `scim` is not configured.
 *
 * @example
 * ```ts
 * app.route('/', scimTokenRoutes(seatgate, { authenticate }))
 * ```
 */
export function scimTokenRoutes(seatgate: Provisioning, options: RouteOptions): ScimTokenRoutes {
  partOf(seatgate, 'scim')
  return signedInRoutes('scimTokenRoutes', seatgate, options, addScimTokens)
}

/** The routes of {@link scimTokenRoutes}. */
export type ScimTokenRoutes = GroupOf<typeof addScimTokens>

const TOKENS = '/organizations/:org/scim-tokens'

function addScimTokens(routes: Routes, seatgate: Provisioning) {
  return routes
    .get(TOKENS, async (c) => answer(c, await listScimTokens(seatgate, inOrganization(c))))
    .post(TOKENS, async (c: Taking<{ json: CreateScimTokenInput }>) => {
      const { input, options } = await readOperation(c)
      return answer(c, await createScimToken(seatgate, inOrganization(c), input, options), 201)
    })
    .post(`${TOKENS}/:id/rotate`, async (c: Taking<{ json: RotateScimTokenInput }, '/:id'>) => {
      const { input, options } = await readOperation(c)
      const scope = inOrganization(c)
      const id = c.req.param('id')
      return answer(c, await rotateScimToken(seatgate, scope, id, input, options), 201)
    })
    .delete(`${TOKENS}/:id`, async (c) =>
      done(c, await revokeScimToken(seatgate, inOrganization(c), c.req.param('id')))
    )
}
