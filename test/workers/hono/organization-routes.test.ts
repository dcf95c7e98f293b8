import { describe, expect, it } from 'vitest'
import {
  asUser,
  embedded,
  problem,
  everything,
  freshSlug,
  createKit,
  join,
  newUser,
  PASSWORD,
} from '../../kit/index.ts'

const kit = createKit()
const client = embedded()
const large = 'x'.repeat(64 * 1024)

async function scene() {
  const organization = await kit.organization()
  const token = asUser({ userId: organization.owner })
  const path = `/organizations/${organization.id}`
  const change = (over: object = {}, as = token, key?: string) =>
    client.post(
      `${path}/slug`,
      { slug: freshSlug(), confirmSlug: organization.slug, password: PASSWORD, ...over },
      as,
      key === undefined ? {} : { 'idempotency-key': key }
    )
  const remove = (over: object = {}, as = token) =>
    client.send('DELETE', path, { confirmName: 'Test', password: PASSWORD, ...over }, as)
  return { organization, token, path, change, remove }
}

describe('POST /organizations/:org/slug', () => {
  it('answers 200 with the organization, and the old slug leads to the new one', async () => {
    const { organization, token, change } = await scene()
    const slug = freshSlug()
    const response = await change({ slug })
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({ id: organization.id, slug })
    const old = await client.get(`/o/${organization.slug}?tab=1`, token)
    expect([old.status, old.headers.get('location')]).toEqual([302, `/o/${slug}?tab=1`])
    const plain = await client.get(`/organizations/${organization.slug}`, token)
    expect([plain.status, plain.headers.get('location')]).toEqual([302, `/organizations/${slug}`])
  })

  it.each([
    [{ password: 'wrong' }, 403, 'invalid_password', []],
    [{ password: undefined }, 422, 'validation_error', ['password']],
    [{ confirmSlug: 'other' }, 422, 'validation_error', ['confirmSlug']],
    [{ slug: 'admin' }, 422, 'validation_error', ['slug']],
    [{ slug: large }, 413, 'payload_too_large', []],
    [{ password: large }, 413, 'payload_too_large', []],
    [
      { slug: 'x', confirmSlug: 7, password: '' },
      422,
      'validation_error',
      ['slug', 'confirmSlug', 'password'],
    ],
  ])('refuses a body with %j', async (over, status, code, fields) => {
    const { change } = await scene()
    const rows = await everything()
    const found = await problem(await change(over))
    expect({ ...found, fields: new Set(found.fields) }).toEqual({
      status,
      code,
      fields: new Set(fields),
    })
    expect(await everything()).toEqual(rows)
  })

  it('asks for a role before it looks at anything, a bad key included', async () => {
    const { organization, change } = await scene()
    const member = asUser({ userId: await join(kit, organization) })
    const stranger = asUser({ userId: await newUser() })
    for (const [over, key] of [
      [{}, undefined],
      [{ slug: 7, password: 'wrong' }, undefined],
      [{}, 'a key'],
      [{}, 'k'.repeat(300)],
    ] as const) {
      expect((await change(over, member, key)).status).toBe(403)
      expect((await change(over, stranger, key)).status).toBe(404)
    }
    expect(await problem(await change({}, undefined, 'k'.repeat(300)))).toMatchObject({
      status: 422,
      fields: ['Idempotency-Key'],
    })
  })
})

describe('DELETE /organizations/:org', () => {
  it('answers 204 without a body, and from then on 404 to every request of every user', async () => {
    const { organization, token, path, remove, change } = await scene()
    const member = asUser({ userId: await join(kit, organization) })
    const response = await remove()
    expect([response.status, await response.text()]).toEqual([204, ''])
    for (const as of [token, member]) {
      for (const name of [path, `/organizations/${organization.slug}`, `/o/${organization.slug}`]) {
        expect((await client.get(name, as)).status).toBe(404)
      }
    }
    expect([(await remove()).status, (await change()).status]).toEqual([404, 404])
  })

  it.each([
    [{ password: 'wrong' }, 403, 'invalid_password', []],
    [{ password: null }, 422, 'validation_error', ['password']],
    [{ confirmName: 'test' }, 422, 'validation_error', ['confirmName']],
    [
      { confirmName: undefined, password: undefined },
      422,
      'validation_error',
      ['password', 'confirmName'],
    ],
    [{ confirmName: large }, 413, 'payload_too_large', []],
  ])('refuses a body with %j', async (over, status, code, fields) => {
    const { remove } = await scene()
    const rows = await everything()
    expect(await problem(await remove(over))).toEqual({ status, code, fields })
    expect(await everything()).toEqual(rows)
  })

  it('refuses a request without a body, or with broken JSON', async () => {
    const { path, token } = await scene()
    expect((await client.delete(path, token)).status).toBe(400)
    expect((await client.send('DELETE', path, '{', token)).status).toBe(400)
  })

  it('is for owners', async () => {
    const { organization, remove } = await scene()
    const admin = asUser({ userId: await join(kit, organization, 'admin') })
    expect(await problem(await remove({}, admin))).toMatchObject({ code: 'insufficient_role' })
    expect((await remove({ password: 7 }, asUser({ userId: await newUser() }))).status).toBe(404)
  })

  it('that is sent twice at once runs once, and the second request finds no row', async () => {
    for (let round = 0; round < 10; round++) {
      const { remove } = await scene()
      const answers = await Promise.all([remove(), remove()])
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([204, 404]))
    }
  })
})
