import { Hono } from 'hono'
import { Hono as QuickHono } from 'hono/quick'
import { Hono as TinyHono } from 'hono/tiny'
import { describe, expect, it } from 'vitest'
import { registration } from '../../../host/identity/routes.ts'
import {
  auditRoutes,
  billingRoutes,
  forwardingRoutes,
  invitationRoutes,
  joiningRoutes,
  memberRoutes,
  logRoutes,
  operatorRoutes,
  organizationRoutes,
  seatgateRouter,
  seatRoutes,
  sessionRoutes,
  userRoutes,
} from '../../../src/hono/index.ts'
import { generateLogKey } from '../../../src/index.ts'
import { byName, db, seatgateWith } from '../../kit/index.ts'

const seatgate = seatgateWith({
  auditLogKey: (await generateLogKey('audit.example.com')).privateKey,
  registerUser: registration(db),
  lifecycle: { onDelete: () => ({ ok: true, statements: [] }) },
})
const options = { authenticate: byName }
const signIn = async () => 'a token'
const whole = seatgateRouter(seatgate, { ...options, signIn })
const groups = {
  organizationRoutes: organizationRoutes(seatgate, options),
  memberRoutes: memberRoutes(seatgate, options),
  userRoutes: userRoutes(seatgate, options),
  seatRoutes: seatRoutes(seatgate, options),
  sessionRoutes: sessionRoutes(seatgate, options),
  billingRoutes: billingRoutes(seatgate, options),
  invitationRoutes: invitationRoutes(seatgate, { ...options, signIn }),
  joiningRoutes: joiningRoutes(seatgate, options),
  auditRoutes: auditRoutes(seatgate, options),
  logRoutes: logRoutes(seatgate, options),
  forwardingRoutes: forwardingRoutes(seatgate, options),
  operatorRoutes: operatorRoutes(seatgate, options),
}
const FOUR = ['sessionRoutes', 'organizationRoutes', 'memberRoutes', 'seatRoutes'] as const

interface Routed {
  readonly routes: readonly { readonly method: string; readonly path: string }[]
}
const routesOf = ({ routes }: Routed) => [
  ...new Set(routes.map(({ method, path }) => `${method} ${path}`)),
]
const ofEach = Object.values(groups).flatMap(routesOf)

const ids = /:\w+/g
const UNKNOWN_ID = '00000000-0000-4000-8000-000000000000'
async function ask(app: Pick<Hono, 'request'>, route: string, headers: HeadersInit = {}) {
  const [method = '', path = ''] = route.split(' ')
  return app.request(path.replaceAll(ids, crypto.randomUUID()), { method, headers })
}

const mounted = (names: readonly (typeof FOUR)[number][]) => {
  const app = new Hono()
  for (const name of names) app.route('/', groups[name] as unknown as Hono)
  return app
}

