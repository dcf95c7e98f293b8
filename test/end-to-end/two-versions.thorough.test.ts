import { execFile } from 'node:child_process'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { build, type BuildOptions } from 'esbuild'
import { convertV4MiniflareOptions, Miniflare } from 'miniflare'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { root } from '../../scripts/run-wrangler.ts'
import { waitFor } from '../../scripts/wait-for.ts'
import type * as Proof from '../../src/proof/index.ts'
import { generateLogKey } from '../../src/proof/index.ts'
import { putPeople, violationsOnDisk } from './disk.ts'
import { temporaryDirectory, type TemporaryDirectory } from './temporary-directory.ts'

// In a deployment the tables are migrated first; then both versions answer until the older one is gone.
const VERSIONS = ['new', 'old'] as const
type Version = (typeof VERSIONS)[number]
const DATABASE = '00000000-0000-0000-0000-000000000000'
const PATIENCE_MS = 300_000

interface Body {
  readonly id?: string
  readonly token?: string
  readonly data?: readonly { readonly sequence: number }[]
  readonly checkpoint?: string | null
  readonly unsealed?: number
}

const run = promisify(execFile)
let directory: TemporaryDirectory
const scripts: Record<Version, string> = { new: '', old: '' }
const proofs = new Map<Version, typeof Proof>()
const { privateKey, publicKey } = await generateLogKey('audit.seats.test')

beforeAll(async () => {
  directory = await temporaryDirectory()
  const folders = { new: root, old: await previous(directory.path) }
  for (const version of VERSIONS) {
    scripts[version] = await bundled(folders[version])
    const file = join(directory.path, `proof-${version}.mjs`)
    await writeFile(file, await bundle(folders[version], 'src/proof/index.ts'))
    proofs.set(version, (await import(pathToFileURL(file).href)) as typeof Proof)
  }
  expect(scripts.old).not.toBe(scripts.new)
}, PATIENCE_MS)

afterAll(() => directory.remove())

/** Unpacks the commit before the last one that changed the tables. It needs the history of the repository. */
async function previous(path: string): Promise<string> {
  const git = async (...parts: string[]) => (await run('git', parts, { cwd: root })).stdout.trim()
  const last = await git('log', '-1', '--format=%H', '--', 'migrations')
  const folder = join(path, 'previous')
  await mkdir(folder)
  const archive = join(path, 'previous.tar')
  await git('archive', '--output', archive, `${last}^`)
  await run('tar', ['-xf', archive, '-C', folder])
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  return folder
}

async function bundled(folder: string): Promise<string> {
  await run(process.execPath, ['--no-warnings', 'scripts/console-assets.ts'], { cwd: folder })
  return bundle(folder, 'host/worker.ts', {
    conditions: ['workerd', 'worker', 'browser'],
    mainFields: ['module', 'main'],
    external: ['cloudflare:*', 'node:*'],
  })
}

async function bundle(folder: string, entry: string, options: BuildOptions = {}): Promise<string> {
  const { outputFiles } = await build({
    ...options,
    entryPoints: [join(folder, entry)],
    absWorkingDir: folder,
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2023',
    logLevel: 'error',
  })
  return outputFiles[0]!.text
}

function both(persistTo: string, objectsIn: Version): Miniflare {
  const worker = (name: Version) => ({
    name,
    modules: true,
    script: scripts[name],
    compatibilityDate: '2026-10-01',
    bindings: {
      ENVIRONMENT: 'development',
      PUBLIC_URL: 'http://seats.test',
      DEFAULT_SEAT_LIMIT: '6',
      SEAT_RESERVATION_SECONDS: '30',
      OPERATOR_EMAILS: '',
      OPERATOR_USER_IDS: '',
      AUDIT_WEBHOOK_URL: '',
      AUDIT_LOG_KEY: privateKey,
      AUDIT_RETENTION_DAYS: '',
      INVITATIONS_HOLD_SEATS: 'true',
      JOINING_WHEN_FULL: 'refuse',
      NETWORK_RATE: 'unlimited',
      ACCOUNT_RATE: 'unlimited',
      PROOF_RATE: 'unlimited',
    },
    d1Databases: { DB: DATABASE },
    durableObjects: {
      SEATS: {
        className: 'SeatLedger',
        useSQLite: true,
        ...(name !== objectsIn && { scriptName: objectsIn }),
      },
    },
    queueProducers: { AUDIT_QUEUE: 'audit' },
    ...(name === objectsIn && { queueConsumers: { audit: { maxBatchTimeout: 0 } } }),
  })
  const options = convertV4MiniflareOptions({ cf: false, workers: VERSIONS.map(worker) } as never)
  return new Miniflare({ ...options, resourcePersistencePath: join(persistTo, 'v3') })
}

