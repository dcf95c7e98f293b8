import type { ChangeRoleInput } from '../../engine/access/roles.ts'
import type { AddMemberInput } from '../../engine/model/join.ts'
import { addMember } from '../../operations/memberships/add.ts'
import { changeRole } from '../../operations/memberships/change-role.ts'
import { countMembers } from '../../operations/memberships/count.ts'
import { listMembers, type MembersInput } from '../../operations/memberships/list.ts'
import { removeMember } from '../../operations/memberships/remove.ts'
import { restoreMember } from '../../operations/memberships/restore.ts'
import { suspendMember } from '../../operations/memberships/suspend.ts'
import {
  transferOwnership,
  type TransferOwnershipInput,
} from '../../operations/memberships/transfer-ownership.ts'
import type { Seatgate } from '../../seatgate.ts'
import { answer, done, inOrganization, readOperation, readQuery } from '../request.ts'
import type { Taking } from '../typed-response.ts'
import { readBody } from '../request-body.ts'
import {
  checkProof,
  forList,
  signedInRoutes,
  type GroupOf,
  type RouteOptions,
  type Routes,
} from './route-group.ts'

/**
 * Returns the routes of members: list, count, add, change the role, remove, suspend, restore, transfer the
 * ownership.
 *
 * @throws {TypeError} if an option is wrong, or if neither `verifyPassword` nor `stepUp` is configured.
 *
 * @example
 * ```ts
 * app.route('/', memberRoutes(seatgate, { authenticate }))
 * ```
 */
export function memberRoutes(given: Seatgate, options: RouteOptions): MemberRoutes {
  checkProof('memberRoutes', given)
  return signedInRoutes('memberRoutes', given, options, addMembers)
}

/** The routes of {@link memberRoutes}. */
export type MemberRoutes = GroupOf<typeof addMembers>

function addMembers(routes: Routes, seatgate: Seatgate) {
  return routes
    .post('/organizations/:org/transfer', async (c: Taking<{ json: TransferOwnershipInput }>) => {
      const { input, options } = await readOperation(c)
      return answer(c, await transferOwnership(seatgate, inOrganization(c), input, options))
    })

    .get('/organizations/:org/members/count', async (c) =>
      answer(c, await countMembers(seatgate, inOrganization(c)))
    )
    .get('/organizations/:org/members', async (c: Taking<{ query: MembersInput }>) =>
      answer(c, await listMembers(forList(c, seatgate), inOrganization(c), readQuery(c)))
    )
    .post('/organizations/:org/members', async (c: Taking<{ json: AddMemberInput }>) => {
      const { input, options } = await readOperation(c)
      const added = await addMember(seatgate, inOrganization(c), input, options)
      if (!added.ok) return answer(c, added)
      return c.json(added.value.membership, added.value.created ? 201 : 200)
    })
    .patch(
      '/organizations/:org/members/:userId',
      async (c: Taking<{ json: ChangeRoleInput }, '/:userId'>) => {
        const input = await readBody(c)
        const userId = c.req.param('userId')
        return answer(c, await changeRole(seatgate, inOrganization(c), userId, input))
      }
    )
    .delete('/organizations/:org/members/:userId', async (c) =>
      done(c, await removeMember(seatgate, inOrganization(c), c.req.param('userId')))
    )
    .post('/organizations/:org/members/:userId/suspend', async (c) => {
      const { options } = await readOperation(c)
      const userId = c.req.param('userId')
      return answer(c, await suspendMember(seatgate, inOrganization(c), userId, options))
    })
    .post('/organizations/:org/members/:userId/restore', async (c) => {
      const { options } = await readOperation(c)
      const userId = c.req.param('userId')
      return answer(c, await restoreMember(seatgate, inOrganization(c), userId, options))
    })
}
