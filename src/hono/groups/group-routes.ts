import type { PageInput } from '../../base/page.ts'
import { partOf } from '../../engine/changes/part.ts'
import { addToGroup, type AddToGroupInput } from '../../parts/groups/add-to-group.ts'
import { createGroup, type CreateGroupInput } from '../../parts/groups/create-group.ts'
import { deleteGroup } from '../../parts/groups/delete-group.ts'
import type { GroupsContext } from '../../parts/groups/groups.ts'
import { listGroupMembers } from '../../parts/groups/list-group-members.ts'
import { listGroups, type GroupsInput } from '../../parts/groups/list-groups.ts'
import { removeFromGroup } from '../../parts/groups/remove-from-group.ts'
import { updateGroup, type UpdateGroupInput } from '../../parts/groups/update-group.ts'
import type { Seatgate } from '../../seatgate.ts'
import { answer, done, inOrganization, readOperation, readQuery } from '../request.ts'
import { readBody } from '../request-body.ts'
import {
  forList,
  signedInRoutes,
  type GroupOf,
  type RouteOptions,
  type Routes,
} from '../routes/route-group.ts'
import type { Taking } from '../typed-response.ts'

/** A configuration that has groups. */
type Grouped = Seatgate & Pick<GroupsContext, 'groups'>

/**
 * The routes of the groups of an organization: its members list them, and those with `members:manage`
 * change them.
 *
 * @throws {TypeError} if an option is wrong, or if `groups` is not configured.
 *
 * @example
 * ```ts
 * app.route('/', groupRoutes(seatgate, { authenticate }))
 * ```
 */
export function groupRoutes(seatgate: Grouped, options: RouteOptions): GroupRoutes {
  partOf(seatgate, 'groups')
  return signedInRoutes('groupRoutes', seatgate, options, addGroups)
}

/** The routes of {@link groupRoutes}. */
export type GroupRoutes = GroupOf<typeof addGroups>

function addGroups(routes: Routes, seatgate: Grouped) {
  return routes
    .get('/organizations/:org/groups', async (c: Taking<{ query: GroupsInput }>) =>
      answer(c, await listGroups(forList(c, seatgate), inOrganization(c), readQuery(c)))
    )
    .post('/organizations/:org/groups', async (c: Taking<{ json: CreateGroupInput }>) => {
      const { input, options } = await readOperation(c)
      return answer(c, await createGroup(seatgate, inOrganization(c), input, options), 201)
    })
    .patch(
      '/organizations/:org/groups/:id',
      async (c: Taking<{ json: UpdateGroupInput }, '/:id'>) => {
        const input = await readBody(c)
        const id = c.req.param('id')
        return answer(c, await updateGroup(seatgate, inOrganization(c), id, input))
      }
    )
    .delete('/organizations/:org/groups/:id', async (c) =>
      done(c, await deleteGroup(seatgate, inOrganization(c), c.req.param('id')))
    )
    .get(
      '/organizations/:org/groups/:id/members',
      async (c: Taking<{ query: PageInput }, '/:id'>) => {
        const id = c.req.param('id')
        const list = forList(c, seatgate)
        return answer(c, await listGroupMembers(list, inOrganization(c), id, readQuery(c)))
      }
    )
    .post(
      '/organizations/:org/groups/:id/members',
      async (c: Taking<{ json: AddToGroupInput }, '/:id'>) => {
        const { input, options } = await readOperation(c)
        const id = c.req.param('id')
        return answer(c, await addToGroup(seatgate, inOrganization(c), id, input, options))
      }
    )
    .delete('/organizations/:org/groups/:id/members/:userId', async (c) => {
      const { id, userId } = c.req.param()
      return done(c, await removeFromGroup(seatgate, inOrganization(c), id, userId))
    })
}
