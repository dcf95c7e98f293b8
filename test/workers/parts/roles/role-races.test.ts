import { expect, it } from 'vitest'
import { changeRole, createInvitation, type Result } from '../../../../src/index.ts'
import { createRole, deleteRole, listRoles, updateRole } from '../../../../src/hono/roles/index.ts'
import {
  accept,
  createRolesKit,
  db,
  expectSound,
  join,
  newAddress,
  roleOf,
  atScale,
  unwrap,
  type TestOrganization,
} from '../../../kit/index.ts'

const kit = createRolesKit({ provider: 'd1', defaultSeatLimit: 1000 })
const { context, seatgate } = kit
const ROUNDS = atScale({ share: 10, thorough: 50 })
const owned = (organization: TestOrganization) => organization.as(organization.owner)

/** Expects that every member has a role that the organization has. */
async function expectKnownRoles(organization: TestOrganization) {
  const { data } = unwrap(await listRoles(context, owned(organization)))
  const rows = await db.all<{ role: string }>(
    `select role from seatgate_memberships where organization_id = '${organization.id}'`
  )
  const known = data.map(({ name }) => name)
  expect(rows.map(({ role }) => role).filter((role) => !known.includes(role))).toEqual([])
}

/** Runs two acts at once, in both orders by turns. */
async function together(
  round: number,
  one: () => Promise<Result<unknown>>,
  other: () => Promise<Result<unknown>>
) {
  if (round % 2 === 0) return Promise.all([one(), other()])
  const [second, first] = await Promise.all([other(), one()])
  return [first, second]
}

it('a deletion and an assignment at once leave no member in a role that does not exist [PERM-16]', async () => {
  const organization = await kit.organization()
  const scope = owned(organization)
  const userId = await join(kit, organization, 'member')
  const outcomes = new Set<string>()
  for (let round = 0; round < ROUNDS; round++) {
    const role = await roleOf(kit, organization, ['project:read'], `role-${round}`)
    const [assigned, deleted] = await together(
      round,
      () => changeRole(seatgate, scope, userId, { role }),
      () => deleteRole(context, scope, role)
    )
    outcomes.add(`${assigned?.ok} ${deleted?.ok}`)
    expect([assigned?.ok, deleted?.ok]).not.toEqual([true, true])
    await expectKnownRoles(organization)
    unwrap(await changeRole(seatgate, scope, userId, { role: 'member' }))
    if (!deleted?.ok) unwrap(await deleteRole(context, scope, role))
  }
  expect(outcomes).not.toContain('true true')
  await kit.settled()
  await expectSound(organization.id, false)
})

it('a rename and an acceptance at once leave no member under the old name [PERM-16]', async () => {
  const organization = await kit.organization()
  const scope = owned(organization)
  for (let round = 0; round < ROUNDS; round++) {
    const role = await roleOf(kit, organization, [], `old-${round}`)
    const email = newAddress()
    const sent = unwrap(await createInvitation(seatgate, scope, { email, role }))
    const name = `new-${round}`
    const [accepted, renamed] = await together(
      round,
      () => accept(kit, sent),
      () => updateRole(context, scope, role, { name })
    )
    expect([accepted?.ok, renamed?.ok]).toEqual([true, true])
    await expectKnownRoles(organization)
    unwrap(await deleteRole(context, scope, name, { replacement: 'member' }))
  }
  await kit.settled()
  await expectSound(organization.id, false)
})

it('an act at the moment that its permission is taken away is committed before, or is refused [PERM-16]', async () => {
  const organization = await kit.organization()
  const scope = owned(organization)
  const permissions = ['organization:update', 'project:read']
  await roleOf(kit, organization, permissions, 'lead')
  const lead = organization.as(await join(kit, organization, 'lead'))
  for (let round = 0; round < ROUNDS; round++) {
    const name = `made-${round}`
    const [made] = await together(
      round,
      () => createRole(context, lead, { name, permissions: ['project:read'] }),
      () => updateRole(context, scope, 'lead', { permissions: [] })
    )
    const events = await db.all<{ action: string }>(
      `select action from seatgate_audit_events where organization_id = '${organization.id}'
       order by sequence desc limit 2`
    )
    const [last, before] = events.map(({ action }) => action)
    if (made?.ok) {
      expect([last, before]).toEqual(['organization.role.updated', 'organization.role.created'])
      unwrap(await deleteRole(context, scope, name))
    } else {
      expect(last).toBe('organization.role.updated')
    }
    unwrap(await updateRole(context, scope, 'lead', { permissions }))
  }
  await kit.settled()
  await expectSound(organization.id, false)
})
