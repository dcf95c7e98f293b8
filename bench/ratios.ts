/**
 * Throughput and CPU: requests in slices, product after product, round after round, so that a load that
 * comes and goes meets them all. Only ratios within one run mean anything.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs'
import { driverOf } from './drivers/all.ts'
import { must, type Act, type Driver, type Organization } from './drivers/driver.ts'
import type { ComparedRate, Rate } from './results.ts'
import { start, type Stage } from './stage.ts'
import { median } from './statistics.ts'
import { PRODUCTS, type Operation, type Product } from './subjects.ts'

const COMPARED = [
  'read organization',
  'refused add at the limit',
  'add member',
] as const satisfies Operation[]
const MEMBERS = 100
const CONCURRENCY = 16

export interface RatioOptions {
  readonly rounds: number
  readonly requests: number
}

interface Contender {
  readonly product: Product
  readonly driver: Driver
  readonly stage: Stage
  readonly pid: number | null
  readonly roomy: Organization
  readonly full: Organization
}

/** The products against each other. */
export async function compareProducts(
  library: string,
  options: RatioOptions
): Promise<ComparedRate[]> {
  const contenders: Contender[] = []
  try {
    for (const product of PRODUCTS) contenders.push(await contenderOf(product, library))
    const rates: ComparedRate[] = []
    for (const operation of COMPARED) {
      const slices = contenders.map(({ product }) => ({ subject: product, rates: [] as Rate[] }))
      for (let round = 0; round <= options.rounds; round++) {
        for (const [index, contender] of contenders.entries()) {
          const acts = await actsOf(contender, operation, options.requests)
          const rate = await slice(contender, acts)
          // The first round warms up.
          if (round > 0) slices[index]!.rates.push(rate)
        }
      }
      for (const each of slices)
        rates.push({ operation, subject: each.subject, ...middle(each.rates) })
    }
    return rates
  } finally {
    for (const { stage } of contenders) await stage.dispose()
  }
}

const BARE = ['no-call', 'd1-read', 'd1-write', 'object-call', 'object-insert'] as const

/** Bare calls, in a Worker that does nothing else. */
export async function compareBareCalls({
  rounds,
  requests,
}: RatioOptions): Promise<ComparedRate[]> {
  const before = workerds()
  const stage = await start('bare')
  try {
    const pid = newWorkerd(before)
    await stage.database.prepare('CREATE TABLE t (id INTEGER PRIMARY KEY, at INTEGER)').run()
    const slices = BARE.map((operation) => ({ operation, rates: [] as Rate[] }))
    for (let round = 0; round <= rounds; round++) {
      for (const each of slices) {
        const act: Act = { path: `/${each.operation}`, token: '', status: 200 }
        const rate = await slice(
          { stage, pid },
          Array.from({ length: requests }, () => act)
        )
        if (round > 0) each.rates.push(rate)
      }
    }
    return slices.map(({ operation, rates }) => ({ subject: 'bare', operation, ...middle(rates) }))
  } finally {
    await stage.dispose()
  }
}

async function contenderOf(product: Product, library: string): Promise<Contender> {
  const before = workerds()
  const stage = await start(product, { library })
  const pid = newWorkerd(before)
  const driver = driverOf(product, library)
  await driver.prepare(stage)
  const roomy = await driver.organization(stage, { members: MEMBERS })
  const full = await driver.organization(stage, { members: MEMBERS, full: true })
  return { product, driver, stage, pid, roomy, full }
}

// A read or a refusal can be repeated; each add has a user of its own.
async function actsOf(
  { driver, stage, roomy, full }: Contender,
  operation: (typeof COMPARED)[number],
  requests: number
): Promise<Act[]> {
  const at = operation === 'refused add at the limit' ? full : roomy
  if (operation === 'add member') {
    const users = await driver.people(stage, requests)
    return users.map(({ id }) => driver.adding(roomy, id))
  }
  return Array<Act>(requests).fill(await driver.acts[operation]!(stage, at))
}

async function slice(
  { stage, pid }: Pick<Contender, 'stage' | 'pid'>,
  acts: readonly Act[]
): Promise<Rate> {
  const cpuBefore = cpuOf(pid)
  const begun = performance.now()
  const waiting = [...acts]
  const lanes = Array.from({ length: CONCURRENCY }, async () => {
    for (let act = waiting.pop(); act !== undefined; act = waiting.pop()) await must(stage, act)
  })
  await Promise.all(lanes)
  const seconds = (performance.now() - begun) / 1000
  const cpuAfter = await restingCpuOf(pid)
  return {
    perSecond: acts.length / seconds,
    cpu: cpuBefore === null || cpuAfter === null ? null : (cpuAfter - cpuBefore) / acts.length,
  }
}

// The work after the answers belongs to the requests.
async function restingCpuOf(pid: number | null): Promise<number | null> {
  for (let last = cpuOf(pid); ;) {
    await new Promise((resolve) => setTimeout(resolve, 150))
    const now = cpuOf(pid)
    if (now === last) return now
    last = now
  }
}

const MS_PER_TICK = 10

function cpuOf(pid: number | null): number | null {
  if (pid === null) return null
  const fields = statOf(pid)
  return fields === null ? null : (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK
}

// The fields after the name, which may contain spaces.
function statOf(pid: number): string[] | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    return null
  }
}

// The processes that this one started.
function workerds(): Set<number> {
  try {
    const pids = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
    return new Set(pids.filter((pid) => statOf(pid)?.[1] === String(process.pid)))
  } catch {
    return new Set()
  }
}

function newWorkerd(before: ReadonlySet<number>): number | null {
  return [...workerds()].find((pid) => !before.has(pid)) ?? null
}

function middle(rates: readonly Rate[]): Rate {
  const cpus = rates.flatMap(({ cpu }) => (cpu === null ? [] : [cpu]))
  return {
    perSecond: median(rates.map(({ perSecond }) => perSecond)),
    cpu: cpus.length === 0 ? null : median(cpus),
  }
}
