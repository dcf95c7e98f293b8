import { beforeAll, describe, expect, it } from 'vitest'
import {
  anOperator,
  embedded,
  host,
  postOrganization,
  person,
  problem,
  rowCounts,
  smallTeam,
  type Person,
  BY_TOKEN,
  isForOperators,
  LISTS,
  NAMED,
  named,
  OWN,
  shareOf,
} from '../../kit/index.ts'

let owner: Person
let org: string
beforeAll(async () => {
  owner = await person()
  org = (await postOrganization(owner)).id
})

describe('a body', () => {
  const WITH_BODY = [...OWN, ...NAMED].filter(([, , body]) => body !== undefined).map(named)
  const large = JSON.stringify({ name: 'x'.repeat(64 * 1024) })

  it.each(shareOf(WITH_BODY, 6))(
    '%s refuses one that is broken or no object',
    async (_name, method, path) => {
      const client = isForOperators(path(org)) ? embedded() : host
      const token = isForOperators(path(org)) ? anOperator : owner.token
      const before = await rowCounts()
      const cases: [string | undefined, number, string][] = [
        [undefined, 400, 'invalid_json'],
        ['', 400, 'invalid_json'],
        ['{', 400, 'invalid_json'],
        ['{"name":"Acme"} trailing', 400, 'invalid_json'],
        ["{'name':'Acme'}", 400, 'invalid_json'],
        ['name=Acme', 400, 'invalid_json'],
        ['NaN', 400, 'invalid_json'],
        ['\u0000', 400, 'invalid_json'],
        ['null', 422, 'validation_error'],
        ['[]', 422, 'validation_error'],
        ['[{"name":"Acme"}]', 422, 'validation_error'],
        ['"Acme"', 422, 'validation_error'],
        ['7', 422, 'validation_error'],
        ['true', 422, 'validation_error'],
        ['{}', 422, 'validation_error'],
        [
          '{"__proto__":{"name":"Acme","role":"owner","userId":"x","limit":1}}',
          422,
          'validation_error',
        ],
        [`${'['.repeat(30_000)}${']'.repeat(30_000)}`, 422, 'validation_error'],
        [large, 413, 'payload_too_large'],
      ]
      for (const [input, status, code] of cases) {
        const answer = await client.send(method, path(org), input, token)
        expect({ input: input?.slice(0, 40), ...(await problem(answer)) }).toMatchObject({
          status,
          code,
        })
      }
      expect(await rowCounts()).toEqual(before)
    }
  )

  it.each(shareOf(BY_TOKEN.map(named), 4))(
    '%s treats all that is no token as an invalid token [INV-76]',
    async (...route) => {
      const [, method, path] = route
      const before = await rowCounts()
      const ask = (input: unknown) => host.send(method, path(org), input, owner.token)
      const code = async (answer: Response) => {
        const said = await answer.json<{ code?: string; status: unknown }>()
        return said.code ?? `invitation_${String(said.status)}`
      }
      for (const input of [undefined, '', '{', 'token=x', '\u0000']) {
        expect(await code(await ask(input)), String(input)).toBe('invalid_json')
      }
      expect(await code(await ask(large))).toBe('payload_too_large')
      const noTokens: unknown[] = [
        null,
        7,
        true,
        [],
        {},
        '',
        'x',
        'x'.repeat(2000),
        { toString: 'x' },
      ]
      const inputs = [null, [], 'x', 7, {}, ...noTokens.map((token) => ({ token }))]
      for (const input of inputs) {
        const answer = await ask(JSON.stringify(input))
        expect(await code(answer), JSON.stringify(input)).toBe('invitation_invalid')
      }
      // Who accepts as a user is counted; nothing else is written.
      const counted = Number(path('').endsWith('/accept'))
      expect(await rowCounts()).toEqual({
        ...before,
        seatgate_rate_limits: before.seatgate_rate_limits! + counted,
      })
    }
  )

  it.each([
    [{ name: '' }, ['name']],
    [{ name: '   ' }, ['name']],
    [{ name: 7 }, ['name']],
    [{ name: null, slug: 'fine' }, ['name']],
    [{ slug: 'fine' }, ['name']],
    [{ name: 'x'.repeat(256), slug: 'fine' }, ['name']],
    [{ name: 'Acme', slug: '' }, ['slug']],
    [{ name: 'Acme', slug: 7 }, ['slug']],
    [{ name: 'Acme', slug: 'admin' }, ['slug']],
    [{ name: 'Acme', slug: 'Acme-Corp' }, ['slug']],
    [{ name: 'Acme', slug: 'ab' }, ['slug']],
    [{ name: 'Acme', slug: 'abc\n' }, ['slug']],
    [{ name: 'Acme', slug: 'a0000000-0000-4000-8000-000000000000' }, ['slug']],
    [{ name: { toString: 'x' }, slug: ['fine'] }, ['name', 'slug']],
    [{ name: 'Acme', slug: 'fine\u0000' }, ['slug']],
  ])('a creation refuses %j [ORG-3 ORG-6 ORG-7 ORG-20]', async (input, fields) => {
    const before = await rowCounts()
    const answer = await host.post('/organizations', input, owner.token)
    expect(await problem(answer)).toEqual({ status: 422, code: 'validation_error', fields })
    expect(await rowCounts()).toEqual(before)
  })

  it('takes a name of 255 characters, and names the number when it is one more [ORG-19]', async () => {
    const path = `/organizations/${(await postOrganization(owner)).id}`
    const ask = (length: number) => host.patch(path, { name: 'x'.repeat(length) }, owner.token)
    expect((await ask(255)).status).toBe(200)
    expect(await (await ask(256)).text()).toContain('255')
    const created = await host.post(
      '/organizations',
      { name: 'x'.repeat(256), slug: 'long-name' },
      owner.token
    )
    expect(await created.text()).toContain('255')
  })

  it.each([
    ['a NUL', '\u0000'],
    ['a NUL in front', '\u0000Acme'],
    ['a lone surrogate', '\ud800'],
    ['a line break', 'Acme\nInc.'],
    ['255 control characters', '\u0001'.repeat(255)],
  ])('refuses a name with %s [ORG-18]', async (_what, name) => {
    const before = await rowCounts()
    const created = await host.post('/organizations', { name, slug: 'fine-slug' }, owner.token)
    const renamed = await host.patch(`/organizations/${org}`, { name }, owner.token)
    for (const answer of [created, renamed]) {
      expect(await problem(answer)).toEqual({
        status: 422,
        code: 'validation_error',
        fields: ['name'],
      })
    }
    expect(await rowCounts()).toEqual(before)
  })

  it('keeps a name of astral characters unchanged', async () => {
    const name = '\u{1f4ba}'.repeat(127)
    const renamed = await host.patch(`/organizations/${org}`, { name }, owner.token)
    expect(await renamed.json()).toMatchObject({ name })
    const read = await host.get(`/organizations/${org}`, owner.token)
    expect(await read.json()).toMatchObject({ name })
  })

  it('is 413 from its announced length on, or from the byte that is too many', async () => {
    const before = await rowCounts()
    const send = (body: BodyInit) =>
      host.fetch('/organizations', {
        method: 'POST',
        headers: { authorization: `Bearer ${owner.token}`, 'content-type': 'application/json' },
        body,
      })
    const announced = await send(large)
    const streamed = await send(streamOf(large))
    for (const answer of [announced, streamed]) {
      expect(await problem(answer)).toMatchObject({ status: 413, code: 'payload_too_large' })
    }
    expect(await rowCounts()).toEqual(before)
  })

  it('is read up to 64 KiB, also without an announced length', async () => {
    const fill = (slug: string) => {
      const text = JSON.stringify({ name: 'Acme', slug, fill: '' })
      return text.replace('"fill":""', `"fill":"${'x'.repeat(64 * 1024 - text.length)}"`)
    }
    const send = (body: BodyInit) =>
      host.fetch('/organizations', {
        method: 'POST',
        headers: { authorization: `Bearer ${owner.token}`, 'content-type': 'application/json' },
        body,
      })
    expect((await send(fill(`org-${crypto.randomUUID().slice(0, 8)}`))).status).toBe(201)
    expect((await send(streamOf(fill(`org-${crypto.randomUUID().slice(0, 8)}`)))).status).toBe(201)
  })

  it('is put together from chunks that split a character', async () => {
    const slug = `org-${crypto.randomUUID().slice(0, 8)}`
    const bytes = new TextEncoder().encode(JSON.stringify({ name: 'Zürich', slug }))
    const chunks = Array.from(bytes, (byte) => new Uint8Array([byte]))
    const response = await host.fetch('/organizations', {
      method: 'POST',
      headers: { authorization: `Bearer ${owner.token}`, 'content-type': 'application/json' },
      body: new ReadableStream({
        start(controller) {
          for (const chunk of chunks) controller.enqueue(chunk)
          controller.close()
        },
      }),
    })
    expect(await response.json()).toMatchObject({ name: 'Zürich' })
  })
})

