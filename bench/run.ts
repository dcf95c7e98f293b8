/**
 * `npm run bench`: measures everything, keeps the numbers in `bench/results/latest.json` and writes
 * `docs/performance.md` and its plots from them. `--library DIR` measures another checkout of Seatgate,
 * `--out FILE` keeps its numbers elsewhere and writes no page. `--exact` leaves throughput and starts as
 * they were; `--page` measures nothing and writes the page again; `--console` measures the console alone, which is
 * printed and not kept.
 *
 * @module
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { readArguments } from '../scripts/arguments.ts'
import { measureConsole } from './console.ts'
import { countAll } from './counts.ts'
import { compareBareCalls, compareProducts } from './ratios.ts'
import { LATEST, readResults, type Results, type Sizes, type Timed } from './results.ts'
import { root, sizesOf } from './stage.ts'
import { storageOf } from './storage.ts'
import { startsOf } from './starts.ts'
import { PRODUCTS, type Product } from './subjects.ts'
import { writePage } from './write-page.ts'

const { values } = readArguments(
  'npm run bench -- [--page] [--console] [--exact] [--library DIR --out FILE]',
  () =>
    parseArgs({
      options: {
        exact: { type: 'boolean', default: false },
        page: { type: 'boolean', default: false },
        console: { type: 'boolean', default: false },
        library: { type: 'string', default: root },
        out: { type: 'string', default: LATEST },
      },
    })
)
const library = resolve(values.library)
const out = resolve(values.out)
const say = (text: string) =>
  console.error(`${performance.now().toFixed(0).padStart(7)} ms  ${text}`)

if (values.page) writePage()
else if (values.console) measureConsole()
else await measure()

async function measure(): Promise<void> {
  say('Counts …')
  const counts = await countAll(library)
  say('Sizes …')
  const sizes: Partial<Record<Product, Sizes>> = {}
  for (const product of PRODUCTS) sizes[product] = await sizesOf(product, library)

  say('Storage …')
  const storage = await storageOf(library)

  const timed = values.exact ? lastTimes() : await timeAll()
  const results: Results = {
    measuredOn: new Date().toISOString().slice(0, 10),
    versions: versions(),
    counts,
    sizes: sizes as Results['sizes'],
    storage,
    timed,
  }
  mkdirSync(dirname(out), { recursive: true })
  writeFileSync(out, `${JSON.stringify(results, null, 2)}\n`)
  say(`Written: ${out}`)
  if (out === LATEST) writePage()
  if (values.exact || library !== root) return
  say('Console …')
  measureConsole()
}

function lastTimes(): Timed | null {
  return existsSync(out) ? readResults(out).timed : null
}

async function timeAll(): Promise<Timed> {
  say('Throughput …')
  const products = await compareProducts(library, { rounds: 5, requests: 150 })
  const bare = await compareBareCalls({ rounds: 5, requests: 300 })
  say('Starts …')
  const starts = await startsOf(library, 9)
  const machine = `${cpus().length} cores, load ${loadavg()[0]!.toFixed(1)} at the end`
  return { machine, rates: [...products, ...bare], starts }
}

function versions(): Readonly<Record<string, string>> {
  const of = (name: string) =>
    (
      JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')) as {
        version: string
      }
    ).version
  const names = ['better-auth', 'miniflare', 'workerd', 'drizzle-orm', 'hono']
  return Object.fromEntries([...names.map((name) => [name, of(name)]), ['node', process.version]])
}
