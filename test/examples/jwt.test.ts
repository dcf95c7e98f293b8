import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { AUDIENCE, createIssuer, ISSUER } from '../kit/identity/issuer.ts'
import { withBindings, requestOf } from './bindings.ts'

const bindings = { TOKEN_ISSUER: ISSUER, TOKEN_AUDIENCE: AUDIENCE }

let app: (typeof import('../../examples/jwt/worker.ts'))['default']
let issuer: Awaited<ReturnType<typeof createIssuer>>

beforeAll(async () => {
  issuer = await createIssuer()
  issuer.pass((Date.now() - issuer.now().getTime()) / 1000)
  vi.stubGlobal('fetch', issuer.fetch)
  const loaded = await withBindings(bindings, () => import('../../examples/jwt/worker.ts'))
  app = loaded.default
})
afterAll(() => vi.unstubAllGlobals())

const tokenOf = (sub: string, secondsAgo = 0) =>
  issuer.token({ sub, auth_time: issuer.seconds() - secondsAgo })

async function ask(userId: string, method: string, path: string, body?: unknown) {
  const authorization = `Bearer ${await tokenOf(userId)}`
  const response = await app.request(path, requestOf(method, { authorization }, body))
  return { status: response.status, body: await response.json() }
}

it('examples/jwt gives the organization of the path only to its members', async () => {
  expect(await ask('ann', 'POST', '/organizations', { name: 'Globex' })).toMatchObject({
    status: 201,
  })
  expect(await ask('ann', 'GET', '/o/globex/hello')).toEqual({
    status: 200,
    body: { organization: 'Globex', role: 'owner' },
  })
  expect(await ask('ben', 'GET', '/o/globex/hello')).toMatchObject({ status: 404 })
})

it('examples/jwt changes a slug for a token of a fresh sign-in of the same user only', async () => {
  await ask('cleo', 'POST', '/organizations', { name: 'Hooli' })
  const change = async (stepUpProof: string) =>
    ask('cleo', 'POST', '/organizations/hooli/slug', {
      slug: 'hooli-2',
      confirmSlug: 'hooli',
      stepUpProof,
    })
  for (const wrong of [await tokenOf('cleo', 400), await tokenOf('ann'), 'no token']) {
    expect(await change(wrong)).toMatchObject({ status: 403, body: { code: 'step_up_failed' } })
  }
  expect(await change(await tokenOf('cleo'))).toMatchObject({ status: 200 })
})

it('examples/jwt refuses a token with another signature', async () => {
  const other = await createIssuer('RS256')
  const { privateKey } = await other.addKey('other')
  const authorization = `Bearer ${await issuer.token({ sub: 'ann' }, {}, privateKey)}`
  const response = await app.request('/organizations', { headers: { authorization } })
  expect(response.status).toBe(401)
})
