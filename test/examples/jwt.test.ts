import { env } from 'cloudflare:workers'
import { sign } from 'hono/jwt'
import { beforeAll, expect, it } from 'vitest'
import { withBindings, requestOf } from './bindings.ts'

const JWT_SECRET = 'a secret of the test'

let app: (typeof import('../../examples/jwt/worker.ts'))['default']

beforeAll(async () => {
  await env.DB.exec('CREATE TABLE projects (id TEXT, organization_id TEXT, name TEXT)')
  const loaded = await withBindings({ JWT_SECRET }, () => import('../../examples/jwt/worker.ts'))
  app = loaded.default
})

const tokenOf = (sub: string, secondsAgo = 0) =>
  sign({ sub, iat: Math.floor(Date.now() / 1000) - secondsAgo }, JWT_SECRET, 'HS256')

async function ask(userId: string, method: string, path: string, body?: unknown) {
  const authorization = `Bearer ${await tokenOf(userId)}`
  const request = requestOf(method, { authorization }, body)
  const response = await withBindings({ JWT_SECRET }, async () => app.request(path, request))
  return { status: response.status, body: await response.json() }
}

it('examples/jwt keeps the projects of two organizations apart', async () => {
  for (const [userId, name] of [
    ['ann', 'Globex'],
    ['ben', 'Initech'],
  ] as const) {
    expect(await ask(userId, 'POST', '/organizations', { name })).toMatchObject({ status: 201 })
    const path = `/o/${name.toLowerCase()}/projects`
    const created = await ask(userId, 'POST', path, { name: `${name} one` })
    expect(created).toMatchObject({ status: 201, body: { name: `${name} one` } })
    expect(await ask(userId, 'GET', path)).toEqual({ status: 200, body: [created.body] })
  }
  expect(await ask('ann', 'GET', '/o/initech/projects')).toMatchObject({ status: 404 })
})

it('examples/jwt changes a slug for a fresh token of the same user only', async () => {
  await ask('cleo', 'POST', '/organizations', { name: 'Hooli' })
  const change = async (stepUpProof: string) =>
    ask('cleo', 'POST', '/organizations/hooli/slug', {
      slug: 'hooli-2',
      confirmSlug: 'hooli',
      stepUpProof,
    })
  for (const wrong of [await tokenOf('cleo', 301), await tokenOf('ann'), 'no token']) {
    expect(await change(wrong)).toMatchObject({ status: 403, body: { code: 'step_up_failed' } })
  }
  expect(await change(await tokenOf('cleo'))).toMatchObject({ status: 200 })
})

it('examples/jwt refuses a token of another signature', async () => {
  const authorization = `Bearer ${await sign({ sub: 'ann' }, 'another secret', 'HS256')}`
  const response = await withBindings({ JWT_SECRET }, async () =>
    app.request('/organizations', { headers: { authorization } })
  )
  expect(response.status).toBe(401)
})
