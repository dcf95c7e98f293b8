import { Hono } from 'hono'
import { cors } from 'hono/cors'
import { describe, expect, it } from 'vitest'
import { refuseCrossSite, seatgateRouter } from '../../../src/hono/index.ts'
import {
  anOperator,
  bySession,
  clientOf,
  embedded,
  host,
  postOrganization,
  person,
  problem,
  rowCounts,
  seatgateWith,
  smallTeam,
  BY_TOKEN,
  isForOperators,
  NAMED,
  named,
  OWN,
  testEnv,
  PASSWORD,
  shareOf,
} from '../../kit/index.ts'

const EVIL = 'https://evil.example'
const HERE = 'http://seatgate.test'
const cookieOf = (token: string) => ({ cookie: `seatgate_session=${token}` })

const CHANGING = [...OWN, ...NAMED].filter(([method]) => method !== 'GET')
const JSON_ROUTES = [...CHANGING, ...BY_TOKEN].filter(
  ([method, , body]) => method !== 'DELETE' || body !== undefined
)

describe('the type of a body', () => {
  const OTHERS = ['text/plain', 'text/plain;charset=UTF-8', 'multipart/form-data; boundary=x']
  const NO_JSON = [
    ...OTHERS,
    'text/json',
    'application/x-json',
    'application/json-seq',
    'application/jsonp',
    'application/json+x',
    'application/octet-stream',
    'json',
    '',
    ';application/json',
    'text/plain;application/json',
    'application/json, text/plain',
  ]

  it.each(shareOf(JSON_ROUTES.map(named), 10))('%s takes only JSON [A3]', async (...route) => {
    const [, method, path, body = {}] = route
    const { owner, organization } = await smallTeam()
    const operators = isForOperators(path(organization.id))
    const [client, token] = operators ? [embedded(), anOperator] : [host, owner.token]
    const before = await rowCounts()
    for (const type of OTHERS) {
      // One that exists, so that nothing else stands against it: what is absent is told first.
      const at = path(organization.id).replace(
        /(?<=members\/)[0-9a-f-]{36}(?=\/(?:suspend|restore)$)/,
        owner.userId
      )
      const answer = await client.send(method, at, body, token, { 'content-type': type })
      const { status, code } = await problem(answer)
      const absent = /invitations\/|domains\/|join-requests\/|users|switch|members\//.test(at)
      if (absent && status === 404) expect(code).toMatch(/not_found|invalid/)
      else expect([status, code]).toEqual([415, 'unsupported_media_type'])
    }
    expect(await rowCounts()).toEqual(before)
  })

  it.each(NO_JSON)('is not JSON: %j [A3]', async (type) => {
    const { token } = await person()
    const before = await rowCounts()
    const answer = await host.post('/organizations', { name: 'Acme' }, token, {
      'content-type': type,
    })
    expect(await problem(answer)).toMatchObject({ status: 415, code: 'unsupported_media_type' })
    expect(await rowCounts()).toEqual(before)
  })

  it.each([
    'application/json',
    'Application/JSON',
    'application/json; charset=utf-8',
    'application/json;charset="UTF-8"',
    'application/json; profile=x',
    'application/merge-patch+json',
    'application/vnd.acme.v1+json;charset=utf-8',
  ])('is JSON: %j [A3]', async (type) => {
    const { token } = await person()
    const input = { name: 'Acme', slug: `org-${crypto.randomUUID().slice(0, 8)}` }
    const answer = await host.post('/organizations', input, token, { 'content-type': type })
    expect(answer.status).toBe(201)
  })

  it('must be named where there is a body [A3]', async () => {
    const { token } = await person()
    const before = await rowCounts()
    const answer = await host.fetch('/organizations', {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: new TextEncoder().encode('{"name":"Acme"}'),
    })
    expect(await problem(answer)).toMatchObject({ status: 415, code: 'unsupported_media_type' })
    expect(await rowCounts()).toEqual(before)
  })

  it('is not required if a route needs no body, and another type is ignored there [A3]', async () => {
    const { owner, member, path } = await smallTeam()
    const suspend = `${path}/members/${member.userId}/suspend`
    const before = await rowCounts()
    for (const headers of [{}, { 'idempotency-key': 'typed' }]) {
      const typed = { ...headers, 'content-type': 'text/plain' }
      const answer = await host.post(suspend, '', owner.token, typed)
      expect(await problem(answer)).toMatchObject({ status: 415, code: 'unsupported_media_type' })
    }
    expect(await rowCounts()).toEqual(before)
    expect((await host.post(suspend, undefined, owner.token)).status).toBe(200)
  })

  it('is checked after caller, absence and role [A3]', async () => {
    const { member, organization } = await smallTeam()
    const stranger = await person()
    const statusOf = async (token: string | null) => {
      const path = `/organizations/${organization.id}/members`
      const headers = { 'content-type': 'text/plain' }
      return (await host.post(path, '{}', token, headers)).status
    }
    expect([
      await statusOf(null),
      await statusOf(stranger.token),
      await statusOf(member.token),
    ]).toEqual([401, 404, 403])
  })
})

