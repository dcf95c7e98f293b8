import { env } from 'cloudflare:workers'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { AUDIENCE, createIssuer, ISSUER } from '../kit/identity/issuer.ts'
import projects from '../../examples/tenant-tables/migrations/0001_projects.sql?raw'
import { runStatements, withBindings, requestOf } from './bindings.ts'

const bindings = { TOKEN_ISSUER: ISSUER, TOKEN_AUDIENCE: AUDIENCE }

let app: (typeof import('../../examples/tenant-tables/worker.ts'))['default']
let issuer: Awaited<ReturnType<typeof createIssuer>>

beforeAll(async () => {
  await runStatements(projects)
  issuer = await createIssuer()
  issuer.pass((Date.now() - issuer.now().getTime()) / 1000)
  vi.stubGlobal('fetch', issuer.fetch)
  const loaded = await withBindings(
    bindings,
    () => import('../../examples/tenant-tables/worker.ts')
  )
  app = loaded.default
})
afterAll(() => vi.unstubAllGlobals())

const tokenOf = (sub: string) => issuer.token({ sub })

async function ask(userId: string, method: string, path: string, body?: unknown) {
  const authorization = `Bearer ${await tokenOf(userId)}`
  const response = await app.request(path, requestOf(method, { authorization }, body))
  return { status: response.status, body: await response.json() }
}

it('examples/tenant-tables keeps the projects of two organizations apart', async () => {
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

it('examples/tenant-tables founds an organization together with its first project, or neither', async () => {
  const created = await ask('dora', 'POST', '/workspaces', { name: 'Umbrella' })
  expect(created).toMatchObject({ status: 201, body: { organization: { name: 'Umbrella' } } })
  const { organization, project } = created.body as {
    organization: { slug: string }
    project: object
  }
  expect(await ask('dora', 'GET', `/o/${organization.slug}/projects`)).toEqual({
    status: 200,
    body: [project],
  })
  const count = () => env.DB.prepare('SELECT count(*) AS rows FROM projects').first<number>('rows')
  const before = await count()
  expect((await ask('dora', 'POST', '/workspaces', { name: '' })).status).toBe(422)
  expect((await app.request('/workspaces', { method: 'POST' })).status).toBe(401)
  expect(await count()).toBe(before)
})
