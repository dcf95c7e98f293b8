/**
 * Exact counts: what each operation asks of the stores, by size of the organization.
 *
 * @module
 */
import type { Cost } from './cost.ts'
import { driverOf } from './drivers/all.ts'
import { must, type Driver, type Organization } from './drivers/driver.ts'
import type { CountedOperation } from './results.ts'
import { start, type Stage } from './stage.ts'
import { OPERATIONS, PRODUCTS, type Operation, type Product } from './subjects.ts'

/** The sizes of organizations, in members. */
const SIZES = [10, 1_000, 10_000] as const

/** How often each operation is measured, after one time that does not count: the median is kept. */
const TIMES = 3

/** What is counted: by default everything. */
export interface CountOptions {
  readonly sizes?: readonly number[]
  readonly products?: readonly Product[]
  readonly operations?: readonly Operation[]
}

/** Counts what each operation asks of the stores. `library` is the checkout of Seatgate that is measured. */
export async function countAll(
  library: string,
  { sizes = SIZES, products = PRODUCTS, operations = OPERATIONS }: CountOptions = {}
): Promise<CountedOperation[]> {
  const counted: CountedOperation[] = []
  for (const product of products) {
    const driver = driverOf(product, library)
    const stage = await start(product, { library, metered: true })
    try {
      await driver.prepare(stage)
      for (const members of sizes) {
        for (const [operation, cost] of await countOne(stage, driver, { members, operations })) {
          counted.push({ product, members, operation, ...cost })
        }
      }
    } finally {
      await stage.dispose()
    }
  }
  return counted
}

async function countOne(
  stage: Stage,
  driver: Driver,
  { members, operations }: { readonly members: number; readonly operations: readonly Operation[] }
): Promise<[Operation, Cost][]> {
  const costs: [Operation, Cost][] = []
  const roomy = await driver.organization(stage, { members })
  const full = await driver.organization(stage, { members, full: true })
  for (const operation of operations) {
    if (driver.acts[operation] === undefined) continue
    const at = operation === 'refused add at the limit' ? full : roomy
    const found: Cost[] = []
    await measure(stage, driver, operation, at)
    for (let time = 0; time < TIMES; time++) found.push(await measure(stage, driver, operation, at))
    costs.push([operation, medianOf(found)])
  }
  return costs
}

// The work after earlier requests, the outbox included, is done before anything is counted.
async function measure(
  stage: Stage,
  driver: Driver,
  operation: Operation,
  at: Organization
): Promise<Cost> {
  const act = await driver.acts[operation]!(stage, at)
  await begin(stage)
  await must(stage, act)
  const { status, body } = await stage.fetch('/bench/end')
  if (status !== 200) throw new Error(`${stage.app}: the meter failed: ${JSON.stringify(body)}`)
  return body as Cost
}

async function begin(stage: Stage): Promise<void> {
  const { status } = await stage.fetch('/bench/begin')
  if (status !== 200) throw new Error(`${stage.app}: work does not end.`)
}

/** The one whose rows are in the middle: ids are random, and a search may end at a neighbour's row. */
function medianOf(costs: readonly Cost[]): Cost {
  const rows = ({ answer, after }: Cost) =>
    answer.rowsRead + answer.objectRowsRead + after.rowsRead + after.objectRowsRead
  return costs.toSorted((a, b) => rows(a) - rows(b))[Math.floor(costs.length / 2)]!
}
