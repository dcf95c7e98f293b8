/**
 * The CPU time that a Worker takes to start: compiled and evaluated in a new Node, its app made.
 *
 * @module
 */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { bundle } from './stage.ts'
import { median } from './statistics.ts'
import { PRODUCTS, type Product } from './subjects.ts'

const STAND_IN = `
const call = () => { throw new Error('Nothing is called at start.') }
export const env = { DB: { prepare: call, batch: call, exec: call }, OBJECTS: { getByName: call }, QUEUE: { send: call, sendBatch: call } }
export const waitUntil = call
export class DurableObject {}
`
const MEASURE = `
const before = process.cpuUsage()
await import(process.argv[1])
const { user, system } = process.cpuUsage(before)
console.log((user + system) / 1000)
`

/** Milliseconds of CPU for each product: medians of runs that take turns. */
export async function startsOf(library: string, rounds: number): Promise<Record<Product, number>> {
  const directory = await mkdtemp(join(tmpdir(), 'seatgate-bench-'))
  try {
    await writeFile(join(directory, 'workers.mjs'), STAND_IN)
    for (const product of PRODUCTS) {
      const text = await bundle(product, { library, minify: true })
      const standing = text.replaceAll('"cloudflare:workers"', '"./workers.mjs"')
      await writeFile(join(directory, `${product}.mjs`), standing)
    }
    const runs = new Map<Product, number[]>(PRODUCTS.map((product) => [product, []]))
    for (let round = 0; round < rounds; round++) {
      for (const product of PRODUCTS) {
        const flags = ['--input-type=module', '--eval', MEASURE, join(directory, `${product}.mjs`)]
        const { stdout } = await promisify(execFile)(process.execPath, flags)
        runs.get(product)!.push(Number(stdout))
      }
    }
    const medians = PRODUCTS.map((product) => [product, median(runs.get(product)!)])
    return Object.fromEntries(medians) as Record<Product, number>
  } finally {
    await rm(directory, { recursive: true })
  }
}
