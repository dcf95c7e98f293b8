/**
 * The blocks of TypeScript on the pages compile against the package. What a block leaves out is of the
 * reader: a name that the package exports is imported, any other one has any value, `…` stands for the
 * options that every Seatgate needs, or for a value.
 */
import { globSync } from 'node:fs'
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { temporaryDirectory, type TemporaryDirectory } from '../end-to-end/temporary-directory.ts'
import { run } from './host.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const PAGES = globSync(['README.md', 'docs/*.md', 'docs/reference/*.md'], { cwd: root }).sort()

// Tables and tools of tests have the names that a host uses itself, such as `users`.
const NOT_IMPORTED = new Set(['./schema', './testing', './openapi.json', './package.json'])

const AMBIENT = `declare namespace Cloudflare {
  interface Env {
    readonly DB: D1Database
    readonly SEATS: DurableObjectNamespace<import('seatgate/durable-object').SeatLedger>
    // oxlint-disable-next-line typescript/no-explicit-any
    readonly [binding: string]: any
  }
}
declare const base: {
  readonly database: import('seatgate').SeatgateOptions['database']
  readonly seats: ReturnType<typeof import('seatgate').d1Seats>
  readonly sessions: 'none'
}
declare const value: () => any
// Not installed here.
declare module '@opentelemetry/api'
// The Worker of the reader, where a page does not show it.
declare module '*/worker' {
  export type App = import('seatgate/hono').SeatgateRouter
}
`

/** The Seatgate of the blocks that do not create one: it has every part. */
const WHOLE = `import {
  auditLog,
  createSeatgate,
  forwarding,
  invitations,
  joinRules,
  permissions,
  retention,
} from 'seatgate'
import { groups } from 'seatgate/groups'
import { impersonation } from 'seatgate/impersonation'
import { apiKeys } from 'seatgate/keys'
import { ownRoles } from 'seatgate/roles'
import { scim } from 'seatgate/scim'

