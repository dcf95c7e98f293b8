import { expect, it } from 'vitest'
import app from '../../examples/minimal/worker.ts'
import { requestOf } from './bindings.ts'

const ask = (method: string, path: string, body?: unknown) =>
  app.request(path, requestOf(method, { 'x-user-id': 'ann' }, body))

it('examples/minimal adds members up to the limit and refuses the next one', async () => {
  const created = await ask('POST', '/organizations', { name: 'Acme' })
  expect(created.status).toBe(201)
  const add = (userId: string) =>
    ask('POST', '/organizations/acme/members', { userId, role: 'member' })
  expect((await add('ben')).status).toBe(201)
  expect((await add('cleo')).status).toBe(201)
  const refused = await add('dora')
  expect(refused.status).toBe(409)
  expect(await refused.json()).toMatchObject({ code: 'seat_limit_reached', limit: 3, used: 3 })
})

it('examples/minimal refuses a request without a caller', async () => {
  expect((await app.request('/organizations')).status).toBe(401)
})
