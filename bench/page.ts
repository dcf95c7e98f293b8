/**
 * `docs/performance.md` and its plots, made from the numbers of two runs.
 *
 * @module
 */
import { priceOfAMillion, RATES, RATES_AS_OF, type Cost, type Count } from './cost.ts'
import { bars, lines, type Series } from './plots.ts'
import type { ComparedRate, CountedOperation, Results } from './results.ts'
import { OPERATIONS, PRODUCTS, type Operation, type Product } from './subjects.ts'
import { table } from './table.ts'

export interface Page {
  readonly markdown: string
  /** SVG by the name of its file. */
  readonly plots: Readonly<Record<string, string>>
}

const SMALLEST = 10
const NAMES: Readonly<Record<Product, string>> = {
  floor: 'floor',
  'better-auth': 'better-auth',
  ledger: 'ledgerSeats',
  d1: 'd1Seats',
}
const COLORS = { floor: '#9a9a9a', 'better-auth': '#d28b26', ledger: '#2b6cb0', d1: '#2f855a' }
const PALE = { ledger: '#a9c6e6', d1: '#a8d5ba' }
const OURS = ['ledger', 'd1'] as const

/** Makes the page. `before` are the numbers of an earlier commit. */
export function pageOf(before: Results, latest: Results): Page {
  return {
    markdown: `${[
      introduction(latest),
      comparison(before, latest),
      ...PRODUCTS.map((product) => details(latest, product)),
      growth(latest),
      throughput(latest),
      sizes(before, latest),
      behind(latest),
    ]
      .filter((section) => section !== '')
      .join('\n\n')}\n`,
    plots: {
      'price.svg': pricePlot(before, latest),
      'growth.svg': growthPlot(latest),
      'cpu.svg': cpuPlot(latest),
    },
  }
}

const introduction = ({ measuredOn, versions }: Results) => `# Performance

\`npm run bench\` writes this page. It was measured on ${measuredOn} with
${Object.entries(versions)
  .map(([name, version]) => `${name} ${version}`)
  .join(', ')}.

- **ledgerSeats** and **d1Seats** are this library: all routes, the session in the database, a queue, invitations, no
  sink and no log (\`bench/apps/configuration.ts\`).
- **better-auth** is its organization plugin on D1, the binding as its database. Adding a member asks for the
  permission first, because \`addMember\` has no route. It writes no audit trail, and concurrent requests exceed its
  limit ([scoreboard](scoreboard.md)): it does less for its price.
- **floor** is the least code that adds a member with a guard, a seat count and an audit event in one batch
  (\`bench/apps/floor.ts\`). It has no invitations, no idempotency and no indexes for a trail.
- **before** is this library at commit 59d9ddd.

Counts are exact and do not depend on the machine. Each is the median of three requests, because ids are random and a
search may end one row later. Before a request is measured, all work that earlier requests left behind is done, the
outbox included. Where a cell has a sum, the second number is work after the answer.`

const comparison = (before: Results, latest: Results) => `## At a glance

![The price of a million of each operation](performance/price.svg)

Dollars for a million of each operation, in an organization of ${SMALLEST} members:

${overview(before, latest, (cost) => dollars(priceOfAMillion(cost)))}

Rows written in all stores, with the work after the answer:

${overview(before, latest, (cost) => String(writtenBy(cost)))}

Trips in sequence until the answer:

${overview(before, latest, ({ inSequence }) => String(inSequence))}

The prices are the [rates](#rates) of Cloudflare beyond what a plan includes. They contain the request to the Worker,
but no CPU time, no duration of objects and no storage. An alarm that is set counts as a row written. A message has
three operations.

### Rates

${rateTable()}

As of ${RATES_AS_OF}.`

function rateTable(): string {
  const rows = Object.values(RATES).map(({ of, dollars: rate, page }) => [
    of,
    `<https://developers.cloudflare.com/${page}/platform/pricing/>`,
    String(rate),
  ])
  return table(['a million of', 'source', '$'], rows, 2)
}

// Per operation, each product, and this library as it was.
function overview(before: Results, latest: Results, cell: (cost: Cost) => string): string {
  const columns = [
    ...PRODUCTS.map((product) => ({ name: NAMES[product], results: latest, product })),
    ...OURS.map((product) => ({ name: `${NAMES[product]}, before`, results: before, product })),
  ]
  const rows = OPERATIONS.map((operation) => [
    operation,
    ...columns.map(({ results, product }) => {
      const cost = costOf(results, product, operation)
      return cost === null ? '–' : cell(cost)
    }),
  ])
  return table(['operation', ...columns.map(({ name }) => name)], rows)
}