export const seatgate = createSeatgate({
  ...base,
  invitations: invitations({ secret: value() }),
  joining: joinRules({ verifyDomain: () => true, links: {} }),
  scim: scim({ provision: async () => null }),
  keys: apiKeys(),
  groups: groups(),
  impersonation: impersonation(value()),
  roles: {
    permissions: permissions({ resources: { project: ['read', 'write', 'delete'] }, grants: {} }),
  },
  ownRoles: ownRoles(),
  audit: {
    log: auditLog({ key: value() }),
    forwarding: forwarding({ sinks: [] }),
    retention: retention([{ days: 365 }]),
  },
})
`

let directory: TemporaryDirectory

beforeAll(async () => {
  directory = await temporaryDirectory()
  await symlink(join(root, 'node_modules'), join(directory.path, 'node_modules'))
  await write('ambient.d.ts', AMBIENT)
  await write('whole.ts', WHOLE)
  const { exports } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Manifest
  const paths = Object.entries(exports).flatMap(([subpath, { types }]) =>
    types === undefined ? [] : [[subpath.replace('.', 'seatgate'), [join(root, types)]]]
  )
  paths.push(['whole', [join(directory.path, 'whole.ts')]])
  paths.push(['seatgate/openapi.json', [join(root, 'openapi.json')]])
  const compilerOptions = {
    target: 'ES2023',
    lib: ['ES2024'],
    module: 'ESNext',
    moduleResolution: 'bundler',
    strict: true,
    // What a block calls may have any type, and then so have the parameters of its callbacks.
    noImplicitAny: false,
    exactOptionalPropertyTypes: true,
    allowImportingTsExtensions: true,
    resolveJsonModule: true,
    skipLibCheck: true,
    noEmit: true,
    jsx: 'react-jsx',
    types: ['@cloudflare/workers-types', '@cloudflare/vitest-plugin/types', 'react'],
    paths: Object.fromEntries(paths),
  }
  await write('tsconfig.json', JSON.stringify({ compilerOptions }))
})

afterAll(() => directory.remove())

interface Manifest {
  readonly exports: Readonly<Record<string, { readonly types?: string }>>
}

interface Block {
  /** In the directory: of the name that the block says, or of its page and line. */
  readonly path: string
  readonly where: string
  readonly text: string
}

async function write(path: string, text: string) {
  const full = join(directory.path, path)
  await mkdir(dirname(full), { recursive: true })
  await writeFile(full, text)
}

/** What the reference declares; `npm run reference` takes it from the declarations. */
const SIGNATURE =
  /^(?:declare |abstract )?(?:(?:function|type|interface|class|enum) |const \w+[:\n])/

async function blocksOf(page: string): Promise<Block[]> {
  const text = await readFile(join(root, page), 'utf8')
  const folder = page.replace(/^docs\/|\.md$/g, '')
  const all = [...text.matchAll(/^```(tsx?)\n([^]*?)^```$/gm)]
  return all
    .filter(([, , code = '']) => !SIGNATURE.test(code))
    .map((match) => {
      const [, extension, code = ''] = match
      const line = text.slice(0, match.index).split('\n').length + 1
      const named = /^\/\/ ([\w/.-]+\.ts)\n/.exec(code)?.[1]
      return {
        path: `${folder}/${named ?? `line-${line}.${extension}`}`,
        where: `${page}:${line}`,
        text: whole(code),
      }
    })
}

/** A block without what it leaves to the reader; a member of an object in an object. */
function whole(code: string): string {
  const filled = code
    .replaceAll(/^(\s*)…,$/gm, '$1...base,')
    .replaceAll('{ …, ', '{ ...base, ')
    .replaceAll('…', 'value()')
  return /^(?:async )?\w+(?:: \{|\([\w, ]*\) \{$)/m.exec(filled)?.index === 0
    ? `void {\n${filled}}\n`
    : filled
}

interface Mistake {
  readonly path: string
  readonly code: string
  readonly says: string
}

async function mistakes(): Promise<Mistake[]> {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const args = [tsc, '-p', '.', '--pretty', 'false']
  const { stdout } = await run(process.execPath, args, directory.path, { mayFail: true })
  return [...stdout.matchAll(/^(?:([^\s(]+)\(\d+,\d+\): )?error (TS\d+): (.*)$/gm)].map(
    ([, path = '', code = '', says = '']) => ({ path, code, says })
  )
}

// A name that is not there, as a value, a shorthand or a type.
const MISSING = new Set(['TS2304', 'TS2552', 'TS18004', 'TS2503', 'TS2593'])

/** The line that a block lacks for a name. */
function declarationOf(name: string, exported: ReadonlyMap<string, string>): string {
  if (name === 'seatgate') return "import { seatgate } from 'whole'"
  const from = exported.get(name)
  return from === undefined
    ? `declare const ${name}: any; type ${name} = any`
    : `import { ${name} } from '${from}'`
}

/** Where each name of the package is imported from: first from the subpath that the page is about. */
async function exportedNames(page: string): Promise<Map<string, string>> {
  const { exports } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Manifest
  const names = new Map([['Hono', 'hono']])
  const [, topic = ''] = /^docs\/reference\/seatgate-([\w-]+)\.md/.exec(page) ?? []
  const own = `./${topic}`
  for (const subpath of [own, ...Object.keys(exports)]) {
    const types = exports[subpath]?.types
    if (types === undefined || (NOT_IMPORTED.has(subpath) && subpath !== own)) continue
    const source = await readFile(join(root, types), 'utf8')
    for (const [, list = ''] of source.matchAll(/^export (?:type )?\{([^}]*)\}/gm)) {
      for (const each of list.split(',')) {
        const name = each
          .trim()
          .replace(/^type /, '')
          .replace(/^.* as /, '')
        if (name !== '' && !names.has(name)) names.set(name, subpath.replace('.', 'seatgate'))
      }
    }
  }
  return names
}

// `return` where a block is the body of a function of the reader.
const ALLOWED = new Set(['TS1108'])

test('each block compiles', async () => {
  const blocks = (await Promise.all(PAGES.map(blocksOf))).flat()
  expect(blocks.length).toBeGreaterThan(70)
  for (const { path, text } of blocks) await write(path, `${text}\nexport {}\n`)

  const lacking = Map.groupBy(
    (await mistakes()).filter(({ code }) => MISSING.has(code)),
    ({ path }) => path
  )
  for (const { path, where, text } of blocks) {
    const exported = await exportedNames(where)
    const said = (lacking.get(path) ?? []).map(({ says }) => /'([^']+)'/.exec(says)?.[1] ?? '')
    const lines = [...new Set(said)].map((name) => declarationOf(name, exported))
    await write(path, `${text}\n${lines.join('\n')}\nexport {}\n`)
  }

  const left = (await mistakes()).filter(({ code }) => !ALLOWED.has(code))
  const whereIs = new Map(blocks.map(({ path, where }) => [path, where]))
  expect(
    left.map(({ path, code, says }) => `${whereIs.get(path) ?? path} ${code} ${says}`)
  ).toEqual([])
})
