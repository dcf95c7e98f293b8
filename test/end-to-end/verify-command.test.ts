import { execFile } from 'node:child_process'
import { cp, mkdir, readFile, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { base64 } from '../../src/proof/encoding.ts'
import { signCheckpoint } from '../../src/proof/verify-proof.ts'
import { eventLeaf, GrowingTree } from '../../src/proof/index.ts'
import { noteSigner } from '../../src/proof/note.ts'
import { shareOf } from '../kit/scale.ts'
import { FORGED, HONEST, type ExportCase } from '../unit/proof/export-cases.ts'
import manifest from '../../package.json' with { type: 'json' }
import { temporaryDirectory, type TemporaryDirectory } from './temporary-directory.ts'

const command = fileURLToPath(new URL('../../bin/seatgate.js', import.meta.url))
const EVENTS = 50

/** `npx seatgate …` with the package as it is: built, or from its sources. */
const seatgate = (...args: string[]) => runNode(command, ...args)

async function runNode(...args: string[]) {
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args)
    return { code: 0, stdout, stderr }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
    return { code, stdout, stderr }
  }
}

let directory: TemporaryDirectory
let publicKey = ''
let privateKey = ''
const path = (name: string) => join(directory.path, name)
const verify = (file = 'export.ndjson', key = publicKey, checkpoint = 'checkpoint') =>
  seatgate('verify', path(file), '--key', key, '--checkpoint', path(checkpoint))

