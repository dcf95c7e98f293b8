import { describe, expect, it } from 'vitest'
import type { Organization } from '../../src/index.ts'
import {
  host,
  limitTo,
  organizationOf,
  people,
  person,
  problem,
  rowCounts,
  fullTeam,
} from './client.ts'
import { testEnv } from './setup.ts'

const newSlug = () => `org-${crypto.randomUUID().slice(0, 8)}`

describe('Idempotency-Key on POST /organizations', () => {
  it('SEAT-18: answers a repeated creation byte for byte, also after it was renamed', async () => {
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

  it('does one of twenty at once, and answers all of them alike', async () => {
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

  it('names another operation in somebody else’s hand', async () => {
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
    const { id, slug } = await organizationOf(owner)
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
  it('SEAT-18: answers a repeated join byte for byte, also after the member has left', async () => {
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

  it('answers a refusal for want of a seat again, with the numbers of then', async () => {
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

describe('the request id', () => {
  it('AUD-20: is on record in the events that the request writes', async () => {
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
      'SELECT DISTINCT request_id AS id FROM audit_events WHERE organization_id = ?'
    )
      .bind(id)
      .all()
    expect(ids.results).toEqual([{ id: '8f1-FRA' }])
  })
})

async function remove(id: string): Promise<void> {
  await testEnv.DB.prepare('UPDATE organizations SET deleted_at = 1 WHERE id = ?').bind(id).run()
}
