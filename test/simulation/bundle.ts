/**
 * Loads the library's own sources as they are, in plain Node, as one file: module by module it takes
 * fifteen times as long, which is as much as ten histories. The runtime's module has a stand-in, and a
 * mutation changes a source on its way in.
 *
 * @module
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, type OutputFile, type Plugin } from 'esbuild'
import type { DrizzleWay } from './drizzle.ts'
import { mutations } from './mutations.ts'

type Program = typeof import('./program.ts')

export interface BundleOptions {
  readonly mutation?: string | null
  /** Default quick. */
  readonly drizzle?: DrizzleWay
}

/** A bundle in a directory of its own. */
export interface Bundle {
  readonly url: string
  remove(): void
}

/** Bundles the program, with the source maps that a readable stack needs. */
export async function bundle({
  mutation = null,
  drizzle = 'quick',
}: BundleOptions = {}): Promise<Bundle> {
  const files = await built(mutation, drizzle)
  const directory = mkdtempSync(join(tmpdir(), 'seatgate-simulation-'))
  const remove = () => rmSync(directory, { recursive: true, force: true })
  try {
    for (const { path, contents } of files) writeFileSync(join(directory, basename(path)), contents)
  } catch (error) {
    remove()
    throw error
  }
  return { url: pathToFileURL(join(directory, PROGRAM)).href, remove }
}

const PROGRAM = 'program.mjs'
const known = new Map<string, Promise<readonly OutputFile[]>>()

/** Builds each program once: a build takes as long as four histories. */
function built(mutation: string | null, drizzle: DrizzleWay): Promise<readonly OutputFile[]> {
  const name = JSON.stringify([mutation, drizzle])
  let files = known.get(name)
  if (files === undefined) known.set(name, (files = buildProgram(mutation, drizzle)))
  return files
}

async function buildProgram(
  mutation: string | null,
  drizzle: DrizzleWay
): Promise<readonly OutputFile[]> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'program.ts')],
    outfile: PROGRAM,
    write: false,
    bundle: true,
    format: 'esm',
    platform: 'node',
    sourcemap: true,
    logLevel: 'silent',
    alias: { 'cloudflare:workers': join(import.meta.dirname, 'workers.ts') },
    define: { 'import.meta.dirname': JSON.stringify(import.meta.dirname) },
    plugins: [
      ...(drizzle === 'quick' ? QUICKENING : []),
      ...(mutation === null ? [] : [mutating(mutation)]),
    ],
  })
  return outputFiles
}

/** Loads the program into this thread. */
export async function load(options: BundleOptions = {}): Promise<Program> {
  process.setSourceMapsEnabled(true)
  const { url, remove } = await bundle(options)
  try {
    return (await import(url)) as Program
  } finally {
    remove()
  }
}

// Drizzle asks over and over what something is, which takes a fifth of a history's time. Objects of one
// prototype are always the same, so that the answer can be kept.
const quickEntities = changing(
  'drizzle-orm/entity.js',
  'function is(value, type) {',
  `
const kinds = new WeakMap()
function is(value, type) {
  if (!value || typeof value !== 'object') return false
  const prototype = Object.getPrototypeOf(value)
  if (prototype === null) return isOne(value, type)
  let known = kinds.get(prototype)
  if (known === undefined) kinds.set(prototype, (known = new Map()))
  let answer = known.get(type)
  if (answer === undefined) known.set(type, (answer = isOne(value, type)))
  return answer
}
function isOne(value, type) {`
)

// It looks through every piece of SQL for tables, to tell them to a cache that nobody has here.
const noTables = changing(
  'drizzle-orm/sql/sql.js',
  'for (const chunk of queryChunks) {\n      if (is(chunk, Table)) {',
  'for (const chunk of []) {\n      if (is(chunk, Table)) {'
)

// And asks of every field of every select whether its table was joined.
const noQuestions = changing(
  'drizzle-orm/sqlite-core/dialect.js',
  'for (const f of fieldsList) {\n      if (is(f.field, Column) &&',
  'for (const f of []) {\n      if (is(f.field, Column) &&'
)

const QUICKENING = [quickEntities, noTables, noQuestions]

function mutating(name: string): Plugin {
  const mutation = mutations[name]
  if (mutation === undefined) throw new Error(`There is no mutation "${name}".`)
  return changing(mutation.file, mutation.from, mutation.to)
}

/** Puts one text in place of another in one file, which has to be there. */
function changing(file: string, from: string, to: string): Plugin {
  return {
    name: `changing ${file}`,
    setup({ onLoad, onEnd }) {
      let isChanged = false
      onLoad({ filter: new RegExp(`/${file.replaceAll('.', '[.]')}$`) }, ({ path }) => {
        const text = readFileSync(path, 'utf8')
        const contents = text.replace(from, () => to)
        isChanged ||= contents !== text
        return { contents, loader: 'default' }
      })
      onEnd(() => {
        if (!isChanged) throw new Error(`There is no "${from}" in ${file}.`)
      })
    },
  }
}