function details(latest: Results, product: Product): string {
  const header = [
    'operation',
    'trips',
    'statements',
    'D1 read',
    'D1 written',
    'object calls',
    'object read',
    'object written',
    'messages',
  ]
  const sum = (cost: Cost, of: (count: Count) => number) => {
    const later = of(cost.after)
    return later === 0 ? String(of(cost.answer)) : `${of(cost.answer)}+${later}`
  }
  const rows = OPERATIONS.flatMap((operation) => {
    const cost = costOf(latest, product, operation)
    if (cost === null) return []
    return [
      [
        operation,
        sum(cost, ({ trips }) => trips),
        sum(cost, ({ statements }) => statements),
        sum(cost, ({ rowsRead }) => rowsRead),
        sum(cost, ({ rowsWritten }) => rowsWritten),
        sum(cost, ({ objectCalls }) => objectCalls),
        sum(cost, ({ objectRowsRead }) => objectRowsRead),
        sum(cost, ({ objectRowsWritten }) => objectRowsWritten),
        sum(cost, ({ messages }) => messages),
      ],
    ]
  })
  return `## Counts of ${NAMES[product]}\n\n${table(header, rows)}`
}

const GROWING = [
  'add member',
  'refused add at the limit',
  'list 50 members',
  'invite',
  'accept invitation',
  'remove member',
] as const satisfies Operation[]

function growth(latest: Results): string {
  const members = sizesIn(latest)
  const rows = GROWING.flatMap((operation) =>
    PRODUCTS.flatMap((product) => {
      const cells = members.map((size) => costOf(latest, product, operation, size))
      return cells.includes(null)
        ? []
        : [[operation, NAMES[product], ...cells.map((cost) => number(readBy(cost!)))]]
    })
  )
  return `## Growth

Rows read in all stores, by the members of the organization:

![Rows read to add a member, by members](performance/growth.svg)

${table(['operation', 'product', ...members.map(number)], rows, 2)}`
}

function throughput({ timed }: Results): string {
  if (timed === null) return ''
  const { rates, machine } = timed
  const operations = [
    ...new Set(rates.filter(({ subject }) => subject !== 'bare').map(({ operation }) => operation)),
  ]
  const rows = operations.flatMap((operation) => {
    const of = (product: string) =>
      rates.find((rate) => rate.operation === operation && rate.subject === product)
    const floor = of('floor')
    return PRODUCTS.map((product) => {
      const rate = of(product)
      return [
        operation,
        NAMES[product],
        ratio(rate?.perSecond, floor?.perSecond),
        ratio(floor?.cpu, rate?.cpu),
        rate?.cpu == null ? '–' : rate.cpu.toFixed(2),
      ]
    })
  })
  const bare = rates.filter(({ subject }) => subject === 'bare')
  const none = bare.find(({ operation }) => operation === 'no-call')
  const calls = bare.map(({ operation, perSecond, cpu }) => [
    operation.replace('-', ' '),
    ratio(perSecond, none?.perSecond),
    cpu === null ? '–' : cpu.toFixed(2),
  ])
  return `## Throughput and CPU

16 requests at once to an organization of 100 members. The products take turns, slice after slice, and the median of
five slices counts, so a ratio holds within this run alone. 1.00 is the floor; more is better. CPU is that of the whole
runtime: the Worker, D1, the object and the queue's consumer, with the work after the answer. Other work disturbs
throughput more than CPU. The machine: ${machine}.

![CPU time of a request](performance/cpu.svg)

${table(['operation', 'product', 'throughput', 'by CPU', 'CPU ms'], rows, 2)}

Bare calls, against a request that makes none:

${table(['call', 'throughput', 'CPU ms'], calls)}`
}

function sizes(before: Results, latest: Results): string {
  const kilobytes = (bytes: number) => (bytes / 1024).toFixed(1)
  const row = (name: string, results: Results, product: Product) => {
    const { minified, minifiedAndZipped, zipped } = results.sizes[product]
    const start = results.timed?.starts[product]
    return [
      name,
      kilobytes(minified),
      kilobytes(minifiedAndZipped),
      kilobytes(zipped),
      start?.toFixed(0) ?? '–',
    ]
  }
  const rows = [
    ...PRODUCTS.map((product) => row(NAMES[product], latest, product)),
    ...OURS.map((product) => row(`${NAMES[product]}, before`, before, product)),
  ]
  return `## Size and start

The whole Worker with its dependencies, in KiB. \`wrangler deploy\` does not minify by default. Start is the CPU time in
a new Node to compile and evaluate the Worker and to make its app: the median of nine runs that take turns. The rows
_before_ come from another run, so compare their starts with care.

${table(['Worker', 'minified', 'minified, gzip', 'gzip', 'start, ms'], rows)}`
}

