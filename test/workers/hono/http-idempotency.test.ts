import { describe, expect, it } from 'vitest'
import type { Organization } from '../../../src/index.ts'
import {
  asUser,
  embedded,
  host,
  limitTo,
  postOrganization,
  people,
  person,
  problem,
  rowCounts,
  fullTeam,
  testEnv,
  PASSWORD,
} from '../../kit/index.ts'

type Team = Awaited<ReturnType<typeof fullTeam>>

const newSlug = () => `org-${crypto.randomUUID().slice(0, 8)}`

describe('Idempotency-Key on POST /organizations', () => {
  it('answers a repeated creation byte for byte, also after it was renamed [SEAT-18]', async () => {
    const owner = await person()
    const headers = { 'idempotency-key': 'create-1' }
    const input = { name: 'Acme', slug: newSlug() }
    const first = await host.post('/organizations', input, owner.token, headers)
    const text = await first.text()
    const { id } = JSON.parse(text) as Organization
    await host.patch(`/organizations/${id}`, { name: 'Renamed' }, owner.token)
    const before = await rowCounts()
    const second = await host.post('/organizations', input, owner.token, headers)
    expect([second.status, await second.text()]).toEqual([201, text])
    expect(await rowCounts()).toEqual(before)
  })

  it('runs one of twenty at once, and answers all of them in the same way', async () => {
    const owner = await person()
    const headers = { 'idempotency-key': 'create-once' }
    const input = { name: 'Acme', slug: newSlug() }
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => host.post('/organizations', input, owner.token, headers))
    )
    const texts = await Promise.all(answers.map((answer) => answer.text()))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]))
    expect(new Set(texts).size).toBe(1)
  })

  it('is idempotency_mismatch with another body', async () => {
    const owner = await person()
    const headers = { 'idempotency-key': 'create-2' }
    await host.post('/organizations', { name: 'Acme', slug: newSlug() }, owner.token, headers)
    const before = await rowCounts()
    const other = { name: 'Other', slug: newSlug() }
    const answer = await host.post('/organizations', other, owner.token, headers)
    expect(await problem(answer)).toMatchObject({ status: 422, code: 'idempotency_mismatch' })
    expect(await rowCounts()).toEqual(before)
  })

  it('names another operation when another user sends it', async () => {
    const [one, two] = await people(2)
    const headers = { 'idempotency-key': 'shared-key' }
    const first = await host.post(
      '/organizations',
      { name: 'A', slug: newSlug() },
      one!.token,
      headers
    )
    const second = await host.post(
      '/organizations',
      { name: 'B', slug: newSlug() },
      two!.token,
      headers
    )
    expect([first.status, second.status]).toEqual([201, 201])
  })

  it('answers a refusal again, even when the operation would succeed by now', async () => {
    const owner = await person()
    const { id, slug } = await postOrganization(owner)
    const headers = { 'idempotency-key': 'taken-slug' }
    const first = await host.post('/organizations', { name: 'B', slug }, owner.token, headers)
    const text = await first.text()
    await remove(id)
    const second = await host.post('/organizations', { name: 'B', slug }, owner.token, headers)
    expect([second.status, await second.text()]).toEqual([422, text])
    const keyless = await host.post('/organizations', { name: 'B', slug }, owner.token)
    expect(keyless.status).toBe(201)
  })

  it.each([[''], ['x'.repeat(256)], ['two words'], ['ümlaut']])(
    'refuses the key %j',
    async (key) => {
      const owner = await person()
      const before = await rowCounts()
      const input = { name: 'Acme', slug: newSlug() }
      const answer = await host.post('/organizations', input, owner.token, {
        'idempotency-key': key,
      })
      expect(await problem(answer)).toEqual({
        status: 422,
        code: 'validation_error',
        fields: ['Idempotency-Key'],
      })
      expect(await rowCounts()).toEqual(before)
    }
  )

  it('takes a key of 255 characters', async () => {
    const owner = await person()
    const headers = { 'idempotency-key': 'x'.repeat(255) }
    const input = { name: 'Acme', slug: newSlug() }
    expect((await host.post('/organizations', input, owner.token, headers)).status).toBe(201)
  })
})

describe('Idempotency-Key on POST /organizations/:org/members', () => {
  it('answers a repeated join byte for byte, also after the member has left [SEAT-18]', async () => {
    const { owner, stranger, members, memberPath } = await fullTeam()
    const headers = { 'idempotency-key': 'join-1' }
    const input = { userId: stranger.userId, role: 'member' }
    const first = await host.post(members, input, owner.token, headers)
    await host.delete(memberPath(stranger), stranger.token)
    const before = await rowCounts()
    const second = await host.post(members, input, owner.token, headers)
    expect([second.status, await second.text()]).toEqual([201, await first.text()])
    expect(await rowCounts()).toEqual(before)
  })

  it('repeats a refusal without a free seat, with its first numbers', async () => {
    const { owner, stranger, organization, members } = await fullTeam()
    const headers = { 'idempotency-key': 'join-2' }
    const input = { userId: stranger.userId, role: 'member' }
    await limitTo(organization, 3)
    const first = await host.post(members, input, owner.token, headers)
    const text = await first.text()
    expect(JSON.parse(text)).toMatchObject({ code: 'seat_limit_reached', limit: 3, used: 3 })
    await limitTo(organization, 10)
    const second = await host.post(members, input, owner.token, headers)
    expect([second.status, await second.text()]).toEqual([409, text])
    const other = { ...input, role: 'admin' }
    const mismatch = await host.post(members, other, owner.token, headers)
    expect(await problem(mismatch)).toMatchObject({ status: 422, code: 'idempotency_mismatch' })
  })

  it('lets a repeat at once through to one answer', async () => {
    const { owner, members } = await fullTeam()
    const { userId } = await person()
    const headers = { 'idempotency-key': 'join-3' }
    const answers = await Promise.all(
      Array.from({ length: 10 }, () =>
        host.post(members, { userId, role: 'member' }, owner.token, headers)
      )
    )
    // Whoever meets the first one half-way is asked to come again; nobody gets another answer.
    const codes = await Promise.all(
      answers.map(async (answer) => (answer.ok ? answer.text() : (await problem(answer)).code))
    )
    const made = new Set(codes.filter((code) => code !== 'operation_in_progress'))
    expect(made.size).toBe(1)
    const settled = await host.post(members, { userId, role: 'member' }, owner.token, headers)
    expect([settled.status, await settled.text()]).toEqual([201, [...made][0]])
  })
})

