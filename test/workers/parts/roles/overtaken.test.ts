/**
 * Changes of own roles that another change overtakes, between the rows that they are planned on and their batch.
 */
import { expect, it } from 'vitest'
import { changeRole, createInviteLink, listInviteLinks } from '../../../../src/index.ts'
import { deleteRole, listRoles, updateRole } from '../../../../src/hono/roles/index.ts'
import {
  codeOf,
  createRolesKit,
  join,
  meanwhile,
  roleOf,
  unwrap,
  type TestOrganization,
} from '../../../kit/index.ts'

const kit = createRolesKit()
const owned = (organization: TestOrganization) => organization.as(organization.owner)

/** An own role, and a member who gets it between the reads and the batch of a change. */
async function scene() {
  const organization = await kit.organization()
  const scope = owned(organization)
  const role = await roleOf(kit, organization, ['project:read'], 'auditor')
  const userId = await join(kit, organization, 'member')
  const { context } = createRolesKit({
    around: meanwhile(async () => unwrap(await changeRole(kit.seatgate, scope, userId, { role }))),
  })
  return { context, scope, role, userId }
}

const namesIn = async (scope: ReturnType<typeof owned>) =>
  unwrap(await listRoles(kit.context, scope)).data.map(({ name }) => name)

it('a role that a member got since the read is not deleted [PERM-16]', async () => {
  const { context, scope, role } = await scene()
  expect(codeOf(await deleteRole(context, scope, role))).toBe('role_in_use')
  expect(await namesIn(scope)).toContain(role)
})

it('a member who got a role since the read has it under its new name [PERM-16]', async () => {
  const { context, scope, role, userId } = await scene()
  unwrap(await updateRole(context, scope, role, { name: 'reviewer' }))
  expect(await namesIn(scope)).not.toContain(role)
  const changed = await changeRole(kit.seatgate, scope, userId, { role: 'reviewer' })
  expect(unwrap(changed).role).toBe('reviewer')
})

it('a link to the first role of an organization, created since the read, ends with the rights of its creator [PERM-15]', async () => {
  const organization = await kit.organization()
  const scope = owned(organization)
  const userId = await join(kit, organization, 'owner')
  const own = organization.as(userId)
  const { seatgate } = createRolesKit({
    around: meanwhile(async () => {
      const role = await roleOf(kit, organization, ['billing:manage'], 'treasurer')
      unwrap(await createInviteLink(kit.seatgate, own, { role, maxUses: 2 }))
    }),
  })
  unwrap(await changeRole(seatgate, own, userId, { role: 'admin' }))
  const { data } = unwrap(await listInviteLinks(kit.seatgate, scope))
  expect(data.filter(({ state }) => state === 'open')).toEqual([])
})
