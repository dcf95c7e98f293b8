import { describe, expect, it } from 'vitest'
import {
  getPlatformOrganization,
  listPersonEvents,
  listPlatformOrganizations,
  logEvent,
  softDeleteOrganization,
  type AuditEvent,
  type Page,
  type PlatformOrganization,
} from '../../../src/index.ts'
import {
  anOperator,
  asUser,
  db,
  embedded,
  postMember,
  postOrganization,
  people,
  person,
  problem,
  seatgateWith,
  type Person,
  byOperator,
  organizationWith,
  owners,
  testEnv,
  unwrap,
} from '../../kit/index.ts'

const seatgate = seatgateWith()
const client = embedded()
const operator = { caller: { userId: 'ops', operator: true } } as const
const system = { type: 'system' } as const

const read = async <T>(path: string): Promise<T> => {
  const response = await client.get(`/operator${path}`, anOperator)
  expect([path, response.status]).toEqual([path, 200])
  return response.json<T>()
}

async function remove(organization: string): Promise<void> {
  await testEnv.DB.prepare('UPDATE seatgate_organizations SET deleted_at = 1000 WHERE id = ?')
    .bind(organization)
    .run()
}

describe('an operator’s organizations [C6]', () => {
  it('are found by id, and by the beginning of a slug or a name, deleted or not [C6]', async () => {
    const owner = await person()
    const mark = crypto.randomUUID().slice(0, 8)
    const live = await postOrganization(owner, { name: `Zeta ${mark} 100%`, slug: `live-${mark}` })
    const gone = await postOrganization(owner, { name: `Gone ${mark}`, slug: `gone-${mark}` })
    await remove(gone.id)
    const found = async (search: string, more = '') => {
      const path = `/organizations?search=${encodeURIComponent(search)}${more}`
      const { data } = await read<Page<PlatformOrganization>>(path)
      return data.map(({ id, deletedAt }) => [id, deletedAt])
    }
    const one = [[live.id, null]]
    const other = [[gone.id, '1970-01-01T00:00:01.000Z']]
    for (const search of [live.id, live.id.toUpperCase(), `live-${mark}`, `ZETA ${mark} 100%`]) {
      expect(await found(search)).toEqual(one)
    }
    for (const search of [gone.id, `gone-${mark}`, `gone ${mark}`]) {
      expect(await found(search)).toEqual(other)
      expect(await found(search, '&status=deleted')).toEqual(other)
      expect(await found(search, '&status=live')).toEqual([])
    }
    // Nothing in a search is a pattern.
    for (const search of ['%', `live_${mark}`, `zeta ${mark} 100_`, mark]) {
      expect(await found(search)).toEqual([])
    }
  })

  it('have pages, with each row once [C6]', async () => {
    const owner = await person()
    const made = await Promise.all(Array.from({ length: 5 }, () => postOrganization(owner)))
    const seen: string[] = []
    for (let cursor = ''; ;) {
      const page = await read<Page<PlatformOrganization>>(`/organizations?limit=2${cursor}`)
      expect(page.data.length).toBeLessThanOrEqual(2)
      seen.push(...page.data.map(({ id }) => id))
      if (page.nextCursor === null) break
      cursor = `&cursor=${page.nextCursor}`
    }
    expect(seen).toEqual([...new Set(seen)].sort())
    for (const { id } of made) expect(seen).toContain(id)
  })

  it.each([
    ['search=', 422, ['search']],
    [`search=${'x'.repeat(256)}`, 422, ['search']],
    ['status=odd', 422, ['status']],
    ['limit=0', 422, ['limit']],
    ['limit=201', 422, ['limit']],
    ['name=x', 422, ['name']],
    ['cursor=x', 400, []],
    [`cursor=${btoa('["x","members"]')}`, 400, []],
  ])('are refused for ?%s [C6]', async (query, status, fields) => {
    const answer = await client.get(`/operator/organizations?${query}`, anOperator)
    expect(await problem(answer)).toMatchObject({ status, fields })
  })

  it('are read one by one, a deleted one only by its id [C6]', async () => {
    const owner = await person()
    const organization = await postOrganization(owner)
    const path = `/organizations/${organization.slug}`
    expect(await read(path)).toEqual({ ...organization, deletedAt: null })
    await remove(organization.id)
    expect(await read(`/organizations/${organization.id}`)).toMatchObject({
      id: organization.id,
      deletedAt: '1970-01-01T00:00:01.000Z',
    })
    expect(await problem(await client.get(`/operator${path}`, anOperator))).toMatchObject({
      status: 404,
      code: 'organization_not_found',
    })
    // Its owner does not see it any more.
    const asOwner = asUser(owner)
    expect((await client.get(`/organizations/${organization.id}`, asOwner)).status).toBe(404)
    expect((await client.get(`/operator/organizations/${organization.id}`, asOwner)).status).toBe(
      404
    )
  })

  it('are returned for every user, once for each key [C6]', async () => {
    const [owner, member] = (await people(2)) as [Person, Person]
    const organization = await postOrganization(owner)
    await postMember(organization, owner, member)
    const scope = { caller: system, organization: organization.id }
    unwrap(await softDeleteOrganization(seatgate, scope, { confirmName: organization.name }))
    const restore = (key: string) =>
      client.post(`/operator/organizations/${organization.id}/restore`, undefined, anOperator, {
        'idempotency-key': key,
      })
    const answers = [await restore('r1'), await restore('r1')]
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
    const [first, second] = await Promise.all(answers.map((answer) => answer.json()))
    expect(second).toEqual(first)
    expect(first).toMatchObject({ id: organization.id })
    const members = await client.get(`/organizations/${organization.id}/members`, asUser(owner))
    expect((await members.json<Page<unknown>>()).data).toHaveLength(2)
    const missing = `/operator/organizations/${crypto.randomUUID()}/restore`
    expect(await problem(await client.post(missing, undefined, anOperator))).toMatchObject({
      code: 'organization_not_found',
    })
  })

  it('have their seats verified and counted again [C6]', async () => {
    const owner = await person()
    const { id } = await postOrganization(owner)
    await testEnv.DB.prepare(
      'UPDATE seatgate_member_counts SET active = 7 WHERE organization_id = ?'
    )
      .bind(id)
      .run()
    const verify = () => read<{ differences: unknown[] }>(`/organizations/${id}/seats/verify`)
    expect((await verify()).differences).toHaveLength(1)
    const rebuilt = await client.post(
      `/operator/organizations/${id}/seats/rebuild`,
      undefined,
      anOperator
    )
    expect(rebuilt.status).toBe(200)
    expect(await rebuilt.json()).toMatchObject({ held: 1, repaired: [expect.anything()] })
    expect((await verify()).differences).toEqual([])
  })
})

