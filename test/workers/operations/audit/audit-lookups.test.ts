import { beforeAll, describe, expect, it } from 'vitest'
import {
  countAuditEvents,
  listAuditEvents,
  listPersonEvents,
  streamAuditEvents,
  type AuditFilters,
} from '../../../../src/index.ts'
import { testEnv } from '../../../kit/environment.ts'
import { unwrap, createKit, newOrganization, operator } from '../../../kit/kit.ts'

interface Row {
  readonly sequence: number
  readonly action: string
  readonly outcome: string
  readonly actor_id: string
  readonly target_id: string | null
  readonly effective_user_id: string | null
  readonly request_id: string | null
}

// Past a segment of 4,096 events, with full blocks and single events behind it.
const EVENTS = 4_300
const NAMES = [
  'ada',
  'b',
  '',
  'Łukasz "the" O\'Neil',
  '🦊',
  '42',
  'user_1',
  'user_2',
  'x'.repeat(64),
]

/** Events whose values repeat at different rates; the first one has a value that no other has. */
function rows(): readonly Row[] {
  const pick = (index: number, every: number) => NAMES[Math.floor(index / every) % NAMES.length]!
  return Array.from({ length: EVENTS }, (_, index) => ({
    sequence: index + 3,
    action: index % 97 === 5 ? 'rare.thing' : `test.${index % 3 === 0 ? 'a' : 'b'}`,
    outcome: index % 500 === 8 ? 'failure' : 'success',
    actor_id: index === 0 ? 'first' : pick(index, 1) || 'nobody',
    target_id: index % 5 === 0 ? null : pick(index, 700),
    effective_user_id: index % 2 === 0 ? pick(index, 3) : null,
    request_id: index % 11 === 0 ? `ray-${Math.floor(index / 22)}` : null,
  }))
}

async function putEvents(organizationId: string, events: readonly Row[]): Promise<void> {
  const fields = ['action', 'outcome', 'actor_id', 'target_id', 'effective_user_id', 'request_id']
  const values = fields.map((name) => `value ->> '$.${name}'`).join(', ')
  await testEnv.DB.prepare(
    `INSERT INTO seatgate_audit_events (organization_id, sequence, id, actor_type, target_type, ${fields.join(', ')}, metadata, occurred_at, inserted_at)
     SELECT ?1, value ->> '$.sequence', ?1 || (value ->> '$.sequence'), 'user', 'user', ${values}, '{}', 7, 7
     FROM json_each(?2) WHERE true`
  )
    .bind(organizationId, JSON.stringify(events))
    .run()
}

const FILTERS: readonly AuditFilters[] = [
  ...NAMES.flatMap((name) => [{ actor_id: name || 'nobody' }, { target_id: name || 'b' }]),
  { actor_id: 'first' },
  { actor_id: 'never' },
  { effective_user_id: '🦊' },
  { request_id: 'ray-190' },
  { action: 'rare.thing' },
  { action: 'test.a', actor_id: 'user_1' },
  { action_prefix: 'rare.' },
  { action_prefix: 'rare.th' },
  { outcome: 'failure' },
  { outcome: 'failure', actor_id: 'ada', target_id: 'b' },
  { actor_id: '42', after_sequence: 4_100 },
]

describe('events that are found by their values', () => {
  const kit = createKit({ provider: 'd1' })
  const { seatgate } = kit
  let scope: { caller: { type: 'system' }; organization: string }
  const events = rows()
  beforeAll(async () => {
    const { id } = await newOrganization(kit)
    scope = { caller: { type: 'system' }, organization: id }
    await putEvents(id, events)
  })

  const expected = (filters: AuditFilters) =>
    events
      .filter(
        (row) =>
          (filters.actor_id ?? row.actor_id) === row.actor_id &&
          (filters.target_id === undefined || filters.target_id === row.target_id) &&
          (filters.effective_user_id === undefined ||
            filters.effective_user_id === row.effective_user_id) &&
          (filters.request_id === undefined || filters.request_id === row.request_id) &&
          (filters.action ?? row.action) === row.action &&
          row.action.startsWith(filters.action_prefix ?? '') &&
          (filters.outcome ?? row.outcome) === row.outcome &&
          row.sequence > Number(filters.after_sequence ?? 0)
      )
      .map(({ sequence }) => sequence)

  it.each(FILTERS)('are those that a reading of the whole trail finds: %o', async (filters) => {
    const matching = expected(filters)
    for (const order of ['newest', 'oldest'] as const) {
      const found: number[] = []
      let cursor: string | undefined
      do {
        const page = unwrap(
          await listAuditEvents(seatgate, scope, {
            ...filters,
            order,
            limit: 200,
            ...(cursor && { cursor }),
          })
        )
        found.push(...page.data.map(({ sequence }) => sequence))
        cursor = page.nextCursor ?? undefined
      } while (cursor !== undefined && found.length < 1_000)
      const inOrder = order === 'newest' ? matching.toReversed() : matching
      expect(found).toEqual(inOrder.slice(0, found.length))
      expect(found.length).toBe(
        Math.min(matching.length, found.length < 1_000 ? Infinity : found.length)
      )
    }
    const { count } = unwrap(await countAuditEvents(seatgate, scope, filters))
    expect(count).toBe(matching.length)
  })

  it('are streamed in order', async () => {
    const { events: stream } = unwrap(await streamAuditEvents(seatgate, scope, { target_id: 'b' }))
    const found: number[] = []
    for await (const { sequence } of stream) found.push(sequence)
    expect(found).toEqual(expected({ target_id: 'b' }))
  })

  it('are those of a person, as actor and as target', async () => {
    const page = unwrap(
      await listPersonEvents(seatgate, { caller: operator }, 'user_2', { limit: 200 })
    )
    const about = events.filter((row) => row.actor_id === 'user_2' || row.target_id === 'user_2')
    expect(page.data.map(({ sequence }) => sequence)).toEqual(
      about
        .map(({ sequence }) => sequence)
        .toReversed()
        .slice(0, 200)
    )
  })

  it('has full blocks in one row each, and a full segment in no more than 64 rows', async () => {
    const { results } = await testEnv.DB.prepare(
      `SELECT level, count(*) AS rows, min(first_sequence) AS first FROM seatgate_audit_lookups
       WHERE organization_id = ? GROUP BY level ORDER BY level`
    )
      .bind(scope.organization)
      .all()
    expect(results).toEqual([
      { level: 0, rows: 3, first: 4_097 },
      { level: 1, rows: expect.any(Number), first: 1 },
    ])
    expect(results[1]!['rows']).toBeLessThanOrEqual(64)
  })
})