beforeAll(async () => {
  directory = await temporaryDirectory()
  const made = await seatgate('keygen', 'audit.example.com')
  privateKey = /PRIVATE\S+/.exec(made.stdout)![0]
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
  it('reports that the export verifies [AUD-54]', async () => {
    expect(await verify()).toEqual({
      code: 0,
      stdout: 'OK: 50 events of acme, 50 of them proven.\n',
      stderr: '',
    })
  })

  it('reads a checkpoint as the route answers it', async () => {
    expect(await verify('export.ndjson', publicKey, 'answer.json')).toMatchObject({ code: 0 })
  })

  it('names the line that differs from the sealed one [AUD-54]', async () => {
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

  it('reports the first event of a trail that retention has shortened [AUD-63]', async () => {
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

const MOST = 40

/** The command in this process, of a file and signed checkpoints. */
async function verifyCase({ bytes, checkpoints }: ExportCase) {
  const chunks: Uint8Array[] = []
  for (const chunk of bytes()) if (chunks.push(chunk) === MOST && chunk.length > 1) break
  await writeFile(path('case.ndjson'), Buffer.concat(chunks))
  const signer = await noteSigner(privateKey)
  const files = await Promise.all(
    checkpoints.map(async (checkpoint, index) => {
      const file = path(`case.${index}`)
      const origin = checkpoint.origin.replace('audit.example/', 'audit.example.com/')
      await writeFile(file, await signCheckpoint(signer, { ...checkpoint, origin }))
      return file
    })
  )
  let told = ''
  const hear = (text: string | Uint8Array) => ((told += String(text)), true)
  const spies = [process.stdout, process.stderr].map((stream) =>
    vi.spyOn(stream, 'write').mockImplementation(hear)
  )
  const { run } = (await import('../../bin/commands/verify.js' as string)) as {
    run(operands: string[], values: object): Promise<number>
  }
  const values = { key: [publicKey], checkpoint: files }
  const code = await run([path('case.ndjson')], values).finally(() => {
    for (const spy of spies) spy.mockRestore()
  })
  return { code, told }
}

describe('npx seatgate verify, of the table of exports', () => {
  it.each(shareOf(HONEST, 8))('reports OK: $name [A4 A5 A6]', async (each) => {
    expect(await verifyCase(each)).toEqual({
      code: 0,
      told: expect.stringMatching(/^OK: \d+ events/),
    })
  })

  // Without a checkpoint the command is called wrongly, which is tested below.
  it.each(
    shareOf(
      FORGED.filter(({ checkpoints }) => checkpoints.length > 0),
      16
    )
  )('reports FAILED ($kind): $name [A4 A6]', async (each) => {
    const { code, told } = await verifyCase(each)
    expect(code).toBe(1)
    expect(told).toMatch(
      new RegExp(`^FAILED \\(${each.kind}\\): line \\d+, sequence \\d+, .+\\.\n$`)
    )
    if (each.line !== undefined) expect(told).toContain(`: line ${each.line},`)
  })

  it('names checkpoints that are older than the first event, which prove no event [A4]', async () => {
    const each = HONEST.find(({ name }) => name.endsWith('an older checkpoint as well'))!
    expect((await verifyCase(each)).told).toContain('not checked: 1 checkpoint(s) older')
  })
})

describe('npx seatgate verify, of files that are no exports [A6]', () => {
  const checkpoint = (name: string) => verify('export.ndjson', publicKey, name)
  const refusal = (...parts: string[]) => ({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(new RegExp(`^seatgate: .*${parts.join('.*')}.*\n$`)),
  })

  it('refuses a line of 600 MB by its number [A6]', async () => {
    await writeFile(path('large'), '')
    await truncate(path('large'), 600 * 1024 * 1024)
    const { code, stderr } = await verify('large')
    expect([code, stderr.slice(0, 34)]).toEqual([1, 'FAILED (unreadable): line 1, seque'])
  })

  it('names a directory, for the export and for the checkpoint [A6]', async () => {
    await mkdir(path('folder'))
    expect(await verify('folder')).toEqual(refusal('folder', 'EISDIR'))
    expect(await checkpoint('folder')).toEqual(refusal('folder', 'EISDIR'))
    expect(await checkpoint('nowhere')).toEqual(refusal('nowhere', 'ENOENT'))
  })

  it.each([
    ['a number for a note', '{"checkpoint":5}'],
    ['no log yet', '{"checkpoint":null}'],
    ['broken JSON', '{"checkpoint'],
    ['nothing', ''],
    ['some text', 'hello'],
    ['bytes that are no text', Uint8Array.of(0xff, 0xfe, 0x00, 0xd8)],
    ['much too much', 'a'.repeat(2 * 1024 * 1024)],
  ])('names a checkpoint file with %s [A6]', async (_what, content) => {
    await writeFile(path('odd'), content)
    expect(await checkpoint('odd')).toEqual(refusal('odd', 'checkpoint'))
  })

  it('opens a checkpoint with any line endings [A6]', async () => {
    const note = await readFile(path('checkpoint'), 'utf8')
    for (const kept of [
      note.trimEnd(),
      `${note}\n`,
      note.replaceAll('\n', '\r\n'),
      `\ufeff${note}`,
    ]) {
      await writeFile(path('kept'), kept)
      expect(await checkpoint('kept')).toMatchObject({ code: 0 })
    }
  })
})

describe('npx seatgate [C13]', () => {
  it.each([
    [['--help'], ['seatgate verify', 'seatgate keygen', 'Exit codes']],
    [['-h'], ['seatgate verify', 'seatgate keygen']],
    [['help'], ['seatgate verify', 'seatgate keygen']],
    [['help', 'keygen'], ['seatgate keygen']],
    [
      ['verify', '--help'],
      ['seatgate verify EXPORT.ndjson', 'Exit codes'],
    ],
    [['verify', 'x', '-h'], ['seatgate verify EXPORT.ndjson']],
    [['keygen', '--help'], ['seatgate keygen NAME']],
    [['--version'], [manifest.version]],
  ])('prints help for %j and exits with 0 [C13]', async (args, parts) => {
    const { code, stdout, stderr } = await seatgate(...args)
    expect([code, stderr]).toEqual([0, ''])
    for (const part of parts) expect(stdout).toContain(part)
  })

  it.each([
    [[], 'No command is given.'],
    [['other', 'x'], 'Unknown command "other".'],
    [['--odd'], 'Unknown option "--odd".'],
    [['constructor'], 'Unknown command "constructor".'],
    [['verify'], 'EXPORT.ndjson is missing.'],
    [['verify', 'x', '--odd'], "Unknown option '--odd'"],
    [['verify', 'x', '--key'], "'--key <value>' argument missing"],
    [['verify', 'x', 'y'], 'Unexpected operand "y".'],
    [['verify', 'nofile'], '--checkpoint is missing.\nseatgate: nofile: ENOENT'],
    [['verify', 'nofile', '--key', 'k'], '--checkpoint is missing.'],
    [['keygen'], 'NAME is missing.'],
    [['keygen', 'a', 'b'], 'Unexpected operand "b".'],
  ])('gives the reason for %j and exits with 1 [C13]', async (args, reason) => {
    const { code, stdout, stderr } = await seatgate(...args)
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toContain(reason)
    expect(stderr).toMatch(/^seatgate: .+\n(seatgate: .+\n)*\nseatgate (verify|keygen) /)
  })

  it('gives the reason for a name that no key can have [C13]', async () => {
    const { code, stderr } = await seatgate('keygen', 'a b')
    expect([code, stderr]).toEqual([
      1,
      'seatgate: The name of a key must not contain white space or a plus.\n',
    ])
  })

  it('runs from the sources before a build, and names the remedy if Node cannot run them [C13]', async () => {
    const root = fileURLToPath(new URL('../..', import.meta.url))
    for (const name of ['bin', 'src', 'package.json']) {
      await cp(join(root, name), path(join('clone', name)), { recursive: true })
    }
    const clone = path(join('clone', 'bin', 'seatgate.js'))
    const notInstalled = await runNode(clone, 'keygen', 'a.example')
    expect(notInstalled).toMatchObject({ code: 1, stderr: expect.stringContaining('npm ci') })
    await symlink(join(root, 'node_modules'), path(join('clone', 'node_modules')))
    expect(await runNode(clone, 'keygen', 'a.example')).toMatchObject({ code: 0 })
    const plain = await runNode('--no-experimental-strip-types', clone, 'keygen', 'a.example')
    expect(plain).toMatchObject({ code: 1, stderr: expect.stringContaining('npm run build') })
  })
})