/** Sends a request to one version. */
async function request(
  miniflare: Miniflare,
  version: Version,
  token: string,
  method: string,
  path: string,
  body?: object
) {
  const worker = await miniflare.getWorker(version)
  const answer = await worker.fetch(`http://seats.test${path}`, {
    method,
    headers: {
      'cf-connecting-ip': '192.0.2.1',
      'content-type': 'application/json',
      ...(token && { authorization: `Bearer ${token}` }),
    },
    ...(body && { body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  const isJson = answer.headers.get('content-type')?.includes('json') && !path.includes('/export')
  return { status: answer.status, text, body: (isJson ? JSON.parse(text) : {}) as Body }
}

test.each(VERSIONS)(
  'two versions of the Worker serve one database in turn, with the ledgers in the %s one',
  async (objectsIn) => {
    const persistTo = join(directory.path, `state-${objectsIn}`)
    const people = await putPeople(persistTo, 12)
    const miniflare = both(persistTo, objectsIn)
    let turn = objectsIn === 'new' ? 0 : 1
    let id = ''
    try {
      const ask = (token: string, method: string, path: string, body?: object) =>
        request(miniflare, VERSIONS[turn++ % 2] ?? 'new', token, method, path, body)
      const owner = await ask('', 'POST', '/identity/sign-up', {
        email: 'owner@example.com',
        password: 'correct horse battery',
      })
      const token = owner.body.token ?? ''
      const created = await ask(token, 'POST', '/organizations', { name: 'Two' })
      expect(created.status).toBe(201)
      id = created.body.id ?? ''
      const path = `/organizations/${id}`
      const members = new Set<string>()
      const answers: number[] = []
      for (const [index, userId] of people.entries()) {
        const added = await ask(token, 'POST', `${path}/members`, { userId, role: 'member' })
        answers.push(added.status)
        if (added.status === 201) members.add(userId)
        if (index === 2) {
          const invited = await ask(token, 'POST', `${path}/invitations`, {
            email: 'guest@example.com',
            role: 'member',
          })
          expect(invited.status).toBe(201)
        }
        if (index % 4 !== 3) continue
        const [first = '', second = ''] = members
        const change = { role: 'admin' }
        expect((await ask(token, 'PATCH', `${path}/members/${second}`, change)).status).toBe(200)
        expect((await ask(token, 'DELETE', `${path}/members/${first}`)).status).toBe(204)
        members.delete(first)
      }
      // Six seats: the owner's, the invitation's, and four.
      expect(answers).toEqual([201, 201, 201, 201, 201, 409, 409, 409, 201, 409, 409, 409])
      for (const version of VERSIONS) {
        const seats = await ask(token, 'GET', `${path}/seats`)
        expect(seats.body, version).toMatchObject({ limit: 6, held: members.size + 1, reserved: 1 })
        const list = await ask(token, 'GET', `${path}/audit?limit=100&order=oldest`)
        const sequences = list.body.data?.map(({ sequence }) => sequence) ?? []
        expect(sequences.length).toBeGreaterThan(10)
        expect(sequences).toEqual(sequences.map((_, index) => index + 1))
      }
    } finally {
      await miniflare.dispose()
    }
    const circumstances = { quiet: true, usedWhenLowered: 0 }
    expect(await violationsOnDisk(persistTo, id, circumstances)).toEqual([])
  },
  PATIENCE_MS
)

test.each(VERSIONS)(
  'either version finishes the work of the other, and both at once exceed no limit, with the ledgers in the %s one',
  async (objectsIn) => {
    const persistTo = join(directory.path, `both-${objectsIn}`)
    const people = await putPeople(persistTo, 12)
    const miniflare = both(persistTo, objectsIn)
    const ask = (version: Version, ...asked: [string, string, string, object?]) =>
      request(miniflare, version, ...asked)
    const signUp = async (version: Version, name: string) => {
      const body = { email: `${name}@example.com`, password: 'correct horse battery' }
      return (await ask(version, '', 'POST', '/identity/sign-up', body)).body.token ?? ''
    }
    let id = ''
    try {
      const owner = await signUp('old', 'owner')
      const created = await ask('new', owner, 'POST', '/organizations', { name: 'Both' })
      id = created.body.id ?? ''
      const path = `/organizations/${id}`
      for (const version of VERSIONS) {
        const other = version === 'new' ? 'old' : 'new'
        const email = `guest-of-${version}@example.com`
        const inviting = { email, role: 'member' }
        const invited = await ask(version, owner, 'POST', `${path}/invitations`, inviting)
        expect(invited.status).toBe(201)
        const guest = await signUp(other, `guest-of-${version}`)
        const { token } = invited.body
        const accepted = await ask(other, guest, 'POST', '/invitations/accept', { token })
        expect(accepted.status, `sent by ${version}: ${accepted.text}`).toBe(200)
      }

      // Six seats, three of them free, and twelve requests at once.
      const raced = await Promise.all(
        people.map((userId, index) => {
          const body = { userId, role: 'member' }
          return ask(VERSIONS[index % 2] ?? 'new', owner, 'POST', `${path}/members`, body)
        })
      )
      const statuses = raced.map(({ status }) => status)
      expect(statuses.filter((status) => status === 201)).toHaveLength(3)
      expect(statuses.filter((status) => ![201, 409, 503].includes(status))).toEqual([])
      for (const version of VERSIONS) {
        const { body } = await ask(version, owner, 'GET', `${path}/seats`)
        expect(body, version).toMatchObject({ limit: 6, held: 6, reserved: 0 })
      }

      for (const version of VERSIONS) {
        const other = version === 'new' ? 'old' : 'new'
        const { openCheckpoint, verifyExport } = proofs.get(other)!
        // The log is sealed after the changes.
        const checkpoint = await waitFor('a checkpoint of every event', 60, async () => {
          const { body } = await ask(other, owner, 'GET', `${path}/audit/checkpoint`)
          if (body.unsealed !== 0 || !body.checkpoint) return undefined
          return (await openCheckpoint(body.checkpoint, [publicKey])) ?? undefined
        })
        const file = await ask(version, owner, 'GET', `${path}/audit/export`)
        const lines = file.text.split('\n').filter((line) => line !== '')
        const { finding, proven } = await verifyExport(lines, [checkpoint])
        expect(proven).toBeGreaterThan(5)
        expect({ finding, proven }, `made by ${version}`).toEqual({
          finding: null,
          proven: checkpoint.size,
        })
      }
    } finally {
      await miniflare.dispose()
    }
    const circumstances = { quiet: true, usedWhenLowered: 0 }
    expect(await violationsOnDisk(persistTo, id, circumstances)).toEqual([])
  },
  PATIENCE_MS
)
