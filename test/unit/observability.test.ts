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

describe('docs/observability.md', () => {
  it('has a row for each event that is reported, and for no other', () => {
    const text = Object.values(sources).join('\n')
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
    expect(namesIn('Metrics')).toEqual(metrics.sort())
  })
})

describe('analyticsEngine', () => {
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
        doubles: [1, 1200],
      },
      {
        indexes: ['seat.drift_repaired'],
        blobs: ['seat.drift_repaired', 'leaked', '', ''],
        doubles: [3, 0],
      },
      { indexes: ['audit.purged'], blobs: ['audit.purged', '', '', ''], doubles: [40, 7] },
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