describe('an operator’s trails [C6]', () => {
  it('are those of any organization, also a deleted one, filtered, counted and in pages [C6]', async () => {
    const id = await organizationWith(seatgate, 3)
    await remove(id)
    const path = `/organizations/${id}/audit`
    const page = await read<Page<AuditEvent>>(`${path}?limit=2`)
    expect(page.data.map(({ sequence }) => sequence)).toEqual([5, 4])
    const next = await read<Page<AuditEvent>>(`${path}?limit=200&cursor=${page.nextCursor}`)
    expect(next.data.map(({ sequence }) => sequence)).toEqual([3, 2, 1])
    expect(await read(`${path}/count`)).toEqual({ count: 5 })
    const query = 'action=organization.rename'
    expect(await read(`${path}/count?${query}`)).toEqual({ count: 3 })
    for (const wrong of ['limit=201', 'organization=x', 'from=yesterday']) {
      expect((await client.get(`/operator${path}?${wrong}`, anOperator)).status).toBe(422)
    }
  })

  it('are those of the path: another organization in the query is refused [C6]', async () => {
    const [one, other] = [await organizationWith(seatgate), await organizationWith(seatgate)]
    for (const path of [
      `/organizations/${one}/audit`,
      `/organizations/${one}/audit/count`,
      '/audit',
    ]) {
      const query = `organization_id=${other}`
      const answer = await client.get(`/operator${path}?${query}`, anOperator)
      expect(await problem(answer)).toEqual({
        status: 422,
        code: 'validation_error',
        fields: ['organization_id'],
      })
    }
  })

  it('are the platform’s own too [C6]', async () => {
    const action = `host.m${crypto.randomUUID().replaceAll('-', '')}`
    unwrap(await logEvent(seatgate, { caller: system }, { action }))
    const { data } = await read<Page<AuditEvent>>(`/audit?action=${action}`)
    expect(data).toMatchObject([{ organizationId: 'system', action }])
  })

  it('of one person are their acts and the acts on them, everywhere, newest first [C6]', async () => {
    const [one, other] = (await people(2)) as [Person, Person]
    const first = await postOrganization(one)
    const second = await postOrganization(other)
    await postMember(second, other, one)
    await remove(first.id)
    unwrap(await logEvent(seatgate, { caller: { userId: one.userId } }, { action: 'host.seen' }))
    const invoice = { type: 'invoice', id: one.userId }
    unwrap(await logEvent(seatgate, { caller: system }, { action: 'host.paid', target: invoice }))
    const path = `/users/${one.userId}/audit`
    const { data } = await read<Page<AuditEvent>>(path)
    expect(data.map(({ action, organizationId }) => `${action} ${organizationId}`)).toEqual([
      'host.seen system',
      expect.stringMatching(`^organization.member_add ${second.id}$`),
      expect.stringMatching(`(seat.assigned|organization.create) ${first.id}$`),
      expect.stringMatching(`(seat.assigned|organization.create) ${first.id}$`),
    ])
    const pages: string[] = []
    for (let cursor = ''; ;) {
      const page = await read<Page<AuditEvent>>(`${path}?limit=1${cursor}`)
      pages.push(...page.data.map(({ id }) => id))
      if (page.nextCursor === null) break
      cursor = `&cursor=${page.nextCursor}`
    }
    expect(pages).toEqual(data.map(({ id }) => id))
    const narrowed = await read<Page<AuditEvent>>(`${path}?action_prefix=organization.`)
    expect(narrowed.data.length).toBe(2)
    for (const query of ['after_sequence=1', 'organization_id=x', 'limit=0']) {
      expect((await client.get(`/operator${path}?${query}`, anOperator)).status).toBe(422)
    }
    expect((await client.get(`/operator${path}?cursor=x`, anOperator)).status).toBe(400)
    expect((await read<Page<AuditEvent>>('/users/nobody/audit')).data).toEqual([])
  })

  it('as functions are refused to others before anything is read [C6]', async () => {
    const id = await organizationWith(seatgate)
    const scope = { caller: { userId: owners.get(id)! }, organization: id }
    const unread = seatgateWith({
      database: new Proxy(db, {
        get(target, key) {
          if (key === 'batch') return () => Promise.reject(new Error('It was read.'))
          return Reflect.get(target, key) as unknown
        },
      }),
    })
    const answers = [
      await listPlatformOrganizations(unread, scope),
      await getPlatformOrganization(unread, scope),
      await listPersonEvents(unread, scope, 'ada'),
    ]
    expect(answers.map((answer) => !answer.ok && answer.error.code)).toEqual([
      'insufficient_role',
      'organization_not_found',
      'insufficient_role',
    ])
    expect(unwrap(await getPlatformOrganization(seatgate, byOperator(id)))).toMatchObject({ id })
    expect(unwrap(await listPersonEvents(seatgate, operator, 'nobody')).data).toEqual([])
  })
})
