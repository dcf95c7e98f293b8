import { describe, expect, it } from 'vitest'
import { joinRules, type Domain, type ListedJoinRequest, type Page } from '../../../src/index.ts'
import {
  asUser,
  embedded,
  host,
  limitTo,
  postMember,
  postOrganization,
  people,
  problem,
  type Person,
  newDomain,
  testEnv,
  userWith,
} from '../../kit/index.ts'

const client = embedded({
  joining: joinRules({
    verifyDomain: () => true,
    whenFull: { domain: 'wait', request: 'wait' },
  }),
})

/** An organization with a verified domain, and two people of it. */
async function openTeam(mode: 'request' | 'auto', limit?: number) {
  const [owner, member] = (await people(2)) as [Person, Person]
  const organization = await postOrganization(owner)
  await postMember(organization, owner, member)
  if (limit !== undefined) await limitTo(organization, limit)
  const path = `/organizations/${organization.id}`
  const domain = newDomain()
  const added = await client.post(`${path}/domains`, { domain, mode }, asUser(owner))
  expect(added.status).toBe(201)
  const { id } = await added.json<Domain>()
  const verified = await client.post(`${path}/domains/${id}/verify`, undefined, asUser(owner))
  expect(verified.status).toBe(200)
  const neighbours = await Promise.all(
    ['ann', 'ben'].map(async (name) => ({ userId: await userWith(`${name}@${domain}`) }))
  )
  const [ann, ben] = neighbours as [{ userId: string }, { userId: string }]
  const join = (by: { userId: string }) =>
    client.post('/join-requests', { organizationId: organization.id }, asUser(by))
  return { owner, member, organization, path, domain, domainId: id, ann, ben, join }
}

