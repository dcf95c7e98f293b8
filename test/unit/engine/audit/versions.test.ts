import { describe, expect, it } from 'vitest'
import { EVENT_VERSION, type AuditEvent } from '../../../../src/engine/audit/event.ts'
import {
  upcast,
  UnknownSchemaVersion,
  type Upcast,
} from '../../../../src/engine/audit/event-versions.ts'

const event = (schemaVersion: number, metadata: object = {}) =>
  ({ id: 'e', action: 'a.b', schemaVersion, metadata }) as unknown as AuditEvent

/** Steps that say that they were taken. */
const step =
  (name: string): Upcast =>
  (older) => ({ ...older, metadata: { ...older.metadata, taken: [taken(older), name].join(' ') } })
const taken = ({ metadata }: AuditEvent) => String(metadata['taken'] ?? '')
const steps = [step('1->2'), step('2->3')]

describe('an event of an older form', () => {
  it.each([
    [1, ' 1->2 2->3'],
    [2, ' 2->3'],
    [3, ''],
  ])('of version %i takes each step to 3 once, from its own on [AUD-45]', (version, expected) => {
    const read = upcast(event(version), steps)
    expect(read.schemaVersion).toBe(3)
    expect(taken(read)).toBe(expected)
    // Read again, it is what it is.
    expect(upcast(read, steps)).toEqual(read)
  })

  it('is not relabelled by a step, and not changed in place [AUD-45]', () => {
    const old = event(1, { kept: 1 })
    const lying: Upcast = (older) => ({ ...older, schemaVersion: 7 }) as never
    expect(upcast(old, [lying, lying])).toEqual(event(3, { kept: 1 }))
    expect(old).toEqual(event(1, { kept: 1 }))
  })

  it.each([4, 0, -1, 1.5, NaN, Infinity])('of version %d is an error [AUD-46]', (version) => {
    expect(() => upcast(event(version), steps)).toThrow(UnknownSchemaVersion)
  })

  it('is written in the newest version that can be read', () => {
    expect(upcast(event(EVENT_VERSION)).schemaVersion).toBe(EVENT_VERSION)
    expect(() => upcast(event(EVENT_VERSION + 1))).toThrow(UnknownSchemaVersion)
  })
})