describe('the groups of routes', () => {
  it('together have the routes of seatgateRouter, each of them in one group', () => {
    expect(ofEach.toSorted()).toEqual(routesOf(whole).toSorted())
    expect(new Set(ofEach).size).toBe(ofEach.length)
    expect(ofEach.length).toBeGreaterThan(60)
  })

  it('can be mounted four at a time: the routes of the other groups answer 404', async () => {
    const app = mounted(FOUR)
    const own = FOUR.flatMap((name) => routesOf(groups[name]))
    const others = ofEach.filter((route) => !own.includes(route))
    expect(others.length).toBeGreaterThan(30)
    for (const route of others) {
      const response = await ask(app, route, { authorization: 'Bearer user:somebody' })
      expect(`${route} ${response.status} ${await response.text()}`).toBe(
        `${route} 404 404 Not Found`
      )
    }
    for (const route of own) {
      const response = await ask(app, route, { authorization: 'Bearer user:somebody' })
      expect(`${route} ${await response.text()}`).not.toBe(`${route} 404 Not Found`)
    }
  })

  it('refuse callers who are not signed in, in each group that is for signed-in callers', async () => {
    const { sessionRoutes: _session, invitationRoutes: _invitation, ...signedIn } = groups
    for (const [name, group] of Object.entries(signedIn)) {
      for (const route of routesOf(group)) {
        const { status, headers } = await ask(group as unknown as Hono, route)
        expect([name, route, status]).toEqual([name, route, 401])
        expect(headers.get('cache-control')).toBe('no-store')
      }
    }
  })

  it('refuse a request with a cookie from another site, in each group', async () => {
    const foreign = { cookie: 'session=1', 'sec-fetch-site': 'cross-site' }
    for (const group of Object.values(groups)) {
      for (const route of routesOf(group).filter((route) => !route.startsWith('GET '))) {
        const { status } = await ask(group as unknown as Hono, route, foreign)
        expect([route, status]).toEqual([route, 403])
      }
    }
  })

  it.each([[FOUR], [FOUR.toReversed()]])(
    'lead each path to its group in the order %j',
    async (order) => {
      const app = mounted(order)
      const body = '{"organization_id":null}'
      const headers = { 'content-type': 'application/json', authorization: 'Bearer user:somebody' }
      const switched = await app.request('/organizations/switch', { method: 'POST', headers, body })
      expect([switched.status, await switched.json()]).toEqual([
        422,
        expect.objectContaining({ code: 'validation_error' }),
      ])
      const active = await app.request('/active-organization')
      expect(active.status).toBe(401)
    }
  )

  it.each([
    ['hono', Hono],
    ['hono/quick', QuickHono],
    ['hono/tiny', TinyHono],
  ])('respond mounted in a Hono of %s as they do by themselves', async (_preset, Host) => {
    const app = new Host().route('/', whole as unknown as Hono)
    const others = ['GET /', 'GET /organizations/acme/nothing', 'PUT /organizations', 'GET /users']
    const encoded = ['GET /organizations/a%2Fb', 'GET /organizations/a%2Fb/members/count']
    const responseOf = async (host: Pick<Hono, 'request'>, route: string) => {
      const [method = '', path = ''] = route.replaceAll(ids, UNKNOWN_ID).split(' ')
      const headers = { authorization: 'Bearer user:somebody' }
      const response = await host.request(path, { method, headers })
      return [route, response.status, await response.text()]
    }
    for (const route of [...routesOf(whole), ...others, ...encoded]) {
      const alone = await responseOf(whole as unknown as Hono, route)
      expect(await responseOf(app, route)).toEqual(alone)
    }
    expect(await responseOf(app, 'PUT /organizations')).toContain('404 Not Found')
    const counted = await responseOf(app, 'GET /organizations/a%2Fb/members/count')
    expect(counted).toContain(404)
    expect(counted.at(-1)).toContain('organization_not_found')
  })

  it('respond by themselves as with the router of hono to a path that ends in a slash', async () => {
    const slashed = await Promise.all(
      [whole as unknown as Hono, mounted(FOUR)].map(async (app) => app.request('/organizations/'))
    )
    expect(slashed.map(({ status }) => status)).toEqual([404, 404])
  })

  it('do not authenticate requests for routes that the host mounts beside them', async () => {
    const asked: string[] = []
    const authenticate = (c: { req: { path: string } }) => {
      asked.push(c.req.path)
      return null
    }
    const app = new Hono()
      .route('/', seatgateRouter(seatgate, { authenticate }))
      .get('/organizations/:org/projects', (c) => c.text('projects'))
      .post('/organizations/:org', (c) => c.text('of the host'))
    const projects = await app.request('/organizations/acme/projects')
    expect([projects.status, await projects.text()]).toEqual([200, 'projects'])
    const own = await app.request('/organizations/acme', { method: 'POST' })
    expect([own.status, await own.text()]).toEqual([200, 'of the host'])
    expect(asked).toEqual([])
  })

  it('throw at set-up if the configuration lacks an option that they need', () => {
    const noProof = seatgateWith()
    const without = (missing: object) => ({ ...noProof, ...missing })
    const proofless = without({ verifyPassword: null, stepUp: null })
    expect(() => organizationRoutes(proofless, options)).toThrow(
      /organizationRoutes: .* identity\.verifyPassword or identity\.stepUp/
    )
    expect(() => memberRoutes(proofless, options)).toThrow(/memberRoutes: .* identity\.stepUp/)
    expect(() => userRoutes(proofless, options)).toThrow(/userRoutes: .* identity\.stepUp/)
    expect(() => userRoutes(without({ lifecycle: {} }), options)).toThrow(
      /userRoutes: .*hooks\.onDelete/
    )
    expect(() => joiningRoutes(without({ joining: null }), options)).toThrow(/the part joining/)
    expect(() => seatRoutes(seatgate, { authenticate: null as never })).toThrow(
      /seatRoutes: authenticate must be a function/
    )
  })
})
