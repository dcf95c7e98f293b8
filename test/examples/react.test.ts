import { expect, it } from 'vitest'
import app from '../../examples/react/worker.ts'
import { requestOf } from './bindings.ts'

it('examples/react answers what its page asks', async () => {
  const ask = async (method: string, path: string, body?: unknown) => {
    const response = await app.request(path, requestOf(method, { 'x-user-id': 'ann' }, body))
    return { status: response.status, body: await response.json() }
  }
  expect(await ask('POST', '/organizations', { name: 'Acme' })).toMatchObject({ status: 201 })
  expect(await ask('GET', '/organizations/acme/members')).toMatchObject({
    status: 200,
    body: { data: [{ userId: 'ann', role: 'owner' }] },
  })
  expect(await ask('GET', '/organizations/acme/seats')).toMatchObject({
    body: { held: 1, reserved: 0, limit: 3 },
  })
})
