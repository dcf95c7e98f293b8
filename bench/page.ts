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
      WHAT_ROWS_BUY,
      growth(latest),
      storage(latest),
      throughput(latest),
      WHERE_CPU_GOES,
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

function storage({ storage: stored }: Results): string {
  if (stored === undefined) return ''
  const rows = [
    ['a member added: the membership, two events', number(stored.member)],
    ['a role changed: one event', number(stored.change)],
  ]
  return `## Storage

Bytes in D1, with all indexes: 1,500 of each through the routes, in one organization, by one user from one address. The
requests share a row of personal data; one that shares none adds 260 bytes.

${table(['change', 'bytes'], rows)}

Bytes of an added member with short user ids, by SQLite's \`dbstat\`, free space of its pages included:

${table(['part', 'bytes', 'purpose'], BYTES)}

The goal was half of 1.1 KiB an event (563 bytes), which a change of role meets, and of 2.9 KiB a member (1,485), which an
added member misses. In the two events the largest values are the metadata (42 and 85 bytes; 85 with the seats in use), the
digest of the personal data (64), and ids of 36 characters: the organization, the event, the target. As bytes, ids and
digests would need half: some 200 a member. But a host's ids may be any text, and a digest stands in the leaf of an event as
text, so rows in two forms would be compared in every proof and export.`
}

const BYTES: readonly (readonly string[])[] = [
  ['the two events', '740', 'the trail'],
  [
    'lookups of the events',
    '125',
    'the trail by actor, target and action, without an index of each event',
  ],
  ['the membership', '190', 'the change'],
  [
    'its three indexes',
    '345',
    'lists of the organization and of the user; one holder for each seat',
  ],
]

const ROWS: readonly (readonly string[])[] = [
  ['the membership or the invitation', 'the change', '1', '1', '1+1', '1'],
  [
    'unique index on the seat',
    'one holder for each seat, which is settled by its id',
    '1',
    '1',
    '1',
    '–',
  ],
  [
    'index of the organization’s list',
    'a page reads its own rows alone, newest first',
    '1',
    '1',
    '1',
    '–',
  ],
  ['index of the user’s list', 'the organizations of a user', '1', '–', '1', '–'],
  [
    'unique index on the address',
    'one invitation per address, and the list of a user',
    '–',
    '1',
    '–',
    '–',
  ],
  ['index on the expiry', 'reserved seats are counted by time', '–', '1', '–', '–'],
  [
    'limits a day, by user and organization',
    'a stolen session cannot send mail without end',
    '–',
    '2',
    '–',
    '–',
  ],
  ['member count', 'members are counted, and limits enforced, by one row', '1', '–', '1', '1'],
  ['events', 'the trail: the change, and its seat', '2', '2', '3', '2'],
  [
    'personal data, unless it is shared',
    'an address is found and erased, while proofs stay valid',
    '0 or 1',
    '0 or 1',
    '1',
    '0 or 1',
  ],
  [
    'ledger: the seat',
    'no seat is granted twice; an invitation’s expiry is found',
    '1',
    '2',
    '1',
    '1',
  ],
  [
    'ledger: the count, granted and confirmed',
    'a seat counts before D1 has it, and is settled after a crash',
    '2',
    '2',
    '2',
    '1',
  ],
  [
    'mark in the outbox',
    'a release that a crash has lost is found by the sweep',
    '–',
    '–',
    '–',
    '1',
  ],
  [
    'cursor and mark of the consumer',
    'a lost release reaches the ledger within seconds',
    '–',
    '–',
    '–',
    '2',
  ],
]

const WHAT_ROWS_BUY = `## Purpose of the written rows

Each written row of an operation with a ledger. \`d1Seats()\` writes those in D1 only, without the last two lines.

${table(['row', 'purpose', 'add', 'invite', 'accept', 'remove'], ROWS, 2)}

The goals were 12 rows for an add, 13 for an invitation, 16 for an acceptance and 10 for a removal. Setting an alarm is
one row more for an add after a quiet time. The requests of this page come from one address, and [share their personal
data](costs.md#rows-written); the first one of an hour writes a row more.

An invitation writes as many rows as the goal with a ledger, and four less with \`d1Seats()\`. What could still go, and
its price:

- Index of the open ones by expiry: a list by creation finds the same rows. But then each seat that is taken with
  \`d1Seats()\` reads two rows for each invitation that has expired and is not deleted yet, and the next seat to become
  free is a sort of all. The index costs less in organizations with more than 500 expired ones.
- Limits a day: without them a stolen session sends mail in the name of the host.
- Ledger: the seat, the index by which it expires, and the count, which has the claim until the confirmation ends it. Without
  the claim a crash before the invitation is in D1 would hold the seat for days.

A removal writes one row less than the goal with a ledger, and six less with \`d1Seats()\`. Without its last two lines it
would write six, and a release that a crash has lost would wait for the verification of seats, for minutes in which a full organization
refuses a member.

No index serves the sweep alone where a common operation would write it: old invitations, stored results, windows of limits
and sessions, and the organizations that wait for a consumer, are visited [in turn](storage.md#when-rows-end).`

const PROFILE: readonly (readonly string[])[] = [
  ['Seatgate: plan, events, seats, guards, routes', '26 %'],
  ['Drizzle: conditions, results, queries of other shapes', '24 %'],
  ['Seatgate: SQL from kept texts', '15 %'],
  ['Node: request, response, SHA-256 of the token', '15 %'],
  ['garbage collection', '10 %'],
  ['Hono', '5 %'],
  ['names of functions, which wrangler keeps', '3 %'],
  ['the driver, and what is below 1 %', '2 %'],
]

const WHERE_CPU_GOES = `## Distribution of CPU time

An add with \`d1Seats()\` in Node, by V8's profiler, without SQLite:

${table(['part', 'share'], PROFILE)}

It takes 360 to 500 µs, and 100 µs on the floor. Queries of a fixed shape are built once, and each request binds its values:
rows of a table by a condition, the organization with the caller's membership, inserted rows, and guards. Two checkouts in
turn, each in a process of its own: an add takes 13 % less than with queries built for each request, and 5 % less again
since the host's own query of the session is written in the same way; an authorized read takes 26 % and 7 % less.

In workerd the same two checkouts in turn differ by 2 % for an add and 1 % for a read, which is within the noise: of the
3.4 ms of an add JavaScript is a sixth. The rest is D1, which charges time for each statement: 8 of them, 4 on the floor.
The aims are 0.7 of the floor by CPU with \`d1Seats()\`, 0.6 with \`ledgerSeats()\`, and three times better-auth. An add
reads with three statements, and writes with five. On a busy machine an add took a tenth less without its reads; without the
condition on which it records that an organization is within its limit again, as much as before. Two events in one INSERT
would be one less, and SQLite would first write both to a temporary table.`

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