describe('Idempotency-Key on the other POSTs in an organization', () => {
  const client = embedded()
  const suspension = (team: Team) => `${team.memberPath(team.member)}/suspend`
  const restoring = (team: Team) => `${team.memberPath(team.member)}/restore`
  const suspended = (team: Team) => client.post(suspension(team), undefined, asUser(team.owner))
  const slug = newSlug()

  const routes: {
    name: string
    path: (team: Team) => string
    body?: (team: Team) => object
    before?: (team: Team) => Promise<unknown>
    /** What has happened between the first answer and the repeat. */
    since: (team: Team) => Promise<unknown>
    other?: object
  }[] = [
    {
      name: 'slug',
      path: (team) => `/organizations/${team.organization.id}/slug`,
      body: (team) => ({ slug, confirmSlug: team.organization.slug, password: PASSWORD }),
      since: (team) => {
        const input = { slug: newSlug(), confirmSlug: slug, password: PASSWORD }
        return client.post(`/organizations/${team.organization.id}/slug`, input, asUser(team.owner))
      },
      other: { slug: 'another-slug' },
    },
    {
      name: 'transfer',
      path: (team) => `/organizations/${team.organization.id}/transfer`,
      body: (team) => ({ userId: team.admin.userId, password: PASSWORD }),
      since: (team) => client.delete(team.memberPath(team.owner), asUser(team.owner)),
      other: { role: 'member' },
    },
    {
      name: 'suspend',
      path: suspension,
      since: (team) => client.post(restoring(team), undefined, asUser(team.owner)),
    },
    {
      name: 'restore',
      path: restoring,
      before: suspended,
      since: (team) => client.delete(team.memberPath(team.member), asUser(team.owner)),
    },
  ]

  it.each(routes)(
    '$name answers a repeat byte for byte, also after other changes, and does no work [SEAT-18]',
    async ({ path, body, before, since, other }) => {
      const team = await fullTeam()
      await before?.(team)
      const ask = (more?: object) =>
        client.post(path(team), body && { ...body(team), ...more }, asUser(team.owner), {
          'idempotency-key': 'just-once',
        })
      const first = await ask()
      const text = await first.text()
      expect(first.status).toBe(200)
      expect(((await since(team)) as Response).ok).toBe(true)
      const rows = await rowCounts()
      const second = await ask()
      expect([second.status, await second.text()]).toEqual([200, text])
      if (other) {
        const mismatch = await ask(other)
        expect(await problem(mismatch)).toMatchObject({ status: 422, code: 'idempotency_mismatch' })
      }
      expect(await rowCounts()).toEqual(rows)
    }
  )

  it('is free again after a wrong password: that was no answer', async () => {
    const { owner, organization } = await fullTeam()
    const headers = { 'idempotency-key': 'mistyped' }
    const change = (password: string) => {
      const input = { slug: newSlug(), confirmSlug: organization.slug, password }
      return client.post(`/organizations/${organization.id}/slug`, input, asUser(owner), headers)
    }
    expect(await problem(await change('mistyped'))).toMatchObject({ code: 'invalid_password' })
    expect((await change(PASSWORD)).status).toBe(200)
  })

  it.each([['/suspend'], ['/restore'], ['/slug'], ['/transfer']])(
    'refuses a bad key on %s',
    async (end) => {
      const { owner, member, organization, memberPath } = await fullTeam()
      const path = /suspend|restore/.test(end)
        ? `${memberPath(member)}${end}`
        : `/organizations/${organization.id}${end}`
      const answer = await client.post(path, {}, asUser(owner), { 'idempotency-key': 'two words' })
      expect(await problem(answer)).toEqual({
        status: 422,
        code: 'validation_error',
        fields: ['Idempotency-Key'],
      })
    }
  )
})

describe('the request id', () => {
  it('is in the events that the request writes [AUD-20]', async () => {
    const owner = await person()
    const headers = { 'cf-ray': '8f1-FRA' }
    const response = await host.post(
      '/organizations',
      { name: 'Acme', slug: newSlug() },
      owner.token,
      headers
    )
    const { id } = await response.json<Organization>()
    const ids = await testEnv.DB.prepare(
      'SELECT DISTINCT request_id AS id FROM seatgate_audit_events WHERE organization_id = ?'
    )
      .bind(id)
      .all()
    expect(ids.results).toEqual([{ id: '8f1-FRA' }])
  })
})

async function remove(id: string): Promise<void> {
  await testEnv.DB.prepare('UPDATE seatgate_organizations SET deleted_at = 1 WHERE id = ?')
    .bind(id)
    .run()
}
