import { describe, expect, it } from 'vitest'
import {
  addToGroup,
  groups,
  listGroups,
  updateGroup,
  type GroupsContext,
} from '../../../../src/hono/groups/index.ts'
import { createInvitation, listInvitations } from '../../../../src/index.ts'
import {
  actionsOf,
  codeOf,
  createScimKit,
  everything,
  eventsOf,
  expectSound,
  meanwhile,
  patch,
  pushedOrganization,
  pushingTo,
  testEnv,
  unwrap,
  type PushedOrganization,
} from '../../../kit/index.ts'

const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group'
const part = groups({ limit: 3, memberLimit: 4 })
const kit = createScimKit({ provider: 'd1', groups: part })
const context = { ...kit.context, groups: part } as unknown as GroupsContext & typeof kit.context

const sent = (displayName: string, more: object = {}) => ({
  schemas: [GROUP],
  displayName,
  ...more,
})
const values = (...ids: string[]) => ids.map((value) => ({ value }))

async function membersIn({ ask }: PushedOrganization, id: string): Promise<string[]> {
  const { status, body } = await ask('GET', `/Groups/${id}`)
  expect(status).toBe(200)
  return body.members.map(({ value }: { value: string }) => value).toSorted()
}

async function withUsers() {
  const organization = await pushedOrganization(kit, 20)
  const users: string[] = []
  for (const name of ['ann', 'bob', 'cyd']) users.push((await organization.push(name)).id)
  const [ann = '', bob = '', cyd = ''] = users
  const { body } = await organization.ask(
    'POST',
    '/Groups',
    sent('Design', { externalId: 'g-1', members: values(ann, bob) })
  )
  return { organization, ask: organization.ask, ann, bob, cyd, id: body.id as string, body }
}

