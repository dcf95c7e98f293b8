/**
 * What a host loads: the bytes of the library in a bundle without the peers, and how much of the
 * library one operation reaches.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

const PEERS = ['drizzle-orm', 'drizzle-orm/*', 'hono', 'hono/*', 'valibot', 'cloudflare:*']

const ORGANIZATIONS = [
  'createOrganization',
  'getOrganization',
  'listOrganizations',
  'renameOrganization',
  'updateOrganization',
  'updateSlug',
  'softDeleteOrganization',
  'restoreOrganization',
]
const MEMBERS = [
  'addMember',
  'changeRole',
  'removeMember',
  'leaveOrganization',
  'suspendMember',
  'restoreMember',
  'transferOwnership',
  'listMembers',
]

interface Bundle {
  readonly what: string
  readonly code: string
  /** In bytes, when it was last measured. */
  readonly minified: number
  readonly zipped: number
}

const BUNDLES: readonly Bundle[] = [
  {
    what: 'createSeatgate alone',
    code: `export { createSeatgate } from './src/index.ts'`,
    // With the listener that forwards, until forwarding is a part that the host passes.
    minified: 59_969,
    zipped: 21_239,
  },
  {
    what: 'organizations, members and d1Seats',
    code: `export { createSeatgate, d1Seats, ${[...ORGANIZATIONS, ...MEMBERS].join(', ')} }
      from './src/index.ts'`,
    minified: 139_459,
    zipped: 45_827,
  },
  {
    what: 'createSeatgate, d1Seats and four groups of routes',
    code: `export { createSeatgate, d1Seats } from './src/index.ts'
      export { organizationRoutes, memberRoutes, seatRoutes, sessionRoutes } from './src/hono/index.ts'`,
    minified: 166_435,
    zipped: 54_318,
  },
  {
    what: 'everything but the Durable Object',
    code: `export * from './src/index.ts'
      export * from './src/hono/index.ts'
      export * from './src/worker/index.ts'`,
    minified: 335_520,
    zipped: 108_165,
  },
]

/** A budget is what there was and one percent more. */
const within = (bytes: number) => Math.floor(bytes * 1.01)

async function bundled(code: string) {
  const { outputFiles, metafile } = await build({
    stdin: { contents: code, resolveDir: root },
    absWorkingDir: root,
    bundle: true,
    minify: true,
    metafile: true,
    write: false,
    format: 'esm',
    target: 'es2023',
    external: PEERS,
    logLevel: 'silent',
  })
  const [output] = Object.values(metafile.outputs)
  return {
    text: outputFiles[0]?.contents ?? new Uint8Array(),
    inputs: Object.keys(metafile.inputs),
    kept: Object.entries(output?.inputs ?? {}).flatMap(([file, { bytesInOutput }]) =>
      bytesInOutput > 0 ? [file] : []
    ),
  }
}

describe('the size of a bundle', () => {
  test.each(BUNDLES)('$what stays within its budget', async ({ code, minified, zipped }) => {
    const { text } = await bundled(code)
    const size = { minified: text.length, zipped: gzipSync(text, { level: 9 }).length }
    expect(size.minified, JSON.stringify(size)).toBeLessThanOrEqual(within(minified))
    expect(size.zipped, JSON.stringify(size)).toBeLessThanOrEqual(within(zipped))
  })
})

describe('a Worker that does not use a part', () => {
  const USED = ['createSeatgate', 'd1Seats', ...ORGANIZATIONS, ...MEMBERS].join(', ')
  const WORKER = `export { sweepHandler, auditQueueHandler } from './src/worker/index.ts'`

  test.each([
    ['invitations', 'invitations'],
    ['joining', 'joinRules'],
  ])('has no code of %s in its bundle', async (name, part) => {
    const folder = `src/operations/${name}/`
    const without = await bundled(`${WORKER}\nexport { ${USED} } from './src/index.ts'`)
    const of = (files: readonly string[]) => files.filter((file) => file.startsWith(folder))
    expect(of(without.kept)).toEqual([])
    const withIt = await bundled(`${WORKER}\nexport { ${USED}, ${part} } from './src/index.ts'`)
    expect(of(withIt.kept).length).toBeGreaterThan(3)
  })
})

describe('what addMember reaches by imports of values', () => {
  const FILE = 'src/operations/memberships/add.ts'
  const MOST = { files: 101, lines: 8_600 }

  test('stays within its budget', async () => {
    // A bundler leaves imports of types out, and reads every file that is left.
    const { inputs } = await bundled(`export { addMember } from './${FILE}'`)
    const files = inputs.filter((input) => input.startsWith('src/'))
    const lines = files.reduce(
      (sum, file) => sum + readFileSync(`${root}${file}`, 'utf8').split('\n').length - 1,
      0
    )
    expect(files.length).toBeGreaterThan(10)
    expect(files.length, files.join('\n')).toBeLessThanOrEqual(MOST.files)
    expect(lines).toBeLessThanOrEqual(MOST.lines)
  })
})
