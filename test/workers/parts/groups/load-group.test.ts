import { describe, expect, it } from 'vitest'
import { removeMember } from '../../../../src/index.ts'
import {
  deleteGroup,
  loadGroup,
  removeFromGroup,
  type GroupEnv,
} from '../../../../src/hono/groups/index.ts'
import {
  byName,
  clientOf,
  createGroupsKit,
  groupOf,
  Hono,
  join,
  newUser,
  unwrap,
} from '../../../kit/index.ts'

const kit = createGroupsKit()
const app = new Hono<GroupEnv>()
  .use('/o/:org/g/:group/*', loadGroup(kit.context, { authenticate: byName }))
  .get('/o/:org/g/:group/var', (c) => {
    const { organization, group, membership, role } = c.var
    return c.json({
      organization: organization.id,
      group: group.id,
      user: membership?.userId,
      role,
    })
  })
const client = clientOf((url, init) => app.request(url, init))

async function scene() {
  const organization = await kit.organization()
  const inside = await join(kit, organization)
  const group = await groupOf(kit, organization, [inside])
  const at = (userId: string, groupId = group.id, org = organization.id) =>
    client.get(`/o/${org}/g/${groupId}/var`, `user:${userId}`)
  return { organization, inside, group, at }
}

describe('a request in a group', () => {
  it('has the group beside the organization, in one round trip [GROUP-23]', async () => {
    const { organization, inside, group, at } = await scene()
    const before = kit.trips()
    const answer = await at(inside)
    expect(kit.trips() - before).toBe(1)
    expect(await answer.json()).toEqual({
      organization: organization.id,
      group: group.id,
      user: inside,
      role: 'member',
    })
    expect((await at(inside, group.id, organization.slug)).status).toBe(200)
  })

  it('answers another group, and one of another organization, like one that does not exist [GROUP-23]', async () => {
    const { organization, inside, group, at } = await scene()
    const stranger = await scene()
    const others = await groupOf(kit, organization, [organization.owner])
    const answer = async (response: Promise<Response>) => {
      const { status, headers } = await response
      const { title, detail, code } = await (await response).json<Record<string, unknown>>()
      return { status, type: headers.get('content-type'), title, detail, code }
    }
    const absent = await answer(at(inside, crypto.randomUUID()))
    expect(absent).toMatchObject({ status: 404, code: 'not_found' })
    expect(await answer(at(inside, others.id))).toEqual(absent)
    expect(await answer(at(inside, stranger.group.id))).toEqual(absent)
    // No right stands in for being in the group.
    expect(await answer(at(organization.owner))).toEqual(absent)
    const outside = await answer(at(await newUser()))
    expect(outside).toMatchObject({ status: 404, code: 'organization_not_found' })
    expect(await answer(at(stranger.inside, group.id))).toEqual(outside)
    expect(await answer(at(inside, group.id, stranger.organization.id))).toEqual(outside)
    expect((await client.get(`/o/${organization.id}/g/${group.id}/var`)).status).toBe(401)
  })

  it('ends with the membership of the group, of the organization, and with the group [GROUP-23]', async () => {
    const { organization, inside, group, at } = await scene()
    const owner = organization.as(organization.owner)
    const [second, third] = [await join(kit, organization), await join(kit, organization)]
    const own = await groupOf(kit, organization, [inside, second, third])
    expect((await at(second, own.id)).status).toBe(200)
    unwrap(await removeFromGroup(kit.context, owner, own.id, second))
    expect((await at(second, own.id)).status).toBe(404)
    unwrap(await removeMember(kit.context, owner, third))
    expect((await at(third, own.id)).status).toBe(404)
    unwrap(await deleteGroup(kit.context, owner, own.id))
    expect((await at(inside, own.id)).status).toBe(404)
    expect((await at(inside, group.id)).status).toBe(200)
  })

  it('of the host itself is in every group, a service account is in no group [GROUP-23]', async () => {
    const { organization, group } = await scene()
    const as = async (caller: object) => {
      const authenticate = () => caller as never
      const own = new Hono<GroupEnv>()
        .use('/:org/:team/*', loadGroup(kit.context, { authenticate, groupParameter: 'team' }))
        .get('/:org/:team/name', (c) => c.text(c.var.group.name))
      return (await own.request(`/${organization.id}/${group.id}/name`)).status
    }
    expect(await as({ type: 'system' })).toBe(200)
    const machine = { type: 'service_account', serviceAccountId: 'robot', role: 'owner' }
    expect(await as({ ...machine, organizationId: organization.id })).toBe(404)
  })

  it('is refused at set-up without the part, and with a wrong option [GROUP-23]', () => {
    const authenticate = byName
    const { groups: _, ...without } = kit.context
    expect(() => loadGroup(without as never, { authenticate })).toThrow('groups')
    expect(() => loadGroup(kit.context, { authenticate, groupParameter: '' })).toThrow(
      'loadGroup: groupParameter must be a name.'
    )
    expect(() => loadGroup(kit.context, { authenticate, parameter: '' })).toThrow('loadGroup')
    expect(() => loadGroup(kit.context, {} as never)).toThrow('loadGroup')
  })
})
