/**
 * What a host loads: which parts are in a bundle, and how much of the library one operation reaches.
 * The bytes are in `.size-limit.js`.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { describe, expect, test } from 'vitest'
import { ORGANIZATIONS_AND_MEMBERS, PEERS } from './bundles.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

const bundles = new Map<string, ReturnType<typeof bundle>>()

function bundled(code: string) {
  const made = bundles.get(code) ?? bundle(code)
  bundles.set(code, made)
  return made
}

async function bundle(code: string) {
  const { metafile, outputFiles } = await build({
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
    text: outputFiles[0]?.text ?? '',
    inputs: Object.keys(metafile.inputs),
    kept: Object.entries(output?.inputs ?? {}).flatMap(([file, { bytesInOutput }]) =>
      bytesInOutput > 0 ? [file] : []
    ),
  }
}

describe('a Worker that does not use a part', () => {
  const WORKER = `export { sweepHandler, auditQueueHandler } from './src/worker/index.ts'`

  test.each([
    ['invitations', 'invitations', ['src/operations/invitations/']],
    ['joining', 'joinRules', ['src/operations/joining/']],
    ['forwarding', 'forwarding', ['src/parts/forwarding/', 'src/engine/delivery/deliver']],
    ['the log', 'auditLog', ['src/parts/log/', 'src/proof/merkle.ts', 'src/proof/note.ts']],
    ['retention', 'retention', ['src/parts/retention/']],
    ['permissions', 'permissions', ['src/options/permission-options']],
    ['types of seats', 'seatTypes', ['src/options/seat-type-options']],
    ['the ledger', 'ledgerSeats', ['src/parts/ledger/', 'src/engine/delivery/deliver']],
  ])('has no code of %s in its bundle', async (_name, part, places) => {
    const without = await bundled(
      `${WORKER}\nexport { ${ORGANIZATIONS_AND_MEMBERS} } from './src/index.ts'`
    )
    const of = (files: readonly string[]) =>
      files.filter((file) => places.some((place) => file.startsWith(place)))
    expect(of(without.kept)).toEqual([])
    const withIt = await bundled(
      `${WORKER}\nexport { ${ORGANIZATIONS_AND_MEMBERS}, ${part} } from './src/index.ts'`
    )
    const found = of(withIt.kept)
    expect(places.filter((place) => !found.some((file) => file.startsWith(place)))).toEqual([])
  })

  test.each([
    ['billing providers', 'src/parts/billing/', './src/parts/billing/stripe/index.ts'],
    ['SCIM', 'src/parts/scim/', './src/hono/scim/index.ts'],
    ['API keys', 'src/parts/keys/', './src/hono/keys/index.ts'],
    ['impersonations', 'src/parts/impersonation/', './src/hono/impersonation/index.ts'],
    ['groups', 'src/parts/groups/', './src/hono/groups/index.ts'],
    ['own roles', 'src/parts/roles/', './src/hono/roles/index.ts'],
  ])('has no code of %s, which has an entry point of its own', async (_name, place, entry) => {
    const all = await bundled(
      `${WORKER}\nexport * from './src/index.ts'\nexport { seatgateRouter } from './src/hono/index.ts'`
    )
    expect(all.kept.filter((file) => file.startsWith(place))).toEqual([])
    const withIt = await bundled(`export * from '${entry}'`)
    expect(withIt.kept.some((file) => file.startsWith(place))).toBe(true)
  })
})

describe('a Worker with organizations and members alone', () => {
  test('names no table that only a part writes', async () => {
    const { text } = await bundled(`export { ${ORGANIZATIONS_AND_MEMBERS} } from './src/index.ts'`)
    const named = new Set(text.match(/\bseatgate_[a-z_]+/g))
    const ofParts = [
      ...'api_keys billing_customers billing_inbox group_members groups impersonations'.split(' '),
      ...'organization_domains scim_tokens scim_users sink_cursors subscriptions'.split(' '),
    ].map((name) => `seatgate_${name}`)
    expect(named).toContain('seatgate_memberships')
    expect(ofParts.filter((name) => named.has(name))).toEqual([])
    expect(text).not.toContain('token_hash')
  })
})

describe('a Worker that does not mount the console', () => {
  test('has no code of it in its bundle, nor its scripts, styles and texts', async () => {
    const host = `export * from './src/index.ts'
      export * from './src/hono/index.ts'
      export * from './src/worker/index.ts'`
    const of = (files: readonly string[]) =>
      files.filter((file) => /^(?:src|dist)\/console\//.test(file))
    const without = await bundled(host)
    expect(of(without.inputs)).toEqual([])
    const mounted = await bundled(
      `${host}\nexport { seatgateConsole } from './src/console/index.ts'`
    )
    expect(of(mounted.kept)).toContain('dist/console/assets.js')
    expect(mounted.kept).not.toContain('src/console/texts/de.ts')
  })

  test('has no files in it if it reads them from assets, and is at most 20 KB larger', async () => {
    const host = `export * from './src/index.ts'
      export * from './src/hono/index.ts'
      export * from './src/worker/index.ts'`
    const without = await bundled(host)
    const lean = await bundled(
      `${host}\nexport { consoleWithAssets } from './src/console/index.ts'`
    )
    expect(lean.kept).not.toContain('src/console/texts/en.ts')
    const zipped = (text: string) => gzipSync(text, { level: 9 }).length
    expect(zipped(lean.text) - zipped(without.text)).toBeLessThanOrEqual(20_480)
  })
})

test('a Worker with the console is bundled without a warning', async () => {
  const { warnings } = await build({
    stdin: { contents: `export * from './dist/console/index.js'`, resolveDir: root },
    bundle: true,
    write: false,
    format: 'esm',
    external: PEERS,
    logLevel: 'silent',
    // As wrangler bundles what is in `node_modules`, where no tsconfig.json holds.
    loader: { '.js': 'jsx' },
    tsconfigRaw: '{}',
  })
  expect(warnings.map(({ text }) => text)).toEqual([])
})

describe('the scripts and styles of the console', () => {
  test('stay within 30 KB for all islands and 25 KB for a first page, zipped', async () => {
    const { files, names } = (await import(`${root}dist/console/assets.js`)) as {
      files: Record<string, string>
      names: Record<string, string>
    }
    const zipped = (...all: string[]) =>
      all.reduce((sum, name) => sum + gzipSync(files[names[name] ?? ''] ?? '').length, 0)
    expect(zipped('console.css')).toBeGreaterThan(500)
    expect(zipped('islands.js', 'verify-worker.js', 'invitation-link.js')).toBeLessThan(30_000)
    // The rest is for the page itself.
    expect(zipped('console.css', 'islands.js', 'icon.svg')).toBeLessThan(15_000)
  })
})

describe('the value imports of addMember', () => {
  const FILE = 'src/operations/memberships/add.ts'
  const MOST = { files: 46, lines: 6_630 }

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