describe('a request from another site', () => {
  const FOREIGN: [string, Record<string, string>][] = [
    ['Origin of another site', { origin: EVIL }],
    ['Origin null', { origin: 'null' }],
    ['Origin of a subdomain', { origin: 'http://app.seatgate.test' }],
    ['Origin of another scheme', { origin: 'https://seatgate.test' }],
    ['Origin of another port', { origin: 'http://seatgate.test:8080' }],
    ['Origin with this one in it', { origin: 'http://seatgate.test.evil.example' }],
    ['Sec-Fetch-Site: cross-site', { 'sec-fetch-site': 'cross-site' }],
    ['Sec-Fetch-Site: same-site', { 'sec-fetch-site': 'same-site' }],
    ['an unknown Sec-Fetch-Site', { 'sec-fetch-site': 'elsewhere' }],
    ['cross-site with this origin', { 'sec-fetch-site': 'cross-site', origin: HERE }],
    ['Basic credentials', { origin: EVIL, authorization: 'Basic YTpi' }],
  ]

  it.each(shareOf([...CHANGING, ...BY_TOKEN].map(named), 12))(
    '%s is refused with a cookie [A3]',
    async (...route) => {
      const [, method, path, body] = route
      const { owner, organization } = await smallTeam()
      const before = await rowCounts()
      for (const headers of [{ origin: EVIL }, { 'sec-fetch-site': 'cross-site' }]) {
        const answer = await host.send(method, path(organization.id), body, null, {
          ...cookieOf(owner.token),
          ...headers,
        })
        expect(await problem(answer)).toMatchObject({ status: 403, code: 'cross_site_request' })
        expect(answer.headers.get('set-cookie')).toBeNull()
      }
      expect(await rowCounts()).toEqual(before)
    }
  )

  it.each(FOREIGN)('is one with %s [A3]', async (_what, headers) => {
    const { token } = await person()
    const before = await rowCounts()
    const answer = await host.post('/organizations', { name: 'Acme' }, null, {
      ...cookieOf(token),
      ...headers,
    })
    expect(await problem(answer)).toMatchObject({ status: 403, code: 'cross_site_request' })
    expect(await rowCounts()).toEqual(before)
  })

  it('is refused as a form too, for any caller [A3]', async () => {
    const { owner, organization } = await smallTeam()
    const before = await rowCounts()
    for (const token of [owner.token, 'none']) {
      const answer = await host.post(
        '/organizations/switch',
        `organization_id=${organization.id}`,
        null,
        {
          ...cookieOf(token),
          'content-type': 'application/x-www-form-urlencoded',
          origin: EVIL,
        }
      )
      expect(await problem(answer)).toMatchObject({ status: 403, code: 'cross_site_request' })
    }
    expect(await rowCounts()).toEqual(before)
  })

  it.each<[string, Record<string, string>]>([
    ['of this site', { origin: HERE }],
    ['that a browser says is of this origin', { 'sec-fetch-site': 'same-origin' }],
    [
      'of this origin behind a proxy',
      { 'sec-fetch-site': 'same-origin', origin: 'https://a.example' },
    ],
    ['that a person typed', { 'sec-fetch-site': 'none' }],
    ['of no browser', {}],
  ])('is not enough, with a cookie: %s [A3]', async (_what, headers) => {
    const { token } = await person()
    const input = { name: 'Acme', slug: `org-${crypto.randomUUID().slice(0, 8)}` }
    const all = { ...cookieOf(token), ...headers }
    expect((await host.post('/organizations', input, null, all)).status).toBe(201)
  })

  it('passes where a script must have put the token there, and where the request makes no change [A3]', async () => {
    const { token } = await person()
    const foreign = { origin: EVIL, 'sec-fetch-site': 'cross-site' }
    const input = { name: 'Acme', slug: `org-${crypto.randomUUID().slice(0, 8)}` }
    const bearer = { ...foreign, ...cookieOf('another') }
    expect((await host.post('/organizations', input, token, bearer)).status).toBe(201)
    const cookie = { ...foreign, ...cookieOf(token) }
    expect((await host.get('/organizations', null, cookie)).status).toBe(200)
    expect((await host.send('HEAD', '/organizations', undefined, null, cookie)).status).toBe(200)
  })

  it('starts no session of another: signing up by a token is refused without a cookie too [A3]', async () => {
    const { owner, organization } = await smallTeam()
    const path = `/organizations/${organization.id}/invitations`
    const email = `${crypto.randomUUID()}@example.com`
    const invited = await host.post(path, { email, role: 'member' }, owner.token)
    const { token } = await invited.json<{ token: string }>()
    const before = await rowCounts()
    const input = { token, email, password: PASSWORD }
    const signUp = '/invitations/accept-with-signup'
    const answer = await host.post(signUp, input, null, { origin: EVIL })
    expect(await problem(answer)).toMatchObject({ status: 403, code: 'cross_site_request' })
    expect(answer.headers.get('set-cookie')).toBeNull()
    expect(await rowCounts()).toEqual(before)
  })

  it('is answered where the host allows the origin and configures CORS, preflight and all [A3]', async () => {
    const front = 'https://app.example'
    const byCookie = (c: Parameters<typeof bySession>[0]) => {
      const [, token] = /seatgate_session=(.+)/.exec(c.req.header('cookie') ?? '') ?? []
      c.req.raw.headers.set('authorization', `Bearer ${token}`)
      return bySession(c)
    }
    const router = seatgateRouter(seatgateWith(), {
      authenticate: byCookie,
      allowedOrigins: [front],
    })
    const app = new Hono().use(cors({ origin: front, credentials: true })).route('/', router)
    const client = clientOf((url, init) => app.request(url, init))
    const preflight = await client.send('OPTIONS', '/organizations', undefined, null, {
      origin: front,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type',
    })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-origin')).toBe(front)
    expect(preflight.headers.get('access-control-allow-methods')).toContain('POST')
    const { token } = await person()
    const ask = (headers: Record<string, string>) => {
      const input = { name: 'Acme', slug: `org-${crypto.randomUUID().slice(0, 8)}` }
      return client.post('/organizations', input, null, { ...cookieOf(token), ...headers })
    }
    const created = await ask({ origin: front, 'sec-fetch-site': 'cross-site' })
    expect(created.status).toBe(201)
    expect(created.headers.get('access-control-allow-origin')).toBe(front)
    expect(created.headers.get('cache-control')).toBe('no-store')
    const refused = await ask({ origin: EVIL, 'sec-fetch-site': 'cross-site' })
    expect(await problem(refused)).toMatchObject({ status: 403, code: 'cross_site_request' })
  })

  it('concerns the ready routes, and no other of the host [A3]', async () => {
    const router = seatgateRouter(seatgateWith(), { authenticate: () => null })
    const app = new Hono().route('/', router).post('/own', (c) => c.text('own'))
    const headers = { origin: EVIL, cookie: 'a=b' }
    const own = await app.request(`${HERE}/own`, { method: 'POST', headers })
    expect([own.status, own.headers.get('cache-control')]).toEqual([200, null])
    const guarded = new Hono()
      .use(refuseCrossSite({ onRefusal: (c, { code }) => c.text(code, 418) }))
      .post('/own', (c) => c.text('own'))
    const refused = await guarded.request(`${HERE}/own`, { method: 'POST', headers })
    expect([refused.status, await refused.text()]).toEqual([418, 'cross_site_request'])
  })

  it('names a value that is no origin at set-up [A3]', () => {
    for (const origin of ['app.example', 'https://app.example/', '*', 'null', '', 7, null]) {
      const allowedOrigins = [origin as string]
      const options = { authenticate: () => null, allowedOrigins }
      expect(() => seatgateRouter(seatgateWith(), options)).toThrow(
        /allowedOrigins: .* is not an origin/
      )
    }
    expect(() => refuseCrossSite({ allowedOrigins: 'https://a.example' as never })).toThrow(
      TypeError
    )
    expect(() => refuseCrossSite({ allowedOrigins: ['http://localhost:5173'] })).not.toThrow()
  })
})