describe('the routes of joining', () => {
  it('lead in by the domain', async () => {
    const { organization, ann, join } = await openTeam('auto')
    const joinable = await client.get('/joinable-organizations', asUser(ann))
    const { id, name, slug } = organization
    expect(await joinable.json()).toEqual({
      data: [{ organization: { id, name, slug }, mode: 'auto' }],
    })
    const joined = await join(ann)
    expect(joined.status).toBe(201)
    expect(await joined.json()).toMatchObject({
      status: 'joined',
      membership: { userId: ann.userId, role: 'member' },
    })
  })

  it('lead in on request', async () => {
    const { owner, path, ann, ben, join } = await openTeam('request')
    for (const by of [ann, ben]) expect((await join(by)).status).toBe(202)
    const list = async () => {
      const page = await client.get(`${path}/join-requests?limit=1`, asUser(owner))
      return page.json<Page<ListedJoinRequest>>()
    }
    const { data, nextCursor } = await list()
    expect(data).toHaveLength(1)
    const second = await client.get(`${path}/join-requests?cursor=${nextCursor}`, asUser(owner))
    const [other] = (await second.json<Page<ListedJoinRequest>>()).data
    const approved = await client.post(
      `${path}/join-requests/${data[0]?.id}/approve`,
      { role: 'admin' },
      asUser(owner)
    )
    expect(approved.status).toBe(200)
    expect(await approved.json()).toMatchObject({ status: 'joined', membership: { role: 'admin' } })
    const declined = await client.post(
      `${path}/join-requests/${other?.id}/decline`,
      undefined,
      asUser(owner)
    )
    expect(await declined.json()).toMatchObject({ id: other?.id, state: 'declined' })
    expect((await list()).data).toEqual([])
  })

  it('lead into the line of a full organization, and out of it', async () => {
    const { owner, path, member, ann, join } = await openTeam('auto', 2)
    const waiting = await join(ann)
    expect(waiting.status).toBe(202)
    const { status, request } = await waiting.json<{ status: string; request: { id: string } }>()
    expect(status).toBe('waiting')
    const withdrawn = await client.delete(`/join-requests/${request.id}`, asUser(ann))
    expect(withdrawn.status).toBe(204)
    expect((await join(ann)).status).toBe(202)
    const removed = await client.delete(`${path}/members/${member.userId}`, asUser(owner))
    expect(removed.status).toBe(204)
    expect((await join(ann)).status).toBe(201)
  })

  it('change a domain and take it away', async () => {
    const { owner, path, domainId, ann, join } = await openTeam('auto')
    const off = await client.patch(`${path}/domains/${domainId}`, { mode: 'off' }, asUser(owner))
    expect(await off.json()).toMatchObject({ mode: 'off', verified: true })
    expect(await problem(await join(ann))).toMatchObject({ code: 'organization_not_found' })
    const listed = await client.get(`${path}/domains`, asUser(owner))
    expect(await listed.json()).toMatchObject({ data: [{ id: domainId }] })
    expect((await client.delete(`${path}/domains/${domainId}`, asUser(owner))).status).toBe(204)
    expect((await client.delete(`${path}/domains/${domainId}`, asUser(owner))).status).toBe(404)
  })

  it('take an Idempotency-Key', async () => {
    const { organization, ann } = await openTeam('request')
    const headers = { 'idempotency-key': crypto.randomUUID() }
    const input = { organizationId: organization.id }
    const ask = () => client.post('/join-requests', input, asUser(ann), headers)
    const first = await (await ask()).text()
    expect(await (await ask()).text()).toBe(first)
    const other = await client.post(
      '/join-requests',
      { organizationId: crypto.randomUUID() },
      asUser(ann),
      headers
    )
    expect(await problem(other)).toMatchObject({ status: 422, code: 'idempotency_mismatch' })
  })

  it('answer every other user as if the organization did not exist', async () => {
    const { organization, path, domainId } = await openTeam('auto')
    const [stranger] = (await people(1)) as [Person]
    const absent = crypto.randomUUID()
    const asked = async (id: string) => {
      const answers = [
        await client.post('/join-requests', { organizationId: id }, asUser(stranger)),
        await client.get(`/organizations/${id}/domains`, asUser(stranger)),
        await client.post(
          `/organizations/${id}/domains`,
          { domain: 'a.example' },
          asUser(stranger)
        ),
        await client.post(
          `/organizations/${id}/domains/${domainId}/verify`,
          undefined,
          asUser(stranger)
        ),
        await client.get(`/organizations/${id}/join-requests`, asUser(stranger)),
      ]
      return Promise.all(answers.map(async (answer) => [answer.status, await answer.text()]))
    }
    expect(await asked(organization.id)).toEqual(await asked(absent))
    expect((await client.get(`${path}/domains`)).status).toBe(401)
    expect((await client.get('/joinable-organizations')).status).toBe(401)
    expect((await client.post('/join-requests', {})).status).toBe(401)
  })

  it.each(['', '{', '[]', 'null', '{"organizationId":7}'])('refuse bad input: %s', async (body) => {
    const [ann] = (await people(1)) as [Person]
    const answer = await client.post('/join-requests', body, asUser(ann))
    expect([400, 422]).toContain(answer.status)
  })

  it('are in the reference host', async () => {
    const [owner] = (await people(1)) as [Person]
    const organization = await postOrganization(owner)
    const path = `/organizations/${organization.id}/domains`
    const added = await host.post(path, { domain: newDomain(), mode: 'auto' }, owner.token)
    expect(added.status).toBe(201)
    const rows = await testEnv.DB.prepare(
      'SELECT mode FROM seatgate_organization_domains WHERE organization_id = ?'
    )
      .bind(organization.id)
      .all()
    expect(rows.results).toEqual([{ mode: 'auto' }])
  })

  it('are not there without joining', async () => {
    const [ann] = (await people(1)) as [Person]
    const without = embedded({ joining: null as never })
    expect((await without.get('/joinable-organizations', asUser(ann))).status).toBe(404)
  })
})
