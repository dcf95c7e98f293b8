import { beforeAll, describe, expect, it } from 'vitest'
import {
  exportAuditEvents,
  listAuditEvents,
  logEvent,
  type AuditEvent,
  type AuditFilters,
  type HostEvent,
  type Origin,
} from '../../../../src/index.ts'
import { clocked, organizationWith, unwrap } from '../../../kit/index.ts'

const system = { type: 'system' } as const
const SECOND = 1000
const { seatgate, clock } = clocked([])
const START = Date.UTC(2030, 0, 1)
const at = (seconds: number) => new Date(START + seconds * SECOND).toISOString()

type Logged = HostEvent & { readonly by?: string; readonly request?: string; origin?: Origin }
const EVENTS: readonly Logged[] = [
  { by: 'ada', action: 'billing.charged', target: { type: 'invoice', id: '1' } },
  { by: 'ada', action: 'billing.refunded', outcome: 'failure', metadata: { why: 'a,"b"\n', n: 1 } },
  { by: 'ben', action: 'billing.charged', target: { type: 'invoice', id: '2' } },
  { by: 'ben', action: 'login.done', request: 'r1', origin: { traceId: 't1' } },
  { action: 'login.done', outcome: 'error', request: 'r1' },
  { by: 'ada', action: 'login.done', origin: { ipAddress: '203.0.113.9', userAgent: 'x, "y"' } },
]

/** What a file holds: each event as far as its format tells it, and how it ends. */
interface File {
  readonly events: readonly object[]
  readonly end: unknown
}

/** An event as a row of CSV has it, by the header. */
function asCells({ personal, ...event }: AuditEvent): object {
  const { ipAddress = null, userAgent = null } = personal ?? {}
  const told = Object.entries({ ...event, ipAddress, userAgent }).map(([name, value]) => {
    const text = typeof value === 'object' && value !== null ? JSON.stringify(value) : value
    return [name, String(text ?? '')]
  })
  return Object.fromEntries(told)
}

const CELL = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g

function readCsv(text: string): File {
  const rows: string[][] = [[]]
  for (const [, quoted, plain = '', stop] of text.matchAll(CELL)) {
    rows.at(-1)!.push(quoted?.replaceAll('""', '"') ?? plain)
    if (stop === '\r\n') rows.push([])
  }
  const [header = [], ...lines] = rows.slice(0, -1)
  const events = lines
    .slice(0, -1)
    .map((cells) => Object.fromEntries(cells.map((text, index) => [header[index], text])))
  return { events, end: lines.at(-1) }
}

const end = (events: number) => ({
  type: 'seatgate.audit.export',
  version: 1,
  events,
  truncated: false,
  throughSequence: expect.any(Number),
})
const sealed = (event: AuditEvent) => ({ ...event, leafHash: null })

/** How each format is read, and what is to be there of the events that a list has. */
const FORMATS = {
  ndjson: {
    read(text: string): File {
      const lines = text.split('\n').slice(0, -1)
      const all = lines.map((line): object => JSON.parse(line))
      return { events: all.slice(0, -1), end: all.at(-1) }
    },
    of: (list: readonly AuditEvent[]): File => ({
      events: list.map(sealed),
      end: end(list.length),
    }),
  },
  csv: {
    read: readCsv,
    of: (list: readonly AuditEvent[]): File => ({
      events: list.map(asCells),
      end: [`# end: ${list.length} events, complete`],
    }),
  },
  json: {
    read: (text: string): File => JSON.parse(text),
    of: (list: readonly AuditEvent[]) => ({
      version: 1,
      horizon: null,
      events: list.map(sealed),
      end: end(list.length),
    }),
  },
}

describe('an export with filters', () => {
  let organization = ''

  beforeAll(async () => {
    clock.now = START
    organization = await organizationWith(seatgate, 1)
    for (const { by, request, origin, ...event } of EVENTS) {
      clock.now += SECOND
      const caller = by === undefined ? system : { userId: by }
      const scope = {
        caller,
        organization,
        ...(request !== undefined && { requestId: request }),
        ...(origin !== undefined && { origin }),
      }
      unwrap(await logEvent(seatgate, scope, event))
    }
    clock.now += SECOND
  })

  const filters: readonly [filters: AuditFilters, count: number | null][] = [
    [{}, null],
    [{ actor_id: 'ada' }, 3],
    [{ effective_user_id: 'ben' }, 2],
    [{ effective_user_id: null, outcome: 'error' }, 1],
    [{ action: 'billing.charged' }, 2],
    [{ action_prefix: 'billing.' }, 3],
    [{ outcome: 'failure' }, 1],
    [{ target_type: 'invoice' }, 2],
    [{ target_type: 'invoice', target_id: '2' }, 1],
    [{ request_id: 'r1' }, 2],
    [{ trace_id: 't1' }, 1],
    [{ from: at(2), to: at(4) }, 3],
    [{ from: at(3), action: 'login.done', outcome: 'success' }, 2],
    [{ after_sequence: 5, to: at(6) }, 4],
    [{ actor_id: 'nobody' }, 0],
  ]

  it.each(filters)(
    'has the rows of the query, in each format: %j [AUD-47]',
    async (given, count) => {
      const scope = { caller: system, organization }
      for (const [format, { read, of }] of Object.entries(FORMATS)) {
        const query = { ...given, order: 'oldest', limit: 500 } as const
        const { data } = unwrap(await listAuditEvents(seatgate, scope, query))
        if (count !== null) expect(data).toHaveLength(count)
        const file = unwrap(
          await exportAuditEvents(seatgate, scope, {
            ...given,
            format: format as keyof typeof FORMATS,
          })
        )
        expect(read(await new Response(file.body).text()), format).toEqual(of(data))
      }
    }
  )
})