describe('bytes that are not UTF-8', () => {
  const latin1 = (text: string): Uint8Array<ArrayBuffer> =>
    Uint8Array.from(text, (char) => char.charCodeAt(0))
  const sending = (
    path: string,
    body: Uint8Array<ArrayBuffer>,
    type: string,
    token: string | null
  ) =>
    host.fetch(path, {
      method: 'POST',
      headers: { 'content-type': type, ...(token && { authorization: `Bearer ${token}` }) },
      body,
    })

  it.each([
    ['a lone byte', latin1('{"name":"Caf\u00e9","slug":"cafe-one"}')],
    ['a cut sequence', latin1('{"name":"Caf\u00c3","slug":"cafe-one"}')],
    ['a surrogate', latin1('{"name":"\u00ed\u00a0\u0080","slug":"cafe-one"}')],
    ['an overlong slash', latin1('{"name":"\u00c0\u00af","slug":"cafe-one"}')],
    ['UTF-16', latin1('{"name":"Acme"}'.split('').join('\u0000'))],
    ['a byte at the end', latin1('{"name":"Acme","slug":"cafe-one"}\u00ff')],
  ])('are no JSON, and no row is stored: %s [B2]', async (_what, body) => {
    const { token } = await person()
    const before = await rowCounts()
    const types = ['application/json', 'application/json; charset=iso-8859-1']
    for (const type of types) {
      const answer = await sending('/organizations', body, type, token)
      expect(await problem(answer)).toMatchObject({ status: 400, code: 'invalid_json' })
    }
    expect(await rowCounts()).toEqual(before)
  })

  it.each(['iso-8859-1', 'windows-1252', 'utf-16', 'utf-16le', '"shift_jis"', 'utf-8; charset=x'])(
    'are not read from a body in %s as if it were UTF-8 [B2]',
    async (charset) => {
      const { token } = await person()
      const before = await rowCounts()
      const body = latin1('{"name":"Acme","slug":"acme-latin"}')
      const type = `application/json; charset=${charset}`
      const answer = await sending('/organizations', body, type, token)
      expect(await problem(answer)).toMatchObject({ status: 400, code: 'invalid_json' })
      expect(await rowCounts()).toEqual(before)
    }
  )

  it('match no password: neither as bytes nor as lone surrogates [B2]', async () => {
    const email = `${crypto.randomUUID()}@example.com`
    const json = (password: string) =>
      JSON.stringify({ email, password: 'PLACE' }).replace('PLACE', password)
    const before = await rowCounts()
    for (const path of ['/identity/sign-up', '/identity/sign-in']) {
      const bytes = await sending(
        path,
        latin1(json('secret\u00e9\u00e8\u00e7')),
        'application/json',
        null
      )
      expect(await problem(bytes)).toMatchObject({ status: 400, code: 'invalid_json' })
      const lone = await host.post(path, json(String.raw`secret\ud800\ud801`))
      expect(await problem(lone)).toEqual({
        status: 422,
        code: 'validation_error',
        fields: ['password'],
      })
    }
    expect(await rowCounts()).toEqual(before)
  })

  it('are refused in a proof of identity [B2]', async () => {
    const { owner, path } = await smallTeam()
    for (const proof of ['password', 'stepUpProof']) {
      const body = `{"confirmName":"Acme","${proof}":"\\ud800"}`
      const answer = await host.send('DELETE', path, body, owner.token)
      expect(await problem(answer)).toMatchObject({ status: 422, code: 'validation_error' })
    }
  })

  it.each([
    ['a lone byte', latin1('organization_id=x&return_to=/\u00e9'), ''],
    ['an escaped byte', latin1('organization_id=x&return_to=/%E9'), ''],
    ['an escaped byte in a name', latin1('organization_id=x&%E9=x'), ''],
    ['half of it escaped', latin1('organization_id=%C3\u00a9'), ''],
    ['another charset', latin1('organization_id=x'), '; charset=iso-8859-1'],
  ])('are no form: %s [B2]', async (_what, body, charset) => {
    const { token } = await person()
    const before = await rowCounts()
    const type = `application/x-www-form-urlencoded${charset}`
    const answer = await sending('/organizations/switch', body, type, token)
    expect(await problem(answer)).toMatchObject({ status: 400, code: 'invalid_encoding' })
    expect(await rowCounts()).toEqual(before)
  })

  it.each(['%E9', '%C3', '%ED%A0%80', '%C0%AF', 'caf%E9', '%C3%28', '%F5%80%80%80'])(
    'are refused in a query, and name no organization in a path: %s [B2]',
    async (bytes) => {
      const { owner, path } = await smallTeam()
      for (const at of [
        `${path}/members?search=${bytes}`,
        `${path}/audit?actor_id=${bytes}`,
        `/organizations?${bytes}=x`,
        `/invitations?cursor=${bytes}`,
        `/active-organization?${bytes}`,
      ]) {
        const answer = await host.get(at, owner.token)
        expect({ at, ...(await problem(answer)) }).toMatchObject({
          status: 400,
          code: 'invalid_encoding',
        })
      }
      // In place of these bytes there is nothing that a name could be equal to.
      const replaced = { userId: '\ufffd', email: `${crypto.randomUUID()}@example.com` }
      await testEnv.DB.prepare(
        `INSERT OR IGNORE INTO users (id, email, password_hash, created_at) VALUES (?, ?, 'none', 0)`
      )
        .bind(replaced.userId, replaced.email)
        .run()
      await host.post(`${path}/members`, { userId: '\ufffd', role: 'member' }, owner.token)
      for (const at of [`/organizations/${bytes}`, `/o/${bytes}`]) {
        expect((await host.get(at, owner.token)).status).toBe(404)
      }
      const removed = await host.delete(`${path}/members/${bytes}`, owner.token)
      expect(await problem(removed)).toMatchObject({ status: 404, code: 'not_found' })
    }
  )

  it('do not include a single percent sign or text in UTF-8 [B2]', async () => {
    const { owner, path } = await smallTeam()
    for (const text of ['100%', '%zz', 'caf%C3%A9', '%F0%9F%92%BA', 'a+b', '%25E9']) {
      const answer = await host.get(`${path}/members?search=${text}`, owner.token)
      expect([text, answer.status]).toEqual([text, 200])
    }
  })
})

