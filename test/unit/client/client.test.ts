import { describe, expect, it } from 'vitest'
import { createClient, type ClientOptions } from '../../../src/client/index.ts'
import type { SeatgateRouter, StepUpRoutes } from '../../../src/hono/index.ts'
import type { RoleRoutes } from '../../../src/hono/roles/index.ts'

interface Sent {
  readonly url: string
  readonly method: string
  readonly headers: Headers
  readonly body: unknown
}

type Reply = Response | Error
const json = (body: unknown, status = 200, headers: Record<string, string> = {}) =>
  Response.json(body, { status, headers })
const problem = (code: string, status: number, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify({ code, status }), {
    status,
    headers: { 'content-type': 'application/problem+json', ...headers },
  })

function clientWith<App = SeatgateRouter>(replies: readonly Reply[], options: ClientOptions = {}) {
  const sent: Sent[] = []
  const waits: number[] = []
  let keys = 0
  const client = createClient<App>({
    baseUrl: 'https://seats.example.com/',
    newKey: () => `key-${(keys += 1)}`,
    sleep: async (milliseconds) => void waits.push(milliseconds),
    fetch: async (url, { method = '', headers, body }) => {
      const reply = replies[sent.length]
      sent.push({ url, method, headers: new Headers(headers), body })
      if (reply === undefined) throw new Error('one request too many')
      if (reply instanceof Error) throw reply
      return reply
    },
    ...options,
  })
  return { client, sent, waits }
}

const BUSY = { 'retry-after': '5' }
const invite = {
  param: { org: 'acme' },
  json: { email: 'a@example.com', role: 'member' },
} as const

describe('a request', () => {
  it('has its path, query, body and headers', async () => {
    const { client, sent } = clientWith([json({ data: [], nextCursor: null }), json({}, 201)], {
      headers: async () => ({ authorization: 'Bearer t' }),
    })
    await client.get('/organizations/:org/members', {
      param: { org: 'a/b' },
      query: { limit: 2, cursor: undefined },
    })
    await client.post('/organizations/:org/invitations', invite, { headers: { 'x-mine': '1' } })
    expect(sent[0]).toMatchObject({
      url: 'https://seats.example.com/organizations/a%2Fb/members?limit=2',
      method: 'GET',
      body: undefined,
    })
    expect(sent[0]?.headers.get('idempotency-key')).toBeNull()
    expect(sent[1]?.body).toBe(JSON.stringify(invite.json))
    expect(Object.fromEntries(sent[1]?.headers ?? [])).toEqual({
      authorization: 'Bearer t',
      'content-type': 'application/json',
      'idempotency-key': 'key-1',
      'x-mine': '1',
    })
  })

  it.each(['', '.', '..'])('is not sent with a parameter %j', async (org) => {
    const { client, sent } = clientWith([])
    await expect(client.get('/organizations/:org', { param: { org } })).rejects.toThrow(TypeError)
    expect(sent).toEqual([])
  })

  it('sends an object where a body may be left out, and another type of body as it is', async () => {
    const { client, sent } = clientWith([json({}), json({ data: [] })])
    const param = { org: 'acme', id: 'r1' }
    await client.post('/organizations/:org/join-requests/:id/approve', { param })
    await client.post(
      '/organizations/:org/members/import',
      { param: { org: 'acme' } },
      { body: { type: 'text/csv', text: 'email,role' } }
    )
    expect(sent.map(({ body }) => body)).toEqual(['{}', 'email,role'])
    expect(sent[1]?.headers.get('content-type')).toBe('text/csv')
  })
})

