/**
 * Starts measured Workers: bundled by esbuild, run by Miniflare with D1, one Durable Object class and a
 * queue, all in memory and on this machine alone.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build, type Plugin } from 'esbuild'
import { convertV4MiniflareOptions, Miniflare } from 'miniflare'
import type { Sizes } from './results.ts'
import type { Product } from './subjects.ts'

export const root = resolve(import.meta.dirname, '..')

/** A product, or bare calls. */
export type AppName = Product | 'bare'

const HAS_OBJECT: readonly AppName[] = ['ledger', 'bare']

/** The Worker of an app; `metered` counts what it asks of the stores. */
function entryOf(app: AppName, metered: boolean): string {
  const object = HAS_OBJECT.includes(app)
  return metered
    ? `import { env } from 'cloudflare:workers'
       import app, * as rest from './bench/apps/${app}.ts'
       import { meteredObject, meteredWorker } from './bench/metered.ts'
       ${object ? 'export class Counter extends meteredObject(rest.Counter) {}' : ''}
       export default meteredWorker(app, env)`
    : `import { env } from 'cloudflare:workers'
       import app from './bench/apps/${app}.ts'
       ${object ? `export { Counter } from './bench/apps/${app}.ts'` : ''}
       const { fetch, queue } = app(env)
       export default { fetch: (request) => fetch(request), queue }`
}

const PLACES: Readonly<Record<string, string>> = {
  seatgate: 'index.ts',
  'seatgate/hono': 'hono/index.ts',
  'seatgate/worker': 'worker/index.ts',
  'seatgate/durable-object': 'worker/seat-ledger.ts',
}

// The library's source and the reference host's, here or in another checkout.
function sourceOf(library: string): Plugin {
  return {
    name: 'seatgate',
    setup(setup) {
      setup.onResolve({ filter: /^seatgate(\/|$)/ }, ({ path }) => ({
        path: join(library, 'src', PLACES[path] ?? path),
      }))
      setup.onResolve({ filter: /\/host\/identity\// }, ({ path }) => ({
        path: join(library, path.slice(path.indexOf('host/'))),
      }))
    },
  }
}

/** Bundles a Worker as it is deployed, minified or not. */
export async function bundle(
  app: AppName,
  { library = root, metered = false, minify = false } = {}
): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: entryOf(app, metered), resolveDir: root, loader: 'ts' },
    absWorkingDir: root,
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2023',
    conditions: ['workerd', 'worker', 'browser'],
    mainFields: ['module', 'main'],
    external: ['cloudflare:*', 'node:*'],
    nodePaths: [join(root, 'node_modules')],
    keepNames: true,
    // Not that of a folder above the packages.
    tsconfigRaw: {},
    minify,
    logLevel: 'error',
    plugins: [sourceOf(library)],
  })
  return outputFiles[0]!.text
}

export async function sizesOf(app: AppName, library = root): Promise<Sizes> {
  const zip = (text: string) => gzipSync(text, { level: 9 }).length
  const minified = await bundle(app, { library, minify: true })
  return {
    minified: Buffer.byteLength(minified),
    minifiedAndZipped: zip(minified),
    zipped: zip(await bundle(app, { library })),
  }
}

/** A running Worker. */
export interface Stage {
  readonly app: AppName
  readonly database: D1Database
  fetch(path: string, options?: StageRequest): Promise<{ status: number; body: unknown }>
  dispose(): Promise<void>
}

export interface StageRequest {
  readonly method?: string
  readonly token?: string
  readonly body?: unknown
}

export async function start(
  app: AppName,
  { library = root, metered = false } = {}
): Promise<Stage> {
  const script = await bundle(app, { library, metered })
  const compatibility = readFileSync(join(root, 'wrangler.toml'), 'utf8')
  const [, compatibilityDate = ''] = /compatibility_date = "([\d-]+)"/.exec(compatibility) ?? []
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      name: 'bench',
      modules: true,
      script,
      compatibilityDate,
      compatibilityFlags: ['nodejs_compat'],
      cf: false,
      d1Databases: { DB: 'bench' },
      ...(HAS_OBJECT.includes(app) && {
        durableObjects: { OBJECTS: { className: 'Counter', useSQLite: true } },
      }),
      queueProducers: { QUEUE: 'bench' },
      queueConsumers: { bench: { maxBatchSize: 1, maxBatchTimeout: 0 } },
    } as never)
  )
  await miniflare.ready
  return {
    app,
    database: (await miniflare.getD1Database('DB')) as unknown as D1Database,
    async fetch(path, { method = 'GET', token, body } = {}) {
      const answer = await miniflare.dispatchFetch(`http://bench.test${path}`, {
        method,
        redirect: 'manual',
        headers: {
          'cf-connecting-ip': '192.0.2.1',
          'user-agent': 'Mozilla/5.0 (bench)',
          'cf-ray': '8a1b2c3d4e5f6a7b',
          origin: 'http://bench.test',
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
      const text = await answer.text()
      return { status: answer.status, body: readJson(text) }
    },
    dispose: () => miniflare.dispose(),
  }
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
