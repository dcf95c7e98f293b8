import type { Context, Hono } from 'hono'
import { createScimGroup } from '../../parts/scim-groups/create-scim-group.ts'
import { deleteScimGroup } from '../../parts/scim-groups/delete-scim-group.ts'
import { getScimGroup } from '../../parts/scim-groups/get-group.ts'
import { listScimGroups } from '../../parts/scim-groups/list-scim-groups.ts'
import { patchScimGroup } from '../../parts/scim-groups/patch-group.ts'
import { replaceScimGroup } from '../../parts/scim-groups/replace-group.ts'
import type { ScimGroupsContext } from '../../parts/scim-groups/scim-group.ts'
import { isNamedBy } from '../../parts/scim/user-view.ts'
import { mountable } from '../mountable.ts'
import { readBody } from '../request-body.ts'
import {
  conditions,
  listResponse,
  parametersOf,
  resourceResponse,
  type ScimEnv,
} from './scim-requests.ts'
import { scimError } from './scim-response.ts'
import { isShown } from './shown-attributes.ts'

// All members of a group of the largest limit, each with what identity providers send beside the id.
const LARGEST_GROUP = 1024 * 1024

/** The routes of groups. Changes are answered without the members. */
export function groupRoutes(context: ScimGroupsContext): Hono<ScimEnv> {
  return mountable<ScimEnv>()
    .get('/Groups', async (c) => {
      const page = await listScimGroups(context, c.var.place, parametersOf(c), membersIn(c))
      if (!page.ok) return scimError(page.error)
      return listResponse(c, page.value.groups, page.value.totalResults, page.value.startIndex)
    })
    .post('/Groups', async (c) =>
      resourceResponse(
        c,
        await createScimGroup(context, c.var.place, await readBody(c, LARGEST_GROUP)),
        201
      )
    )
    .get('/Groups/:id', async (c) => {
      const group = await getScimGroup(context, c.var.place, c.req.param('id'), membersIn(c))
      const known = c.req.header('if-none-match')
      return group.ok && known !== undefined && isNamedBy(known, group.value)
        ? new Response(null, { status: 304, headers: { etag: group.value.meta.version } })
        : resourceResponse(c, group)
    })
    .put('/Groups/:id', async (c) => {
      const input = await readBody(c, LARGEST_GROUP)
      const id = c.req.param('id')
      return resourceResponse(
        c,
        await replaceScimGroup(context, c.var.place, id, input, conditions(c))
      )
    })
    .patch('/Groups/:id', async (c) => {
      const input = await readBody(c, LARGEST_GROUP)
      const id = c.req.param('id')
      return resourceResponse(
        c,
        await patchScimGroup(context, c.var.place, id, input, conditions(c))
      )
    })
    .delete('/Groups/:id', async (c) => {
      const id = c.req.param('id')
      const deleted = await deleteScimGroup(context, c.var.place, id, conditions(c))
      return deleted.ok ? c.body(null, 204) : scimError(deleted.error)
    })
}

// Members that are not shown are not read.
function membersIn(c: Context) {
  const { attributes, excluded } = parametersOf(c)
  return { members: isShown('members', attributes, excluded) }
}
