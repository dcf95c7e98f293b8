import { readFile } from 'node:fs/promises'
import { basename, join, posix } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createTestHarness, type TestHarness } from 'wrangler'
import { temporaryDirectory, type TemporaryDirectory } from '../end-to-end/temporary-directory.ts'
import { signCheckpoint } from '../../src/proof/verify-proof.ts'
import { generateLogKey, noteSigner } from '../../src/proof/note.ts'
import { endOf, EVENTS, sealed } from '../unit/proof/sealed-log.ts'
import { inBrowser } from './browser.ts'
import {
  blocksOf,
  definitionsOf,
  exportsInNode,
  makeHost,
  mapOf,
  pack,
  tokenOf,
  typeErrors,
  type Packed,
} from './host.ts'

const LIMIT = 10
const PEOPLE = 15

let directory: TemporaryDirectory
let packed: Packed

beforeAll(async () => {
  directory = await temporaryDirectory()
  packed = await pack(directory.path)
  await makeHost(directory.path, packed)
}, 180_000)

afterAll(() => directory.remove())

test('holds only the library, its source, its migrations and its papers', () => {
  const papers = ['CHANGELOG.md', 'LICENSE', 'README.md', 'openapi.json', 'package.json']
  const folders =
    /^(bin\/((library|migrations|seatgate)\.js|schema\.json|(commands|doctor)\/[\w-]+\.js)|dist\/.*\.(js|d\.ts)(\.map)?|dist\/console\/files\/[\w-]+-[\da-f]{12}\.(css|html|js|json|svg)|src\/.*\.tsx?|src\/console\/client\/(console\.css|icon\.svg|tsconfig\.json|verification\.template)|migrations\/\d{4}_\w+\.sql)$/
  expect(packed.paths.filter((path) => !folders.test(path)).sort()).toEqual(papers)
  expect(packed.paths).toContain('dist/index.js')
  expect(packed.paths.join(' ')).toMatch(/ dist\/console\/files\/english-/)
  expect(packed.paths).toContain('migrations/0001_organizations.sql')
})

test("leaves the reference host's own tables at home", () => {
  expect(packed.paths.filter((path) => /^host\/|^migrations\/.*users/.test(path))).toEqual([])
})

describe('the source maps', () => {
  const installed = (path: string) => join(directory.path, 'node_modules/seatgate', path)
  const defines = (line: string, name: string) => new RegExp(`function\\*? ${name}\\b`).test(line)

  test('belong to each module and each declaration, and name files that are packed', async () => {
    // The console's assets are bundled, into one module of texts and into files; its elements have no source.
    const code = packed.paths.filter(
      (path) =>
        /^dist\/.*\.(js|d\.ts)$/.test(path) &&
        !/^dist\/console\/(assets\.js|jsx\.js|files\/)/.test(path)
    )
    expect(code.length).toBeGreaterThan(500)
    for (const path of code) {
      const text = await readFile(installed(path), 'utf8')
      expect(text.trimEnd().split('\n').at(-1)).toBe(`//# sourceMappingURL=${basename(path)}.map`)
      const { sources } = await mapOf(installed(path))
      expect(sources).toHaveLength(1)
      const paths = sources.map((source) => posix.join(posix.dirname(path), source))
      expect(packed.paths, path).toEqual(expect.arrayContaining(paths))
    }
  })

  test('lead from the declaration of each function to its definition', async () => {
    const declarations = packed.paths.filter((path) => /^dist\/.*\.d\.ts$/.test(path))
    const found = await Promise.all(declarations.map((path) => definitionsOf(installed(path))))
    expect(found.flat().length).toBeGreaterThan(300)
    const wrong = found.flat().filter(({ name, line }) => !defines(line, name))
    expect(wrong).toEqual([])
  })
})

describe('in plain Node', () => {
  test.each([
    ['seatgate', 'createSeatgate'],
    ['seatgate/hono', 'seatgateRouter'],
    ['seatgate/worker', 'sweepHandler'],
    ['seatgate/schema', 'memberships'],
    ['seatgate/testing', 'violations'],
    ['seatgate/proof', 'verifyExport'],
  ])('%s can be imported', async (name, aName) => {
    expect(await exportsInNode(directory.path, name)).toContain(aName)
  })

  test('only the Durable Object needs the Workers runtime', async () => {
    const imported = exportsInNode(directory.path, 'seatgate/durable-object')
    await expect(imported).rejects.toThrow(/cloudflare:/)
  })
})

