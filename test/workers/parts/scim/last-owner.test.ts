/** Owners who were pushed: the provider puts out all but the last one, also two at once. */
import { describe, expect, it } from 'vitest'
import { changeRole, removeMember } from '../../../../src/index.ts'
import {
  active,
  createScimKit,
  meanwhile,
  pushedOrganization,
  pushingTo,
  testEnv,
  unwrap,
  violations,
} from '../../../kit/index.ts'

/** An organization whose owners are all pushed users, by name. */
async function ownedBy(kit: ReturnType<typeof createScimKit>, names: readonly string[]) {
  const organization = await pushedOrganization(kit)
  const scope = organization.as(organization.owner)
  const ids: string[] = []
  for (const name of names) {
    const { id } = await organization.push(name)
    const find = testEnv.DB.prepare('SELECT user_id FROM seatgate_scim_users WHERE id = ?').bind(id)
    const userId = (await find.first<string>('user_id'))!
    unwrap(await changeRole(kit.seatgate, scope, userId, { role: 'owner' }))
    ids.push(id)
  }
  unwrap(await removeMember(kit.seatgate, scope, organization.owner))
  return { organization, ids }
}

describe.each(['suspend', 'remove'] as const)('where deprovision is "%s"', (deprovision) => {
  const kit = createScimKit({ provider: 'd1' }, { deprovision })

  it('the last owner is neither deactivated nor deleted [SCIM-5]', async () => {
    const { organization, ids } = await ownedBy(kit, ['ann'])
    const path = `/Users/${ids[0]}`
    expect(await organization.ask('PATCH', path, active(false))).toMatchObject({ status: 409 })
    expect(await organization.ask('DELETE', path)).toMatchObject({ status: 409 })
    expect((await organization.ask('GET', path)).body.active).toBe(true)
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it('one of two owners who are deactivated at once stays [SCIM-5]', async () => {
    const { organization, ids } = await ownedBy(kit, ['ann', 'ben'])
    const [ann, ben] = ids.map((id) => `/Users/${id}`) as [string, string]
    const out = async () =>
      expect(await organization.ask('PATCH', ben, active(false))).toMatchObject({ status: 200 })
    const around = meanwhile(out)
    const overtaken = pushingTo(
      createScimKit({ provider: 'd1', around }, { deprovision }),
      organization
    )
    expect(await overtaken.ask('PATCH', ann, active(false))).toMatchObject({ status: 409 })
    expect((await organization.ask('GET', ann)).body.active).toBe(true)
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })
})
