import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { seatgateRouter } from '../../src/hono/index.ts'
import { seatgateWith } from './client.ts'
import { organizationWith, owners, sinkOf } from './forwarding.ts'

const seatgate = seatgateWith({ sinks: [sinkOf('log')] })
const routerFor = (authenticate: unknown) =>
  seatgateRouter(seatgate, { authenticate } as Parameters<typeof seatgateRouter>[1])
const trail = (router: ReturnType<typeof routerFor>) =>
  router.routes.filter(({ path }) => path.includes('/audit'))

describe('the routes of the trail', () => {
  it.each([undefined, null, true, {}])('AUD-67: are not mounted with %j to ask', (authenticate) => {
    expect(() => routerFor(authenticate)).toThrow(/authenticate must be a function/)
  })

  it.each<[string, unknown]>([
    ['null', () => null],
    ['undefined', () => undefined],
    ['true', () => true],
    ['an object that is nobody', () => ({})],
    ['a user without an id', () => ({ userId: '' })],
    ['a type that there is not', () => ({ type: 'admin' })],
    ['a throw', () => Promise.reject(new Error('boom'))],
  ])('AUD-67: are closed to whoever is answered with %s', async (_what, authenticate) => {
    const id = await organizationWith(seatgate)
    const app = new Hono()
      .route('/', routerFor(authenticate))
      .onError((_error, c) => c.text('no', 500))
    const paths = trail(app as never).map(({ path, method }) => ({
      method,
      path: path.replace(':org', id).replace(':sink', 'log'),
    }))
    expect(paths.length).toBeGreaterThan(10)
    for (const { method, path } of paths) {
      const body = method === 'POST' ? '{"fromSequence":1}' : undefined
      const response = await app.request(path, { method, ...(body && { body }) })
      expect(response.status, `${method} ${path}`).toBeGreaterThanOrEqual(401)
      expect(await response.text()).not.toContain(owners.get(id))
    }
  })

  it('AUD-68: change nothing of what is recorded, shown or kept', () => {
    const changing = trail(routerFor(() => null))
      .filter(({ method }) => method !== 'GET' && method !== 'ALL')
      .map(({ method, path }) => `${method} ${path.replace('/organizations/:org/audit/', '')}`)
    expect(changing.toSorted()).toEqual([
      'POST sinks/:sink/dead-letters/requeue',
      'POST sinks/:sink/replay',
      'POST sinks/:sink/resume',
    ])
  })
})