describe('in a browser', () => {
  const VERIFY = `
    import { openCheckpoint, verifyExport } from 'seatgate/proof'
    const { lines, notes, publicKey } = JSON.parse(handedIn)
    const opened = await Promise.all(notes.map((note) => openCheckpoint(note, [publicKey])))
    const checkpoints = opened.filter((checkpoint) => checkpoint !== null)
    const answer = { opened: opened.length, ...(await verifyExport(lines, checkpoints)) }`

  async function signedLog() {
    const { privateKey, publicKey } = await generateLogKey('audit.example')
    const signer = await noteSigner(privateKey)
    const { lines, checkpoints } = sealed()
    const notes = await Promise.all(checkpoints.map((each) => signCheckpoint(signer, each)))
    return { lines: [...lines, endOf(EVENTS)], notes, publicKey }
  }

  test('seatgate/proof opens checkpoints and verifies an export [AUD-54]', async () => {
    expect(await inBrowser(directory.path, VERIFY, await signedLog())).toMatchObject({
      opened: 4,
      events: EVENTS,
      proven: EVENTS,
      finding: null,
    })
  })

  test('it finds the line that was altered, and a checkpoint without a signature [AUD-55]', async () => {
    const log = await signedLog()
    const lines = log.lines.with(6, log.lines[6]!.replace('organization.rename', 'member.add'))
    expect(await inBrowser(directory.path, VERIFY, { ...log, lines })).toMatchObject({
      finding: { kind: 'altered', line: 7 },
    })
    const notes = log.notes.map((note) => note.replace('/acme', '/evil'))
    expect(await inBrowser(directory.path, VERIFY, { ...log, notes })).toMatchObject({ proven: 0 })
  })

  test('Node’s modules are not available there', async () => {
    const wanting = "import { readFileSync } from 'node:fs'; const answer = String(readFileSync)"
    await expect(inBrowser(directory.path, wanting, {})).rejects.toThrow('node:fs')
    const having = 'const answer = [typeof process, typeof Buffer]'
    expect(await inBrowser(directory.path, having, {})).toEqual(['undefined', 'undefined'])
  })
})