describe('a pushed group', () => {
  it('is created, found, read and deleted, and a repeat is 409 [SCIM-19]', async () => {
    const { organization, ask, ann, bob, id, body } = await withUsers()
    expect(body).toMatchObject({
      schemas: [GROUP],
      displayName: 'Design',
      externalId: 'g-1',
      meta: {
        resourceType: 'Group',
        location: `https://seatgate.test/scim/v2/Groups/${id}`,
      },
    })
    expect(await membersIn(organization, id)).toEqual([ann, bob].toSorted())
    const again = await ask('POST', '/Groups', sent('design'))
    expect(again).toMatchObject({ status: 409, body: { scimType: 'uniqueness' } })
    for (const filter of ['displayName eq "DESIGN"', 'externalId eq "g-1"', `id eq "${id}"`]) {
      const found = await ask('GET', `/Groups?filter=${encodeURIComponent(filter)}`)
      expect(found.body).toMatchObject({ totalResults: 1, Resources: [{ id }] })
    }
    const nobody = await ask('GET', `/Groups?filter=${encodeURIComponent('displayName eq "x"')}`)
    expect(nobody).toMatchObject({ status: 200, body: { totalResults: 0, Resources: [] } })
    const lean = await ask('GET', `/Groups/${id}?excludedAttributes=members`)
    expect(lean.body).not.toHaveProperty('members')
    expect((await ask('DELETE', `/Groups/${id}`)).status).toBe(204)
    expect((await ask('GET', `/Groups/${id}`)).status).toBe(404)
    await expectSound(organization.id, false)
  })

  it('changes member by member, in the forms of Okta and Entra [SCIM-20]', async () => {
    const { organization, ask, ann, bob, cyd, id } = await withUsers()
    const change = async (...operations: object[]) => {
      expect((await ask('PATCH', `/Groups/${id}`, patch(...operations))).status).toBe(200)
      return membersIn(organization, id)
    }
    expect(await change({ op: 'add', path: 'members', value: values(cyd) })).toEqual(
      [ann, bob, cyd].toSorted()
    )
    expect(await change({ op: 'remove', path: `members[value eq "${bob}"]` })).toEqual(
      [ann, cyd].toSorted()
    )
    expect(await change({ op: 'Remove', path: 'members', value: values(ann) })).toEqual([cyd])
    expect(await change({ op: 'Add', value: { members: values(ann) } })).toEqual(
      [ann, cyd].toSorted()
    )
    expect(await change({ op: 'replace', path: 'members', value: values(bob) })).toEqual([bob])
    expect(await change({ op: 'replace', value: { id, displayName: 'Product' } })).toEqual([bob])
    expect((await ask('GET', `/Groups/${id}`)).body.displayName).toBe('Product')
    const put = await ask('PUT', `/Groups/${id}`, sent('Product', { members: values(ann, cyd) }))
    expect(put.status).toBe(200)
    expect(await membersIn(organization, id)).toEqual([ann, cyd].toSorted())
    expect(await change({ op: 'remove', path: 'members' })).toEqual([])
  })

  it('adds and removes members in one request, in its order [SCIM-20]', async () => {
    const { organization, ask, ann, bob, cyd, id } = await withUsers()
    const add = { op: 'add', path: 'members', value: values(cyd, bob) }
    const remove = { op: 'remove', path: `members[value eq "${bob}"]` }
    expect((await ask('PATCH', `/Groups/${id}`, patch(add, remove))).status).toBe(200)
    expect(await membersIn(organization, id)).toEqual([ann, cyd].toSorted())
    expect((await ask('PATCH', `/Groups/${id}`, patch(remove, add))).status).toBe(200)
    expect(await membersIn(organization, id)).toEqual([ann, bob, cyd].toSorted())
  })

  it('has both of two changes at once [SCIM-17]', async () => {
    const { organization, ask, id } = await withUsers()
    const set = (path: string, value: string) => patch({ op: 'replace', path, value })
    const around = meanwhile(() => ask('PATCH', `/Groups/${id}`, set('externalId', 'g-2')))
    const overtaken = createScimKit({ provider: 'd1', groups: part, around })
    const { status } = await pushingTo(overtaken, organization).ask(
      'PATCH',
      `/Groups/${id}`,
      set('displayName', 'Product')
    )
    expect(status).toBe(200)
    const { body } = await ask('GET', `/Groups/${id}`)
    expect(body).toMatchObject({ displayName: 'Product', externalId: 'g-2' })
  })

  it('takes no more members than the limit, and reports it [SCIM-19]', async () => {
    const { organization, ask, ann, bob, cyd, id } = await withUsers()
    const more = [cyd, (await organization.push('dan')).id, (await organization.push('eve')).id]
    const add = patch({ op: 'add', path: 'members', value: values(...more) })
    const put = sent('Design', { members: values(ann, bob, ...more) })
    for (const answer of [
      await ask('PATCH', `/Groups/${id}`, add),
      await ask('PUT', `/Groups/${id}`, put),
      await ask('POST', '/Groups', sent('Other', { members: values(ann, bob, ...more) })),
    ]) {
      expect(answer.status).toBe(409)
      expect(answer.body.detail).toContain('A limit is reached')
    }
    expect(await membersIn(organization, id)).toEqual([ann, bob].toSorted())
  })

  it('is unchanged by a repeat, without an event [SCIM-20]', async () => {
    const { organization, ask, ann, id } = await withUsers()
    const before = (await actionsOf(organization.id)).length
    for (const operation of [
      { op: 'add', path: 'members', value: values(ann) },
      { op: 'remove', path: 'members[value eq "unknown"]' },
      { op: 'replace', path: 'displayName', value: 'Design' },
    ]) {
      expect((await ask('PATCH', `/Groups/${id}`, patch(operation))).status).toBe(200)
    }
    expect(await actionsOf(organization.id)).toHaveLength(before)
  })

  it('keeps members who were not pushed, and takes no stranger [SCIM-21]', async () => {
    const { organization, ask, ann, bob, id } = await withUsers()
    const scope = organization.as(organization.owner)
    unwrap(await addToGroup(context, scope, id, { userIds: [organization.owner] }))
    const other = await pushedOrganization(kit, 5)
    const { id: stranger } = await other.push('zoe')
    await ask('PATCH', `/Users/${bob}`, patch({ op: 'replace', path: 'active', value: false }))
    for (const value of [stranger, bob, organization.owner]) {
      const answer = await ask(
        'PATCH',
        `/Groups/${id}`,
        patch({ op: 'add', path: 'members', value: values(value) })
      )
      expect(answer).toMatchObject({ status: 400, body: { scimType: 'invalidValue' } })
    }
    await ask('PUT', `/Groups/${id}`, sent('Design', { members: [] }))
    expect(await membersIn(organization, id)).toEqual([])
    const mine = unwrap(await listGroups(context, scope, { userId: organization.owner }))
    expect(mine.data).toMatchObject([{ id, members: 1 }])
    expect((await other.ask('GET', `/Groups/${id}`)).status).toBe(404)
    expect((await other.ask('DELETE', `/Groups/${id}`)).status).toBe(404)
    expect(ann).not.toBe(stranger)
  })

  it('takes the rights of its role in the batch in which a member is removed [SCIM-22]', async () => {
    const { organization, ask, ann, id } = await withUsers()
    const scope = organization.as(organization.owner)
    unwrap(await updateGroup(context, scope, id, { role: 'admin' }))
    const userId = await testEnv.DB.prepare('SELECT user_id FROM seatgate_scim_users WHERE id = ?')
      .bind(ann)
      .first<string>('user_id')
    const invite = () =>
      createInvitation(kit.seatgate, organization.as(userId!), {
        email: `${crypto.randomUUID()}@example.com`,
        role: 'member',
      })
    unwrap(await invite())
    const operation = { op: 'remove', path: `members[value eq "${ann}"]` }
    const before = kit.trips()
    expect((await ask('PATCH', `/Groups/${id}`, patch(operation))).status).toBe(200)
    expect(kit.trips() - before).toBeLessThanOrEqual(3)
    expect(unwrap(await listInvitations(kit.seatgate, scope)).data).toEqual([])
    expect(codeOf(await invite())).toBe('insufficient_role')
    await expectSound(organization.id, false)
  })

  it('has in each event of a removal how many invitations that member loses [SCIM-22]', async () => {
    const { organization, ask, ann, bob, id } = await withUsers()
    const scope = organization.as(organization.owner)
    unwrap(await updateGroup(context, scope, id, { role: 'admin' }))
    const { results } = await testEnv.DB.prepare(
      'SELECT id, user_id FROM seatgate_scim_users WHERE organization_id = ?'
    )
      .bind(organization.id)
      .all<{ id: string; user_id: string }>()
    const userOf = (pushed: string) => results.find((row) => row.id === pushed)!.user_id
    for (const pushed of [ann, ann, bob]) {
      const input = { email: `${crypto.randomUUID()}@example.com`, role: 'member' }
      unwrap(await createInvitation(kit.seatgate, organization.as(userOf(pushed)), input))
    }
    const remove = patch({ op: 'remove', path: 'members' })
    expect((await ask('PATCH', `/Groups/${id}`, remove)).status).toBe(200)
    const removed = await eventsOf(organization.id, 'organization.group.member_removed')
    expect(
      new Map(removed.map(({ metadata }) => [metadata.user_id, metadata.ended_invitations]))
    ).toEqual(
      new Map([
        [userOf(ann), 2],
        [userOf(bob), 1],
      ])
    )
  })

  it('has an entity tag, which guards a change [SCIM-17]', async () => {
    const { organization, cyd, id } = await withUsers()
    const first = await organization.send('GET', `/Groups/${id}`)
    const tag = first.headers.get('etag')!
    const seen = { 'if-none-match': tag }
    expect((await organization.send('GET', `/Groups/${id}`, undefined, seen)).status).toBe(304)
    const add = patch({ op: 'add', path: 'members', value: values(cyd) })
    const match = { 'if-match': tag }
    expect((await organization.send('PATCH', `/Groups/${id}`, add, match)).status).toBe(200)
    expect((await organization.send('PATCH', `/Groups/${id}`, add, match)).status).toBe(412)
    expect((await organization.send('DELETE', `/Groups/${id}`, undefined, match)).status).toBe(412)
  })

  it('stays within the limits, also with concurrent requests [SCIM-19]', async () => {
    const { ask } = await withUsers()
    const names = ['A', 'B', 'C', 'D', 'E']
    const answers = await Promise.all(names.map((name) => ask('POST', '/Groups', sent(name))))
    const statuses = answers.map(({ status }) => status).toSorted((a, b) => a - b)
    expect(statuses).toEqual([201, 201, 409, 409, 409])
    const page = await ask('GET', '/Groups?startIndex=2&count=1')
    expect(page.body).toMatchObject({ totalResults: 3, startIndex: 2, itemsPerPage: 1 })
  })

  it('is read with as many members as a group may have [SCIM-19]', async () => {
    const { ask, id } = await withUsers()
    const push = (members: number, more = '') => {
      const all = Array.from({ length: members }, () => {
        const value = crypto.randomUUID()
        return { value, display: `${value}@${more}acme.example`, $ref: `/Users/${value}` }
      })
      return ask('PUT', `/Groups/${id}`, sent('Design', { members: all }))
    }
    // It was read: the ids are those of no users.
    expect(await push(5000)).toMatchObject({ status: 400, body: { scimType: 'invalidValue' } })
    expect((await push(5000, 'x'.repeat(60))).status).toBe(413)
  })

  it('is refused with bad input in the form of SCIM, and no row changes [SCIM-9 SCIM-19]', async () => {
    const { organization, ask, ann, id } = await withUsers()
    const { body: second } = await ask('POST', '/Groups', sent('Second', { externalId: 'g-2' }))
    await ask('GET', '/Groups')
    const rows = await everything()
    const deep = `${'('.repeat(100)}displayName eq "a"${')'.repeat(100)}`
    for (const filter of [`displayName eq "${'a'.repeat(10_000)}"`, deep, 'shoeSize eq "44"', '']) {
      const answer = await ask('GET', `/Groups?filter=${encodeURIComponent(filter)}`)
      expect(answer).toMatchObject({ status: 400, body: { scimType: 'invalidFilter' } })
    }
    const taken = { status: 409, body: { scimType: 'uniqueness' } }
    const change = (...operations: object[]) =>
      ask('PATCH', `/Groups/${second.id}`, patch(...operations))
    expect(await ask('POST', '/Groups', sent('Third', { externalId: 'g-1' }))).toMatchObject(taken)
    const put = sent('Second', { externalId: 'g-1' })
    expect(await ask('PUT', `/Groups/${second.id}`, put)).toMatchObject(taken)
    for (const [path, value] of [
      ['externalId', 'g-1'],
      ['displayName', 'DESIGN'],
    ]) {
      expect(await change({ op: 'replace', path, value })).toMatchObject(taken)
    }
    const wrong = [
      ['invalidPath', { op: 'replace', path: 'shoe.size', value: 4 }],
      ['invalidPath', { op: 'replace', path: 'displayName.x', value: 'x' }],
      ['invalidPath', { op: 'replace', path: 'members[value eq', value: 'x' }],
      ['invalidPath', { op: 'replace', path: 'a'.repeat(10_000), value: 'x' }],
      ['invalidPath', { op: 'replace', value: { shoeSize: 44 } }],
      ['invalidValue', { op: 'replace', value: { displayName: 'A', DISPLAYNAME: 'B' } }],
      ['invalidValue', { op: 'replace', path: 'displayName', value: { a: 1 } }],
      ['mutability', { op: 'replace', path: 'meta', value: {} }],
    ] as const
    for (const [scimType, operation] of wrong) {
      // A change before it is undone with it.
      const first = { op: 'replace', path: 'displayName', value: 'Other' }
      expect(await change(first, operation), scimType).toMatchObject({
        status: 400,
        body: { scimType },
      })
    }
    for (const body of [
      { schemas: ['urn:x'], displayName: 'A' },
      { schemas: GROUP, displayName: 'A' },
      { ...sent('A'), DISPLAYNAME: 'B' },
      sent('A', { members: [{ value: 7 }] }),
      sent('A', { externalId: {} }),
      sent('x'.repeat(101)),
    ]) {
      expect((await ask('POST', '/Groups', body)).status, JSON.stringify(body)).toBe(400)
    }
    expect(await everything()).toEqual(rows)
    // Names have any case, and unknown ones are left out.
    const lax = { SCHEMAS: [GROUP.toUpperCase()], DISPLAYNAME: 'Third', Members: values(ann), x: 1 }
    expect(await ask('PUT', `/Groups/${second.id}`, lax)).toMatchObject({ status: 200 })
    expect(await membersIn(organization, second.id)).toEqual([ann])
    expect((await change({ op: 'replace', value: { shoe: 4, Displayname: 'New' } })).status).toBe(
      200
    )
    const found = await ask('GET', `/Groups?filter=${encodeURIComponent('DISPLAYNAME Eq "new"')}`)
    expect(found.body.totalResults).toBe(1)
    expect(id).not.toBe(second.id)
  })

  it('is described, and bad input is 400 [SCIM-19]', async () => {
    const { ask, id } = await withUsers()
    const types = await ask('GET', '/ResourceTypes')
    expect(types.body.Resources.map(({ name }: { name: string }) => name)).toEqual([
      'User',
      'Group',
    ])
    expect((await ask('GET', `/Schemas/${GROUP}`)).body.id).toBe(GROUP)
    const wrong = [
      patch({ op: 'move', path: 'members', value: [] }),
      patch({ op: 'remove' }),
      patch({ op: 'add', path: 'owners', value: values('x') }),
      patch({ op: 'add', path: 'members[value eq "x"]', value: values('x') }),
      patch({ op: 'remove', path: 'members[display eq "x"]' }),
      patch({ op: 'remove', path: 'displayName' }),
      patch({ op: 'replace', path: 'id', value: 'mine' }),
      patch({ op: 'add', path: 'members', value: ['x'] }),
      patch({ op: 'add', path: 'members', value: 7 }),
      patch({ op: 'replace', value: 'x' }),
      patch(),
      { Operations: [] },
      [],
    ]
    for (const body of wrong) {
      const answer = await ask('PATCH', `/Groups/${id}`, body)
      expect(answer, JSON.stringify(body)).toMatchObject({ status: 400 })
    }
    for (const body of [{}, sent(''), { schemas: [GROUP] }, sent('X', { members: 'ann' })]) {
      expect((await ask('POST', '/Groups', body)).status, JSON.stringify(body)).toBe(400)
    }
    for (const page of ['count=0x5', 'count=1e1', 'count=', 'startIndex=%202', 'startIndex=1.0']) {
      const answer = await ask('GET', `/Groups?${page}`)
      expect(answer, page).toMatchObject({ status: 400, body: { scimType: 'invalidValue' } })
    }
    const page = await ask('GET', '/Groups?startIndex=-3&count=-1')
    expect(page).toMatchObject({ status: 200, body: { startIndex: 1, itemsPerPage: 0 } })
    for (const filter of ['displayName co "x"', 'members eq "x"', 'displayName eq 7', '((']) {
      const answer = await ask('GET', `/Groups?filter=${encodeURIComponent(filter)}`)
      expect(answer).toMatchObject({ status: 400, body: { scimType: 'invalidFilter' } })
    }
  })
})
