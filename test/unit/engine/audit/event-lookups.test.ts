import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import {
  EVENTS_IN_A_BLOCK,
  EVENTS_IN_A_SEGMENT,
  HASH,
  lookedUpBy,
} from '../../../../src/engine/audit/event-lookups.ts'

const migration = (name: string) =>
  readFileSync(
    fileURLToPath(new URL(`../../../../migrations/${name}.sql`, import.meta.url).href),
    'utf8'
  )

describe('the lookups of events', () => {
  it('compute the hash of a value as the trigger does that notes it', () => {
    expect(migration('0035_audit_lookups_noted')).toContain(`${HASH} AS hash`)
  })

  it('are written by the triggers for blocks and segments of the size that queries assume', () => {
    expect(migration('0035_audit_lookups_noted')).toContain(
      `NEW.sequence % ${EVENTS_IN_A_BLOCK} = 0`
    )
    expect(migration('0036_audit_lookups_merged')).toContain(`% ${EVENTS_IN_A_SEGMENT} = 0`)
  })

  it('are asked for the value that fewest events share', () => {
    expect(lookedUpBy({ actor_id: 'ada', target_id: 'bob', action: 'a.b' })).toBe('bob')
    expect(lookedUpBy({ actor_id: 'ada', request_id: 'ray' })).toBe('ray')
    expect(lookedUpBy({ action_prefix: 'billing.card' })).toBe('billing.')
    expect(lookedUpBy({ outcome: 'failure' })).toBe('failure')
  })

  it('are not asked without a value that events are noted by', () => {
    const wide = [{}, { outcome: 'success' }, { action_prefix: 'bil' }, { effective_user_id: null }]
    for (const filters of wide) expect(lookedUpBy(filters as never)).toBeNull()
  })
})
