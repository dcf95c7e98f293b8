import { partOf } from '../../engine/changes/part.ts'
import { createRole, type CreateRoleInput } from '../../parts/roles/create-role.ts'
import { deleteRole, type DeleteRoleInput } from '../../parts/roles/delete-role.ts'
import { listRoles } from '../../parts/roles/list-roles.ts'
import type { OwnRolesContext } from '../../parts/roles/own-roles.ts'
import { updateRole, type UpdateRoleInput } from '../../parts/roles/update-role.ts'
import type { Seatgate } from '../../seatgate.ts'
import { answer, done, inOrganization, readOperation, readQuery } from '../request.ts'
import { readBody } from '../request-body.ts'
import {
  signedInRoutes,
  type GroupOf,
  type RouteOptions,
  type Routes,
} from '../routes/route-group.ts'
import type { Taking } from '../typed-response.ts'

/** A configuration in which organizations have roles of their own. */
type WithRoles = Seatgate & Pick<OwnRolesContext, 'ownRoles'>

/**
 * The routes of the roles of an organization: its members list them, and those with `organization:update`
 * change its own.
 *
 * @throws {TypeError} if an option is wrong, or if `ownRoles` is not configured.
 *
 * @example
 * ```ts
 * app.route('/', roleRoutes(seatgate, { authenticate }))
 * ```
 */
export function roleRoutes(seatgate: WithRoles, options: RouteOptions): RoleRoutes {
  partOf(seatgate, 'ownRoles')
  return signedInRoutes('roleRoutes', seatgate, options, addRoles)
}

/** The routes of {@link roleRoutes}. */
export type RoleRoutes = GroupOf<typeof addRoles>

function addRoles(routes: Routes, seatgate: WithRoles) {
  return routes
    .get('/organizations/:org/roles', async (c) =>
      answer(c, await listRoles(seatgate, inOrganization(c)))
    )
    .post('/organizations/:org/roles', async (c: Taking<{ json: CreateRoleInput }>) => {
      const { input, options } = await readOperation(c)
      return answer(c, await createRole(seatgate, inOrganization(c), input, options), 201)
    })
    .patch(
      '/organizations/:org/roles/:name',
      async (c: Taking<{ json: UpdateRoleInput }, '/:name'>) => {
        const input = await readBody(c)
        return answer(c, await updateRole(seatgate, inOrganization(c), c.req.param('name'), input))
      }
    )
    .delete(
      '/organizations/:org/roles/:name',
      async (c: Taking<{ query: DeleteRoleInput }, '/:name'>) =>
        done(c, await deleteRole(seatgate, inOrganization(c), c.req.param('name'), readQuery(c)))
    )
}