describe('an answer', () => {
  it('is a value, or a refusal that is not thrown', async () => {
    const { client } = clientWith([
      json({ id: 'o1', name: 'Acme' }),
      problem('organization_not_found', 404),
      new Response(null, { status: 204 }),
    ])
    const found = await client.get('/organizations/:org', { param: { org: 'acme' } })
    expect(found).toMatchObject({ ok: true, value: { name: 'Acme' } })
    const missing = await client.get('/organizations/:org', { param: { org: 'none' } })
    expect(missing).toMatchObject({ ok: false, error: { code: 'organization_not_found' } })
    const param = { org: 'acme', userId: 'u1' }
    const removed = await client.delete('/organizations/:org/members/:userId', { param })
    expect(removed).toEqual({ ok: true, value: null })
  })

  it('is the response itself if it is no JSON', async () => {
    const { client } = clientWith([new Response('line\n', { status: 200 })])
    const file = await client.get('/organizations/:org/audit/export', { param: { org: 'acme' } })
    expect(file.ok && (await file.value.text())).toBe('line\n')
  })

  it('is the response itself if it is a file of JSON', async () => {
    const { client } = clientWith([
      json({ events: [] }, 200, { 'content-disposition': 'attachment; filename="audit.json"' }),
    ])
    const input = { param: { org: 'acme' }, query: { format: 'json' } } as const
    const file = await client.get('/organizations/:org/audit/export', input)
    expect(file.ok && (await file.value.text())).toBe('{"events":[]}')
  })

  it('is unexpected if something else answers', async () => {
    const html = { 'content-type': 'text/html; charset=utf-8' }
    const { client } = clientWith([
      new Response('<h1>Bad gateway</h1>', { status: 502 }),
      new Response('<h1>Sign in</h1>', { headers: html }),
    ])
    for (let request = 0; request < 2; request++) {
      const answer = await client.get('/organizations')
      expect(answer).toMatchObject({ ok: false, error: { code: 'unexpected_response' } })
    }
  })

  it('is a network failure with the key that repeats the request', async () => {
    const { client, sent } = clientWith([new TypeError('fetch failed'), json({}, 201)])
    const lost = await client.post('/organizations/:org/invitations', invite)
    if (lost.ok || lost.error.code !== 'network_failure') throw new Error('no failure')
    expect(lost.error.cause).toEqual(new TypeError('fetch failed'))
    const { idempotencyKey } = lost.error
    if (idempotencyKey === null) throw new Error('no key')
    await client.post('/organizations/:org/invitations', invite, { idempotencyKey })
    expect(sent.map(({ headers }) => headers.get('idempotency-key'))).toEqual(['key-1', 'key-1'])
  })

  it('is aborted by the signal, also while it waits', async () => {
    const abort = new AbortController()
    const { client, sent } = clientWith([problem('unavailable', 503, BUSY)], {
      sleep: async () => abort.abort(),
    })
    const answer = await client.get('/organizations', {}, { signal: abort.signal })
    expect(answer).toMatchObject({ ok: false, error: { code: 'aborted' } })
    expect(sent).toHaveLength(1)
  })

  it('does not wait if the signal aborted as the answer came', async () => {
    const abort = new AbortController()
    const { client, waits } = clientWith([], {
      fetch: async () => {
        abort.abort()
        return problem('unavailable', 503, BUSY)
      },
    })
    const answer = await client.get('/organizations', {}, { signal: abort.signal })
    expect(answer).toMatchObject({ ok: false, error: { code: 'aborted' } })
    expect(waits).toEqual([])
  })

  it('has a key if it is a PUT, as one for seats needs it', async () => {
    const { client, sent } = clientWith([json({}, 202)])
    const input = { param: { org: 'acme' }, json: { limit: 3 } }
    await client.put('/organizations/:org/seats/limit', input, { idempotencyKey: 'mine' })
    expect(sent[0]?.headers.get('idempotency-key')).toBe('mine')
  })
})