/** Where this library costs more than another product, by more than a twentieth. */
function behind(latest: Results): string {
  const worse: { factor: number; row: string[] }[] = []
  const compare = (what: string, measure: string, of: (product: Product) => number | null) => {
    for (const ours of OURS) {
      for (const other of ['floor', 'better-auth'] as const) {
        const [mine, theirs] = [of(ours), of(other)]
        if (mine === null || theirs === null || theirs === 0 || mine / theirs <= 1.05) continue
        const factor = mine / theirs
        worse.push({
          factor,
          row: [what, measure, NAMES[ours], NAMES[other], `${factor.toFixed(1)} ×`],
        })
      }
    }
  }
  for (const operation of OPERATIONS) {
    const cost = (product: Product) => costOf(latest, product, operation)
    const priced = (product: Product) => {
      const found = cost(product)
      return found === null ? null : priceOfAMillion(found)
    }
    compare(operation, 'price', priced)
    compare(operation, 'trips in sequence', (product) => cost(product)?.inSequence ?? null)
    compare(operation, 'CPU', (product) => cpuOf(latest, product, operation))
  }
  compare(
    'Worker, minified and zipped',
    'size',
    (product) => latest.sizes[product].minifiedAndZipped
  )
  compare('start', 'CPU', (product) => latest.timed?.starts[product] ?? null)
  const rows = worse.toSorted((a, b) => b.factor - a.factor).map(({ row }) => row)
  return `## Where another product is ahead

Every measure in which this library costs more than five percent more than the floor or better-auth, at ${SMALLEST}
members, the largest factor first:

${table(['operation', 'measure', 'of', 'against', 'factor'], rows, 4)}`
}

function pricePlot(before: Results, latest: Results): string {
  const prices = (results: Results, product: Product) =>
    OPERATIONS.map((operation) => {
      const cost = costOf(results, product, operation)
      return cost === null ? null : priceOfAMillion(cost)
    })
  const series: Series[] = [
    ...(['floor', 'better-auth'] as const).map((product) => ({
      name: NAMES[product],
      color: COLORS[product],
      values: prices(latest, product),
    })),
    ...OURS.flatMap((product) => [
      { name: `${NAMES[product]}, before`, color: PALE[product], values: prices(before, product) },
      { name: NAMES[product], color: COLORS[product], values: prices(latest, product) },
    ]),
  ]
  const title = `Dollars for a million, ${SMALLEST} members`
  return bars({ title, groups: OPERATIONS, series, unit: dollars })
}

function growthPlot(latest: Results): string {
  const members = sizesIn(latest)
  const series = PRODUCTS.map((product) => ({
    name: NAMES[product],
    color: COLORS[product],
    values: members.map((size) => {
      const cost = costOf(latest, product, 'add member', size)
      return cost === null ? null : readBy(cost)
    }),
  }))
  const groups = members.map((size) => `${number(size)} members`)
  return lines({ title: 'Rows read to add a member (logarithmic)', groups, series, unit: number })
}

function cpuPlot(latest: Results): string {
  const groups = OPERATIONS.filter((operation) => cpuOf(latest, 'floor', operation) !== null)
  const series = PRODUCTS.map((product) => ({
    name: NAMES[product],
    color: COLORS[product],
    values: groups.map((operation) => cpuOf(latest, product, operation)),
  }))
  return bars({
    title: 'CPU milliseconds of a request',
    groups,
    series,
    unit: (ms) => ms.toFixed(1),
  })
}

function costOf(
  results: Results,
  product: Product,
  operation: Operation,
  members = SMALLEST
): CountedOperation | null {
  return (
    results.counts.find(
      (each) => each.product === product && each.operation === operation && each.members === members
    ) ?? null
  )
}

function cpuOf({ timed }: Results, product: Product, operation: Operation): number | null {
  const of = ({ subject, operation: name }: ComparedRate) =>
    subject === product && name === operation
  return timed?.rates.find(of)?.cpu ?? null
}

const sizesIn = ({ counts }: Results) => [...new Set(counts.map(({ members }) => members))]

const both = ({ answer, after }: Cost, of: (count: Count) => number) => of(answer) + of(after)

const writtenBy = (cost: Cost) => both(cost, (count) => count.rowsWritten + count.objectRowsWritten)

const readBy = (cost: Cost) => both(cost, (count) => count.rowsRead + count.objectRowsRead)

const dollars = (value: number) => `$${value.toFixed(2)}`

const number = (value: number) => value.toLocaleString('en')

const ratio = (value: number | null | undefined, base: number | null | undefined) =>
  value == null || base == null ? '–' : (value / base).toFixed(2)
