import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { base64 } from '../../src/proof/base64.ts'
import { signCheckpoint } from '../../src/proof/checkpoint.ts'
import { eventLeaf } from '../../src/proof/leaf.ts'
import { GrowingTree } from '../../src/proof/merkle.ts'
import { noteSigner } from '../../src/proof/note.ts'
import { temporaryDirectory, type TemporaryDirectory } from './temporary-directory.ts'

const command = fileURLToPath(new URL('../../bin/seatgate.js', import.meta.url))
const EVENTS = 50

/** `npx seatgate …` with the package as it was built. */
async function seatgate(...args: string[]) {
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [command, ...args])
    return { code: 0, stdout, stderr }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
    return { code, stdout, stderr }
  }
}

let directory: TemporaryDirectory
let publicKey = ''
const path = (name: string) => join(directory.path, name)
const verify = (file = 'export.ndjson', key = publicKey, checkpoint = 'checkpoint') =>
  seatgate('verify', path(file), '--key', key, '--checkpoint', path(checkpoint))

beforeAll(async () => {
  directory = await temporaryDirectory()
  const made = await seatgate('keygen', 'audit.example.com')
  const privateKey = /PRIVATE\S+/.exec(made.stdout)![0]
  publicKey = /public key: +(\S+)/.exec(made.stdout)![1]!
  const tree = new GrowingTree()
  const lines = Array.from({ length: EVENTS }, (_, index) => {
    const sequence = index + 1
    const purge = { action: 'audit.purge_run', metadata: { last_sequence: 32 } }
    const told = sequence === 40 ? purge : { action: 'a.b' }
    const event = { sequence, organizationId: 'acme', ...told, personal: null }
    const leaf = eventLeaf(event)
    tree.append(leaf)
    return JSON.stringify({ ...event, leafHash: base64(leaf) })
  })
  const end = { events: EVENTS, truncated: false, throughSequence: EVENTS }
  const last = JSON.stringify({ type: 'seatgate.audit.export', version: 1, ...end })
  await writeFile(path('export.ndjson'), `${[...lines, last].join('\n')}\n`)
  const { root, size } = tree
  const origin = 'audit.example.com/acme'
  const note = await signCheckpoint(await noteSigner(privateKey), { origin, size, root })
  await writeFile(path('checkpoint'), note)
  await writeFile(path('answer.json'), JSON.stringify({ checkpoint: note, size }))
})

afterAll(() => directory.remove())

describe('npx seatgate verify', () => {
  it('AUD-54: says that all is well', async () => {
    expect(await verify()).toEqual({
      code: 0,
      stdout: 'OK: 50 events of acme, 50 of them proven.\n',
      stderr: '',
    })
  })

  it('reads a checkpoint as the route answers it', async () => {
    expect(await verify('export.ndjson', publicKey, 'answer.json')).toMatchObject({ code: 0 })
  })

  it('AUD-54: says which line is not what was sealed', async () => {
    const text = await readFile(path('export.ndjson'), 'utf8')
    const lines = text.split('\n')
    await writeFile(path('altered'), lines.with(16, lines[16]!.replace('a.b', 'a.c')).join('\n'))
    await writeFile(path('missing'), lines.toSpliced(16, 1).join('\n'))
    await writeFile(path('short'), lines.slice(0, 20).join('\n'))
    for (const [file, told] of [
      ['altered', 'FAILED (altered): line 17, sequence 17,'],
      ['missing', 'FAILED (sequence): line 17, sequence 17,'],
      ['short', 'FAILED (truncated): line 21, sequence 21,'],
    ] as const) {
      const { code, stderr } = await verify(file)
      expect([code, stderr.slice(0, told.length)]).toEqual([1, told])
    }
  })

  it('AUD-63: says where a trail begins whose beginning retention has taken', async () => {
    const text = await readFile(path('export.ndjson'), 'utf8')
    const lines = text.trimEnd().split('\n')
    const begun = new GrowingTree()
    const hashes = lines
      .slice(0, 32)
      .map((line) => eventLeaf(JSON.parse(line)))
      .flatMap((leaf) => begun.append(leaf))
      .filter(({ level }) => level === 5)
      .map(({ hash }) => base64(hash))
    const horizon = { type: 'seatgate.audit.horizon', version: 1, sequence: 32, hashes }
    const end = JSON.stringify({ ...JSON.parse(lines.at(-1)!), events: EVENTS - 32 })
    const left = [JSON.stringify(horizon), ...lines.slice(32, -1), end]
    await writeFile(path('left.ndjson'), `${left.join('\n')}\n`)
    expect(await verify('left.ndjson')).toEqual({
      code: 0,
      stdout: 'OK: 18 events of acme, from 33 on, 18 of them proven.\n',
      stderr: '',
    })
  })

  it('takes no checkpoint that another key has signed', async () => {
    const made = await seatgate('keygen', 'audit.example.com')
    const other = /public key: +(\S+)/.exec(made.stdout)![1]!
    expect(await verify('export.ndjson', other)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('not a checkpoint that this key has signed'),
    })
  })

  it('fails for a file that is not there, and says how it is used', async () => {
    expect(await verify('nowhere')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('ENOENT'),
    })
    for (const args of [[], ['verify'], ['verify', 'x'], ['other', 'x'], ['verify', '--odd']]) {
      expect(await seatgate(...args)).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('seatgate verify EXPORT.ndjson'),
      })
    }
  })
})