describe('the Worker of docs/getting-started.md', () => {
  // The declarations of other people's packages are compiled too, and drizzle-orm's have mistakes:
  // they name the drivers of databases that are not here. Every other line must be right.
  test('compiles, and so do the declarations it imports', async () => {
    const ours = (error: string) => !error.startsWith('node_modules/drizzle-orm/')
    expect((await typeErrors(directory.path)).filter(ours)).toEqual([])
  })

  describe('running', () => {
    let server: TestHarness

    beforeAll(async () => {
      vi.stubEnv('CLOUDFLARE_CF_FETCH_ENABLED', 'false')
      vi.stubEnv('WRANGLER_SEND_METRICS', 'false')
      const configPath = join(directory.path, 'wrangler.toml')
      server = createTestHarness({ root: directory.path, workers: [{ configPath }] })
      await server.listen()
      await server.getWorker().applyD1Migrations('DB')
    }, 60_000)

    afterAll(async () => {
      await server?.close()
      vi.unstubAllEnvs()
    })

    async function ask(userId: string, method: string, path: string, body?: unknown) {
      const response = await send(userId, method, path, body)
      return { status: response.status, body: (await response.json()) as Record<string, unknown> }
    }

    async function send(userId: string, method: string, path: string, body?: unknown) {
      return server.fetch(`http://host.test${path}`, {
        method,
        headers: {
          authorization: `Bearer ${await tokenOf(userId)}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        redirect: 'manual',
        signal: AbortSignal.timeout(30_000),
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
    }

    test('sells as many seats as there are', async () => {
      const founded = await ask('founder', 'POST', '/organizations', { name: 'Acme' })
      expect(founded).toMatchObject({ status: 201, body: { slug: 'acme' } })

      const answers = await Promise.all(
        Array.from({ length: PEOPLE }, (_, index) =>
          ask('founder', 'POST', '/organizations/acme/members', {
            userId: `person-${index}`,
            role: 'member',
          })
        )
      )
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(LIMIT - 1)
      for (const refusal of answers.filter(({ status }) => status !== 201)) {
        expect(refusal).toMatchObject({
          status: 409,
          body: { code: 'seat_limit_reached', limit: LIMIT, used: LIMIT },
        })
      }

      const seats = await ask('founder', 'GET', '/organizations/acme/seats')
      expect(seats).toMatchObject({ status: 200, body: { limit: LIMIT, available: 0 } })
      expect(Number(seats.body['held']) + Number(seats.body['reserved'])).toBe(LIMIT)
      const members = await ask('founder', 'GET', '/organizations/acme/members')
      expect(members.body['data']).toHaveLength(LIMIT)
    })

    test('keeps the routes of its own to the organization in the path', async () => {
      for (const [userId, name] of [
        ['ann', 'Globex'],
        ['ben', 'Initech'],
      ] as const) {
        expect(await ask(userId, 'POST', '/organizations', { name })).toMatchObject({ status: 201 })
        const path = `/o/${name.toLowerCase()}/projects`
        const made = await ask(userId, 'POST', path, { name: `${name} one` })
        expect(made).toMatchObject({ status: 201, body: { name: `${name} one` } })
        const listed = await ask(userId, 'GET', path)
        expect(listed).toEqual({ status: 200, body: [made.body] })
      }
    })

    test('asks for the role and the membership that its routes demand', async () => {
      const path = '/o/globex/projects'
      const joined = { userId: 'cleo', role: 'member' }
      expect(await ask('ann', 'POST', '/organizations/globex/members', joined)).toMatchObject({
        status: 201,
      })
      expect((await ask('cleo', 'GET', path)).status).toBe(200)
      expect(await ask('cleo', 'POST', path, { name: 'Mine' })).toMatchObject({
        status: 403,
        body: { code: 'insufficient_role', requiredRoles: ['owner', 'admin'] },
      })
      expect(await ask('ben', 'GET', path)).toMatchObject({
        status: 404,
        body: { code: 'organization_not_found' },
      })
    })

    test('invites a user, who is the only one to accept, and reserves their seat', async () => {
      const invitation = { email: 'Dora@Example.com', role: 'member' }
      const invited = await ask('ann', 'POST', '/organizations/globex/invitations', invitation)
      expect(invited).toMatchObject({
        status: 201,
        body: { email: 'dora@example.com', status: 'pending', mailStatus: 'skipped' },
      })
      const before = await ask('ann', 'GET', '/organizations/globex/seats')
      expect(before.body).toMatchObject({ available: LIMIT - 3 })

      const { token } = invited.body
      expect(await ask('ben', 'POST', '/invitations/accept', { token })).toMatchObject({
        status: 403,
        body: { code: 'invitation_mismatch' },
      })
      expect(await ask('dora', 'POST', '/invitations/accept', { token })).toMatchObject({
        status: 200,
        body: { membership: { userId: 'dora', role: 'member' }, organization: { slug: 'globex' } },
      })
      expect((await ask('dora', 'GET', '/o/globex/projects')).status).toBe(200)
      expect(await ask('dora', 'POST', '/invitations/accept', { token })).toMatchObject({
        status: 200,
        body: { membership: { userId: 'dora' } },
      })
      const after = await ask('ann', 'GET', '/organizations/globex/seats')
      expect(after.body).toMatchObject({ available: LIMIT - 3 })
    })

    test('changes a slug for a fresh token, and leads members from the old one', async () => {
      const change = { slug: 'initrode', confirmSlug: 'initech' }
      const changed = async (stepUpProof: string) =>
        ask('ben', 'POST', '/organizations/initech/slug', { ...change, stepUpProof })
      for (const wrong of [await tokenOf('ben', 301), await tokenOf('ann'), 'no token']) {
        expect(await changed(wrong)).toMatchObject({
          status: 403,
          body: { code: 'step_up_failed' },
        })
      }
      expect(await changed(await tokenOf('ben'))).toMatchObject({
        status: 200,
        body: { slug: 'initrode' },
      })
      const led = await send('ben', 'GET', '/o/initech/projects?page=2')
      expect([led.status, led.headers.get('location')]).toEqual([
        302,
        '/o/initrode/projects?page=2',
      ])
      expect((await ask('ann', 'GET', '/o/initech/projects')).status).toBe(404)
    })

    test('shows a stranger no data', async () => {
      expect((await server.fetch('http://host.test/organizations')).status).toBe(401)
      expect(await ask('stranger', 'GET', '/organizations/acme')).toMatchObject({
        status: 404,
        body: { code: 'organization_not_found' },
      })
    })
  })
})

describe('the Worker of the README', () => {
  let server: TestHarness

  beforeAll(async () => {
    vi.stubEnv('CLOUDFLARE_CF_FETCH_ENABLED', 'false')
    vi.stubEnv('WRANGLER_SEND_METRICS', 'false')
    const minimal = join(directory.path, 'minimal')
    const configPath = join(minimal, 'wrangler.toml')
    server = createTestHarness({ root: minimal, workers: [{ configPath }] })
    await server.listen()
    await server.getWorker().applyD1Migrations('DB')
  }, 60_000)

  afterAll(async () => {
    await server?.close()
    vi.unstubAllEnvs()
  })

  const post = (path: string, body: unknown) =>
    server.fetch(`http://host.test${path}`, {
      method: 'POST',
      headers: { 'x-user-id': 'ann', 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(30_000),
    })

  test('fills three seats and refuses the next member as the README shows', async () => {
    expect((await post('/organizations', { name: 'Acme' })).status).toBe(201)
    const statuses: number[] = []
    let last: Response | undefined
    for (const userId of ['ben', 'cleo', 'dora']) {
      last = await post('/organizations/acme/members', { userId, role: 'member' })
      statuses.push(last.status)
    }
    expect(statuses).toEqual([201, 201, 409])
    const shown = (await blocksOf('README.md')).get('json') ?? ''
    expect(await last?.json()).toEqual(JSON.parse(shown))
  })
})