describe('Retry-After', () => {
  it('is awaited, and the request is repeated with its key', async () => {
    const { client, sent, waits } = clientWith([
      problem('seats_unavailable', 503, BUSY),
      problem('rate_limited', 429, { 'retry-after': '2' }),
      json({ id: 'i1' }, 201),
    ])
    const answer = await client.post('/organizations/:org/invitations', invite)
    expect(answer).toMatchObject({ ok: true, value: { id: 'i1' } })
    expect(waits).toEqual([5000, 2000])
    expect(new Set(sent.map(({ headers }) => headers.get('idempotency-key')))).toEqual(
      new Set(['key-1'])
    )
  })

  it('may be a date', async () => {
    const { client, waits } = clientWith(
      [problem('unavailable', 503, { 'retry-after': 'Mon, 30 Nov 2026 06:00:07 GMT' }), json({})],
      { now: () => Date.UTC(2026, 10, 30, 6) }
    )
    await client.get('/organizations')
    expect(waits).toEqual([7000])
  })

  it.each([
    ['longer than the longest wait', { 'retry-after': '31' }, {}],
    ['absent', {}, {}],
    ['no number and no date', { 'retry-after': 'soon' }, {}],
    ['switched off', BUSY, { maxWaitSeconds: 0 }],
  ])('is not awaited if it is %s', async (_name, headers, options) => {
    const { client, sent } = clientWith([problem('unavailable', 503, headers)], options)
    const answer = await client.get('/organizations')
    expect(answer).toMatchObject({ ok: false, error: { code: 'unavailable' } })
    expect(sent).toHaveLength(1)
  })

  it('is awaited for so many seconds and so many times in all', async () => {
    const busy = () => problem('unavailable', 503, { 'retry-after': '20' })
    const long = clientWith([busy(), busy()])
    expect((await long.client.get('/organizations')).ok).toBe(false)
    expect(long.waits).toEqual([20_000])
    const short = () => problem('unavailable', 503, { 'retry-after': '0' })
    const often = clientWith([short(), short(), short()], { maxRepetitions: 2 })
    expect((await often.client.get('/organizations')).ok).toBe(false)
    expect(often.waits).toEqual([0, 0])
  })

  it('does not repeat a change that has another answer the second time', async () => {
    const removal = clientWith([problem('unavailable', 503, BUSY)])
    const param = { org: 'acme', userId: 'u1' }
    await removal.client.delete('/organizations/:org/members/:userId', { param })
    const declined = clientWith([problem('unavailable', 503, BUSY)])
    await declined.client.post('/invitations/decline', { json: { token: 't' } })
    expect([...removal.waits, ...declined.waits]).toEqual([])
    const limited = clientWith([
      problem('rate_limited', 429, BUSY),
      new Response(null, { status: 204 }),
    ])
    await limited.client.delete('/organizations/:org/members/:userId', { param })
    expect(limited.waits).toEqual([5000])
  })
})

describe('After a 503', () => {
  it('no role is looked for under its former name, and no proof checked again', async () => {
    const busy = () => [problem('unavailable', 503, BUSY), problem('unavailable', 503, BUSY)]
    const roles = clientWith<RoleRoutes>(busy())
    const renamed = { param: { org: 'acme', name: 'reviewer' }, json: { name: 'auditor' } }
    await roles.client.patch('/organizations/:org/roles/:name', renamed)
    const proofs = clientWith<StepUpRoutes>(busy())
    await proofs.client.post('/step-up', { json: { action: 'delete', params: {} } })
    expect([...roles.waits, ...proofs.waits]).toEqual([])
  })
})

describe('pages', () => {
  it('are read until the last one', async () => {
    const { client, sent } = clientWith([
      json({ data: [1, 2], nextCursor: 'two' }),
      json({ data: [3], nextCursor: null }),
    ])
    const seen: unknown[] = []
    const input = { param: { org: 'acme' }, query: { limit: 2 } }
    for await (const page of client.pages('/organizations/:org/members', input)) {
      if (page.ok) seen.push(...page.value.data)
    }
    expect(seen).toEqual([1, 2, 3])
    expect(sent.map(({ url }) => new URL(url).search)).toEqual(['?limit=2', '?limit=2&cursor=two'])
  })

  it('end with something that is no page', async () => {
    const { client, sent } = clientWith([new Response('welcome'), new Response('welcome')])
    for await (const page of client.pages('/organizations')) expect(page.ok).toBe(true)
    expect(sent).toHaveLength(1)
  })

  it('end with the refusal of one', async () => {
    const { client } = clientWith([
      json({ data: [1], nextCursor: 'two' }),
      problem('not_a_member', 404),
    ])
    const seen: boolean[] = []
    for await (const page of client.pages('/organizations')) seen.push(page.ok)
    expect(seen).toEqual([true, false])
  })
})

describe('a bookmark', () => {
  it('is sent with the next request, and never goes back', async () => {
    const marked = (bookmark: string) => json({}, 200, { 'x-seatgate-bookmark': bookmark })
    const { client, sent } = clientWith([marked('0005'), marked('0003'), json({})], {
      bookmark: '0001',
    })
    for (let request = 0; request < 3; request++) await client.get('/organizations')
    const bookmarks = sent.map(({ headers }) => headers.get('x-seatgate-bookmark'))
    expect(bookmarks).toEqual(['0001', '0005', '0005'])
    expect(client.bookmark).toBe('0005')
  })
})
