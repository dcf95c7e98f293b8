import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { seatgateRouter } from '../../../src/hono/index.ts'
import { generateLogKey } from '../../../src/index.ts'
import { seatgateWith, organizationWith, owners, sinkOf } from '../../kit/index.ts'

const { privateKey: auditLogKey } = await generateLogKey('audit.example.com')
const seatgate = seatgateWith({ sinks: [sinkOf('log')], auditLogKey })
const routerFor = (authenticate: unknown) =>
  seatgateRouter(seatgate, { authenticate } as Parameters<typeof seatgateRouter>[1])
const trail = (router: ReturnType<typeof routerFor>) =>
  router.routes.filter(({ path }) => path.includes('/audit'))

const POSTED = {
  headers: { 'content-type': 'application/json' },
  body: '{"fromSequence":1}',
}

/** What each route answers an owner: there is no log to prove anything with, and seats need a time. */
const FOR_OWNERS: Readonly<Record<string, string>> = {
  'GET /organizations/:org/audit': '200',
  'GET /organizations/:org/audit/checkpoint': '200',
  'GET /organizations/:org/audit/consistency': '422 validation_error',
  'GET /organizations/:org/audit/count': '200',
  'GET /organizations/:org/audit/export': '200',
  'GET /organizations/:org/audit/proof': '422 validation_error',
  'GET /organizations/:org/audit/seats': '422 validation_error',
  'GET /organizations/:org/audit/sinks': '200',
  'GET /organizations/:org/audit/sinks/:sink/attempts': '200',
  'GET /organizations/:org/audit/sinks/:sink/dead-letters': '200',
  'POST /organizations/:org/audit/sinks/:sink/dead-letters/requeue': '202',
  'POST /organizations/:org/audit/sinks/:sink/pause': '202',
  'POST /organizations/:org/audit/sinks/:sink/replay': '202',
  'POST /organizations/:org/audit/sinks/:sink/resume': '202',
  // These are for operators.
  'GET /operator/audit': '403 insufficient_role',
  'GET /operator/organizations/:org/audit': '404 organization_not_found',
  'GET /operator/organizations/:org/audit/count': '404 organization_not_found',
  'GET /operator/users/:userId/audit': '403 insufficient_role',
}

describe('the routes of the trail', () => {
  it.each([undefined, null, true, {}])(
    'are not mounted with %j to ask [AUD-67]',
    (authenticate) => {
      expect(() => routerFor(authenticate)).toThrow(/authenticate must be a function/)
    }
  )

  /** What every route of the trail answers: its status, and the code of a refusal or the bare text. */
  async function answersTo(id: string, authenticate: unknown): Promise<Record<string, string>> {
    const router = routerFor(authenticate)
    const app = new Hono().route('/', router).onError((error, c) => c.text(error.message, 500))
    const answers = trail(router)
      .filter(({ method }) => method !== 'ALL')
      .map(async ({ method, path }) => {
        const url = path.replace(':org', id).replace(':sink', 'log')
        const response = await app.request(url, { method, ...(method === 'POST' && POSTED) })
        const text = await response.text()
        if (!response.ok) expect(text).not.toContain(owners.get(id))
        const { code } = /"code":"(?<code>\w+)"/.exec(text)?.groups ?? {}
        const says = response.ok ? '' : ` ${code ?? text}`
        return [`${method} ${path}`, `${response.status}${says}`]
      })
    return Object.fromEntries(await Promise.all(answers)) as Record<string, string>
  }

  /** The same answer of every route. */
  const everywhere = (answer: string) =>
    Object.fromEntries(Object.keys(FOR_OWNERS).map((route) => [route, answer]))

  it('are open to an owner, so that closed ones show something [AUD-67]', async () => {
    const id = await organizationWith(seatgate)
    expect(await answersTo(id, () => ({ userId: owners.get(id) }))).toEqual(FOR_OWNERS)
  })

  it('are closed to a request without a caller [D9 AUD-67]', async () => {
    const id = await organizationWith(seatgate)
    expect(await answersTo(id, () => null)).toEqual(everywhere('401 unauthenticated'))
  })

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['true', true],
    ['a text', 'ann'],
    ['an empty object', {}],
    ['a user without an id', { userId: '' }],
    ['a type that does not exist', { type: 'admin' }],
  ])(
    'are closed, with an error that says so, where %s is the caller [D9 AUD-67]',
    async (_, is) => {
      const id = await organizationWith(seatgate)
      const error = '500 The scope has no caller: it needs a userId, or another principal.'
      expect(await answersTo(id, () => is)).toEqual(everywhere(error))
    }
  )

  it('answer with the host’s own error if authenticate throws [D9 AUD-67]', async () => {
    const id = await organizationWith(seatgate)
    const fails = () => Promise.reject(new Error('boom'))
    expect(await answersTo(id, fails)).toEqual(everywhere('500 boom'))
  })

  it('do not change recorded, shown or kept events [AUD-68]', () => {
    const changing = trail(routerFor(() => null))
      .filter(({ method }) => method !== 'GET' && method !== 'ALL')
      .map(({ method, path }) => `${method} ${path.replace('/organizations/:org/audit/', '')}`)
    expect([...new Set(changing)].toSorted()).toEqual([
      'POST sinks/:sink/dead-letters/requeue',
      'POST sinks/:sink/pause',
      'POST sinks/:sink/replay',
      'POST sinks/:sink/resume',
    ])
  })
})
