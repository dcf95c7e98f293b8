import { getMigrations } from 'better-auth/db/migration'
import { beforeAll, expect, it } from 'vitest'
import tables from '../../examples/better-auth-session/migrations/0001_better_auth.sql?raw'
import { runStatements, withBindings, requestOf } from './bindings.ts'

const PUBLIC_URL = 'https://app.example.com'
const ANN = { name: 'Ann', email: 'ann@example.com', password: 'correct horse battery' }

let app: (typeof import('../../examples/better-auth-session/worker.ts'))['default']

beforeAll(async () => {
  const bindings = { PUBLIC_URL, BETTER_AUTH_SECRET: 'a secret of the test, 32 characters long' }
  const loaded = await withBindings(
    bindings,
    () => import('../../examples/better-auth-session/worker.ts')
  )
  app = loaded.default
  await runStatements(tables)
  // No table and no column is missing, as better-auth sees it.
  const { toBeCreated, toBeAdded } = await getMigrations(loaded.auth.options)
  expect({ toBeCreated, toBeAdded }).toEqual({ toBeCreated: [], toBeAdded: [] })
})

it('examples/better-auth-session signs up a user who founds an organization', async () => {
  expect((await app.request(`${PUBLIC_URL}/organizations`)).status).toBe(401)

  const signUp = requestOf('POST', { origin: PUBLIC_URL }, ANN)
  const signedUp = await app.request(`${PUBLIC_URL}/api/auth/sign-up/email`, signUp)
  expect(signedUp.status).toBe(200)
  const cookie = signedUp.headers
    .getSetCookie()
    .map((each) => each.split(';')[0])
    .join('; ')
  const ask = async (method: string, path: string, body?: unknown) => {
    const request = requestOf(method, { cookie, origin: PUBLIC_URL }, body)
    const response = await app.request(`${PUBLIC_URL}${path}`, request)
    return { status: response.status, body: await response.json() }
  }

  expect(await ask('POST', '/organizations', { name: 'Acme' })).toMatchObject({ status: 201 })
  expect(await ask('GET', '/organizations/acme/members')).toMatchObject({
    body: { data: [{ user: { email: ANN.email, name: ANN.name }, role: 'owner' }] },
  })
  const change = { slug: 'acme-2', confirmSlug: 'acme' }
  expect(
    await ask('POST', '/organizations/acme/slug', { ...change, password: 'wrong' })
  ).toMatchObject({ status: 403, body: { code: 'invalid_password' } })
  expect(
    await ask('POST', '/organizations/acme/slug', { ...change, password: ANN.password })
  ).toMatchObject({ status: 200, body: { slug: 'acme-2' } })
  const { body: found } = await ask('GET', '/organizations/acme-2')
  const { id } = found as { id: string }
  expect(await ask('PUT', '/active-organization', { organizationId: id })).toMatchObject({
    status: 200,
  })
  expect(await ask('GET', '/active-organization')).toMatchObject({ body: { organization: { id } } })
})