describe('the headers of an answer', () => {
  it('keep every answer of every route out of caches [A12]', async () => {
    const { owner, organization } = await smallTeam()
    for (const [method, path, body] of [...OWN, ...NAMED, ...BY_TOKEN].filter(
      ([name, at]) => !(name === 'DELETE' && /users|:org$/.test(at(':org')))
    )) {
      for (const token of [owner.token, null]) {
        const answer = await host.send(method, path(organization.id), body, token)
        expect([method, path(':org'), answer.headers.get('cache-control')]).toEqual([
          method,
          path(':org'),
          'no-store',
        ])
      }
    }
  })

  it('keep a redirect out of caches [A12]', async () => {
    const { owner, organization } = await smallTeam()
    const answer = await host.fetch('/organizations/switch', {
      method: 'POST',
      redirect: 'manual',
      headers: {
        authorization: `Bearer ${owner.token}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: `organization_id=${organization.id}`,
    })
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([303, 'no-store'])
  })

  it('of a HEAD are those of the GET, also for an export [A12]', async () => {
    const owner = await person()
    const { id } = await postOrganization(owner)
    const path = `/organizations/${id}/audit/export?format=csv`
    const before = await rowCounts()
    const head = await host.send('HEAD', path, undefined, owner.token)
    expect(await rowCounts()).toEqual(before)
    const get = await host.get(path, owner.token)
    await get.arrayBuffer()
    for (const answer of [head, get]) {
      expect(answer.status).toBe(200)
      expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8')
      expect(answer.headers.get('content-disposition')).toContain('audit.csv')
    }
    expect(await rowCounts()).toEqual({
      ...before,
      seatgate_audit_events: before.seatgate_audit_events! + 1,
    })
    const stranger = await person()
    expect((await host.send('HEAD', path, undefined, stranger.token)).status).toBe(404)
    expect((await host.send('HEAD', path, undefined, null)).status).toBe(401)
  })

  it('HEAD makes no change on any route [A12]', async () => {
    const { owner, organization } = await smallTeam()
    const before = await rowCounts()
    const read = [...OWN, ...NAMED].filter(([method]) => method === 'GET')
    const asked = (method: string) =>
      Promise.all(
        read.map(async ([, path]) => {
          const answer = await host.send(method, path(organization.id), undefined, owner.token)
          const text = await answer.text()
          if (method === 'HEAD') expect(text).toBe('')
          return [path(organization.id), answer.status]
        })
      )
    const heads = await asked('HEAD')
    expect(heads.length).toBeGreaterThan(10)
    expect(await rowCounts()).toEqual(before)
    // The statuses are those of GET, and none is a failure.
    expect(heads).toEqual(await asked('GET'))
    expect(heads.filter(([, status]) => Number(status) >= 500)).toEqual([])
  })
})

describe('the reference host', () => {
  it('signs no user in for a page of another site, with a cookie or without [A3]', async () => {
    const email = `${crypto.randomUUID()}@example.com`
    const input = { email, password: PASSWORD }
    const before = await rowCounts()
    for (const path of ['/identity/sign-up', '/identity/sign-in', '/identity/sign-out']) {
      for (const headers of [{ origin: EVIL }, { 'sec-fetch-site': 'cross-site' }]) {
        for (const cookie of [{}, cookieOf('any')]) {
          const answer = await host.post(path, input, null, { ...headers, ...cookie })
          expect(await problem(answer)).toMatchObject({ status: 403, code: 'cross_site_request' })
          expect(answer.headers.get('set-cookie')).toBeNull()
        }
      }
      const typed = await host.post(path, JSON.stringify(input), null, {
        'content-type': 'text/plain',
      })
      expect(typed.status).toBe(path.endsWith('sign-out') ? 401 : 415)
    }
    expect(await rowCounts()).toEqual(before)
    const own = await host.post('/identity/sign-up', input, null, { origin: HERE })
    expect([own.status, own.headers.get('cache-control')]).toEqual([201, 'no-store'])
  })

  it('sets the headers that keep browsers from guessing, framing and caching [A3]', async () => {
    for (const path of ['/healthz', '/organizations', '/nowhere']) {
      const { headers } = await host.get(path)
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('content-security-policy')).toContain("default-src 'none'")
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
      expect(headers.get('strict-transport-security')).toMatch(/^max-age=\d+/)
      expect(headers.get('referrer-policy')).toBe('no-referrer')
      expect(headers.get('x-request-id')).toMatch(/^[\w-]{16,}$/)
    }
  })

  it('answers with the recorded request id [A3]', async () => {
    const { token } = await person()
    const input = { name: 'Acme', slug: `org-${crypto.randomUUID().slice(0, 8)}` }
    const answer = await host.post('/organizations', input, token)
    const { id } = await answer.json<{ id: string }>()
    const recorded = await testEnv.DB.prepare(
      'SELECT DISTINCT request_id AS id FROM seatgate_audit_events WHERE organization_id = ?'
    )
      .bind(id)
      .all()
    expect(recorded.results).toEqual([{ id: answer.headers.get('x-request-id') }])
  })
})
