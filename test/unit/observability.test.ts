import { describe, expect, it } from 'vitest'
import { analyticsEngine } from '../../src/worker/index.ts'

declare global {
  interface ImportMeta {
    glob(patterns: readonly string[], options: object): Record<string, string>
  }
}

const sources = import.meta.glob(['../../src/**/*.ts'], {
  query: '?raw',
  import: 'default',
  eager: true,
})
const [page = ''] = Object.values(
  import.meta.glob(['../../docs/observability.md'], {
    query: '?raw',
    import: 'default',
    eager: true,
  })
)

// The kinds of jobs, whose reports are named after them.
const JOBS = ['end_sessions_failed', 'send_invitation_failed']

function namesIn(heading: string): string[] {
  const section = new RegExp(`^## ${heading}\\n([^]*?)(?=^## |(?![^]))`, 'm').exec(page)?.[1] ?? ''
  return [...section.matchAll(/^\| `([\w.]+)`/gm)].map(([, name = '']) => name).sort()
}

const text = Object.values(sources).join('\n')
const operations = namesAfter('operation without an action')

function namesAfter(head: string): string[] {
  const table = page.split(`| ${head}`)[1]?.split('\n\n')[0] ?? ''
  return [...table.matchAll(/^\| `([\w.]+)`/gm)].map(([, name = '']) => name).sort()
}

describe('docs/observability.md', () => {
  it('has a row for each event that is reported, and for no other', () => {
    const reported = [
      ...text.matchAll(/\bevent(?:: string =|:) '([a-z_]+)'/g),
      ...text.matchAll(/\bevent: \w+ \? '([a-z_]+)'/g),
    ].map(([, event = '']) => event)
    expect(reported.length).toBeGreaterThan(50)
    expect(namesIn('Reports')).toEqual([...new Set([...reported, ...JOBS])].sort())
  })

  it('has a row for each metric, and for no other', () => {
    const runtime = sources['../../src/base/runtime.ts'] ?? ''
    const metrics = [...runtime.matchAll(/readonly name: '([\w.]+)'/g)].map(([, name = '']) => name)
    const names = namesIn('Metrics').filter((name) => !operations.includes(name))
    expect(names).toEqual(metrics.sort())
  })

  it('has a row for each operation that is not named after an action, and for no other', () => {
    const named = [...text.matchAll(/\bobserved\(\s*\w+,\s*'([\w.]+)'/g)].map(
      ([, name = '']) => name
    )
    expect(named.length).toBeGreaterThan(35)
    expect(operations).toEqual(named.sort())
  })

  it('has a row for each reason of an alarm, and for no other', () => {
    const source = sources['../../src/operations/organizations/health-reasons.ts'] ?? ''
    const codes = [...source.matchAll(/^    \| '(\w+)'/gm)].map(([, code = '']) => code)
    expect(codes.length).toBeGreaterThan(10)
    expect(namesIn('Health')).toEqual(codes.sort())
  })
})

describe('analyticsEngine', () => {
  it('writes the numbers of an operation, a sweep, a batch and a lag in columns of their own', () => {
    const points: { blobs: string[]; doubles: number[] }[] = []
    const measure = analyticsEngine({ writeDataPoint: (point) => void points.push(point) })
    const took = { outcome: 'refused', code: 'last_owner', milliseconds: 12 } as const
    measure({ name: 'operation', operation: 'organization.leave', retries: 1, trips: 4, ...took })
    measure({ name: 'ledger.call', call: 'reserve', ...took })
    measure({
      name: 'sweep.run',
      sweep: 'seats',
      outcome: 'ok',
      statements: 9,
      leftOver: true,
      milliseconds: 5,
    })
    measure({ name: 'queue.batch', outcome: 'failed', messages: 3, events: 7, milliseconds: 6 })
    measure({ name: 'audit.lag', consumer: 'siem', seconds: 90 })
    expect(points.map(({ blobs, doubles }) => [...blobs, ...doubles])).toEqual([
      ['operation', 'organization.leave', 'refused', 'last_owner', 1, 12, 4, 1, 0, 0, 0],
      ['ledger.call', 'reserve', 'refused', 'last_owner', 1, 12, 0, 0, 0, 0, 0],
      ['sweep.run', 'seats', 'ok', 'left_over', 1, 5, 0, 0, 9, 0, 0],
      ['queue.batch', '', 'failed', '', 3, 6, 0, 0, 0, 7, 0],
      ['audit.lag', 'siem', '', '', 1, 0, 0, 0, 0, 0, 90],
    ])
  })

  it('writes a metric as a data point with fixed columns', () => {
    const points: object[] = []
    const measure = analyticsEngine({ writeDataPoint: (point) => void points.push(point) })
    measure({
      name: 'audit.attempt',
      sink: 'siem',
      action: 'organization.create',
      attempt: 2,
      outcome: 'error',
      kind: 'timeout',
      milliseconds: 1200,
    })
    measure({ name: 'seat.drift_repaired', kind: 'leaked', count: 3 })
    measure({ name: 'audit.purged', events: 40, milliseconds: 7 })
    expect(points).toEqual([
      {
        indexes: ['audit.attempt'],
        blobs: ['audit.attempt', 'siem', 'error', 'timeout'],
        doubles: [1, 1200, 0, 0, 0, 0, 0],
      },
      {
        indexes: ['seat.drift_repaired'],
        blobs: ['seat.drift_repaired', 'leaked', '', ''],
        doubles: [3, 0, 0, 0, 0, 0, 0],
      },
      {
        indexes: ['audit.purged'],
        blobs: ['audit.purged', '', '', ''],
        doubles: [40, 7, 0, 0, 0, 0, 0],
      },
    ])
  })

  it('writes no id of an event or of an organization', () => {
    const points: object[] = []
    const measure = analyticsEngine({ writeDataPoint: (point) => void points.push(point) })
    measure({
      name: 'audit.recorded',
      action: 'organization.create',
      outcome: 'success',
      id: 'id-of-the-event',
      occurredAt: '2026-11-30T10:00:00.000Z',
    })
    expect(JSON.stringify(points)).not.toContain('id-of')
    expect(JSON.stringify(points)).toContain('organization.create')
  })
})
