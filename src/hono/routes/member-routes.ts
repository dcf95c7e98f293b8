import type { Hono } from 'hono'
import { addMember } from '../../operations/memberships/add.ts'
import { changeRole } from '../../operations/memberships/change-role.ts'
import { countMembers } from '../../operations/memberships/count.ts'
import { deleteUser } from '../../operations/memberships/delete-user.ts'
import { listMembers } from '../../operations/memberships/list.ts'
import { removeMember } from '../../operations/memberships/remove.ts'
import { restoreMember } from '../../operations/memberships/restore.ts'
import { suspendMember } from '../../operations/memberships/suspend.ts'
import { transferOwnership } from '../../operations/memberships/transfer-ownership.ts'
import type { Seatgate } from '../../seatgate.ts'
import { problemResponse } from '../problem.ts'
import {
  answer,
  done,
  inOrganization,
  readOperation,
  readQuery,
  scopeOf,
  type RouterEnv,
} from '../request.ts'
import { readBody } from '../request-body.ts'
import {
  checkProof,
  checkRouteOptions,
  configuredReads,
  forList,
  signedInRoutes,
  type RouteOptions,
} from './route-group.ts'

/**
 * The routes of members: list, count, add, change the role, remove, suspend, restore, transfer the
 * ownership. `DELETE /users/me` is there if `hooks.onDelete` is configured.
 *
 * @throws {TypeError} if an option is wrong, or if neither `verifyPassword` nor `stepUp` is configured.
 */
export function memberRoutes(given: Seatgate, options: RouteOptions): Hono<RouterEnv> {
  checkRouteOptions('memberRoutes', options)
  const seatgate = configuredReads(given, options)
  checkProof('memberRoutes', seatgate)
  return signedInRoutes(seatgate, options, (routes) => {
    routes.post('/organizations/:org/transfer', async (c) => {
      const { input, options } = await readOperation(c)
      return answer(c, await transferOwnership(seatgate, inOrganization(c), input, options))
    })

    routes.get('/organizations/:org/members/count', async (c) =>
      answer(c, await countMembers(seatgate, inOrganization(c)))
    )
    routes.get('/organizations/:org/members', async (c) =>
      answer(c, await listMembers(forList(c, seatgate), inOrganization(c), readQuery(c)))
    )
    routes.post('/organizations/:org/members', async (c) => {
      const { input, options } = await readOperation(c)
      const added = await addMember(seatgate, inOrganization(c), input, options)
      if (!added.ok) return problemResponse(added.error)
      return c.json(added.value.membership, added.value.created ? 201 : 200)
    })
    routes.patch('/organizations/:org/members/:userId', async (c) => {
      const input = await readBody(c)
      return answer(c, await changeRole(seatgate, inOrganization(c), c.req.param('userId'), input))
    })
    routes.delete('/organizations/:org/members/:userId', async (c) =>
      done(c, await removeMember(seatgate, inOrganization(c), c.req.param('userId')))
    )
    routes.post('/organizations/:org/members/:userId/suspend', async (c) => {
      const { options } = await readOperation(c)
      const userId = c.req.param('userId')
      return answer(c, await suspendMember(seatgate, inOrganization(c), userId, options))
    })
    routes.post('/organizations/:org/members/:userId/restore', async (c) => {
      const { options } = await readOperation(c)
      const userId = c.req.param('userId')
      return answer(c, await restoreMember(seatgate, inOrganization(c), userId, options))
    })

    if (seatgate.lifecycle.onDelete) {
      routes.delete('/users/me', async (c) =>
        done(c, await deleteUser(seatgate, scopeOf(c), await readBody(c)))
      )
    }
  })
}
