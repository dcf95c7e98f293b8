import { execFile } from 'node:child_process'
import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { convertV4MiniflareOptions, Miniflare } from 'miniflare'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { root } from '../../scripts/run-wrangler.ts'
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
}

const run = promisify(execFile)
let directory: TemporaryDirectory
const scripts: Record<Version, string> = { new: '', old: '' }

beforeAll(async () => {
  directory = await temporaryDirectory()
  scripts.new = await bundled(root)
  scripts.old = await bundled(await previous(directory.path))
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
  const { outputFiles } = await build({
    entryPoints: [join(folder, 'host/worker.ts')],
    absWorkingDir: folder,
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2023',
    conditions: ['workerd', 'worker', 'browser'],
    mainFields: ['module', 'main'],
    external: ['cloudflare:*', 'node:*'],
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

test.each(VERSIONS)(
  'two versions of the Worker serve one database in turn, with the ledgers in the %s one',
  async (objectsIn) => {
    const persistTo = join(directory.path, `state-${objectsIn}`)
    const people = await putPeople(persistTo, 12)
    const miniflare = both(persistTo, objectsIn)
    let turn = objectsIn === 'new' ? 0 : 1
    let id = ''
    try {
      const ask = async (token: string, method: string, path: string, body?: object) => {
        const worker = await miniflare.getWorker(VERSIONS[turn++ % 2] ?? 'new')
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
        return { status: answer.status, body: (text ? JSON.parse(text) : {}) as Body }
      }
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