describe('a page', () => {
  it('refuses a limit outside 1 to 200, in every list [AUD-33]', async () => {
    for (const list of LISTS) {
      for (const limit of ['0', '-1', '201', 'abc', '', '1.5', 'NaN', 'Infinity', '1e9', '1,2']) {
        const answer = await host.get(`${list(org)}?limit=${limit}`, owner.token)
        expect({ limit, ...(await problem(answer)) }).toEqual({
          limit,
          status: 422,
          code: 'validation_error',
          fields: ['limit'],
        })
      }
    }
  })

  it('refuses a filter of the audit trail that there is not [AUD-40]', async () => {
    const answer = await host.get(`/organizations/${org}/audit?acton=x`, owner.token)
    expect(await problem(answer)).toEqual({
      status: 422,
      code: 'validation_error',
      fields: ['acton'],
    })
  })

  const encode = (value: unknown) => btoa(JSON.stringify(value)).replace(/=+$/, '')
  it.each([
    ['garbage', 'garbage'],
    ['empty', ''],
    ['no base64', '%25%25%25'],
    ['no JSON', btoa('[1,')],
    ['null', encode(null)],
    ['a number', encode(1)],
    ['an object', encode({ 0: 1, 1: 'x' })],
    ['an empty list', encode([])],
    ['texts', encode(['x', 'y'])],
    ['null inside', encode([null, null])],
    ['a number without end', btoa('[1e999,"x"]')],
    ['five thousand characters', 'A'.repeat(5000)],
  ])('refuses a cursor that is %s, in every list [AUD-35]', async (_what, cursor) => {
    for (const list of LISTS) {
      const answer = await host.get(`${list(org)}?cursor=${cursor}`, owner.token)
      expect(await problem(answer)).toMatchObject({ status: 400, code: 'invalid_cursor' })
    }
  })

  it('refuses a cursor that was cut short [AUD-35]', async () => {
    const lists = await cursors()
    for (const { list, cursor, token } of lists) {
      const statusOf = async (text: string) =>
        (await host.get(`${list}?cursor=${text}`, token)).status
      expect(await statusOf(cursor)).toBe(200)
      for (const cut of [1, 2, 3, 4]) expect(await statusOf(cursor.slice(0, -cut))).toBe(400)
    }
  })

  it.each([
    ['the audit trail', 'the members', 0, 1],
    ['the members', 'the audit trail', 1, 0],
  ])('refuses a cursor of %s for %s [AUD-35]', async (_from, _to, from, to) => {
    const lists = await cursors()
    const { list, token } = lists[to]!
    const answer = await host.get(`${list}?cursor=${lists[from]!.cursor}`, token)
    expect(await problem(answer)).toMatchObject({ status: 400, code: 'invalid_cursor' })
  })
})

/** A cursor of the audit trail, of the members and of the organizations. */
async function cursors() {
  const { path, owner: mine } = await smallTeam()
  await postOrganization(mine)
  return Promise.all(
    [`${path}/audit`, `${path}/members`, '/organizations'].map(async (list) => {
      const page = await host.get(`${list}?limit=1`, mine.token)
      const { nextCursor: cursor } = await page.json<{ nextCursor: string }>()
      return { list, cursor, token: mine.token }
    })
  )
}

/** A body that comes in pieces: its length is not announced. */
function streamOf(text: string): ReadableStream {
  const bytes = new TextEncoder().encode(text)
  return new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += 16_384)
        controller.enqueue(bytes.slice(at, at + 16_384))
      controller.close()
    },
  })
}
