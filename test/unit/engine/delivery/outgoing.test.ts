import { describe, expect, it } from 'vitest'
import { ACTIONS } from '../../../../src/engine/audit/actions.ts'
import type { AuditEvent } from '../../../../src/index.ts'
import {
  passedBecause,
  redacted,
  sinkMistake,
  type Sink,
} from '../../../../src/engine/delivery/sink.ts'
import type { PassedOver } from '../../../../src/database/schema.ts'

const event: AuditEvent = {
  id: 'e1',
  organizationId: 'acme',
  sequence: 1,
  action: 'organization.member_add',
  outcome: 'success',
  actorType: 'user',
  actorId: 'ada',
  effectiveUserId: null,
  targetType: 'user',
  targetId: 'bob',
  metadata: { user_id: 'bob', role: 'admin', more: [{ role: 'x', note: null }] },
  requestId: null,
  traceId: null,
  causeEventId: null,
  idempotencyKey: null,
  schemaVersion: 1,
  occurredAt: '2030-01-01T00:00:00.000Z',
  insertedAt: '2030-01-01T00:00:00.000Z',
  personalDigest: 'd',
  personal: { salt: 's', ipAddress: '203.0.113.9', userAgent: null },
}
const sink = (options: Partial<Sink>): Sink => ({
  id: 'log',
  deliver: async () => ({ outcome: 'delivered' }),
  ...options,
})

describe('the events that a sink accepts', () => {
  it.each<[string, Partial<Sink>, PassedOver['because'] | null]>([
    ['everything by default', {}, null],
    ['an action by its name', { include: ['organization.member_add'] }, null],
    ['no other', { include: ['organization.member'] }, 'include'],
    ['a prefix', { include: ['organization.*'] }, null],
    ['not half a word', { include: ['organ.*'] }, 'include'],
    ['all', { include: ['*'] }, null],
    ['nothing of an empty list', { include: [] }, 'include'],
    ['not what is excluded', { exclude: ['organization.member_add'] }, 'exclude'],
    [
      'not what is included and excluded',
      { include: ['*'], exclude: ['organization.*'] },
      'exclude',
    ],
    ['what is excluded elsewhere', { exclude: ['seat.*'] }, null],
    ['what code says', { include: ['*'], accepts: () => false }, 'accepts'],
    ['what is recorded since then', { since: new Date('2030-01-01T00:00:00Z') }, null],
    ['nothing older', { since: new Date('2030-01-01T00:00:00.001Z') }, 'since'],
  ])('%s [FWD-24 FWD-28]', (_what, options, because) => {
    expect(passedBecause(sink(options), event)).toBe(because)
  })
})

describe('a subscription that names its types', () => {
  it('gets them and no other, new ones included [FWD-46]', () => {
    const include = ['organization.create', 'organization.member_add']
    const subscribed = sink({ include })
    const taken = Object.keys(ACTIONS).filter(
      (action) => passedBecause(subscribed, { ...event, action }) === null
    )
    expect(taken.toSorted()).toEqual(include)
    for (const action of ['organization.member_add_again', 'organization.member_add.again']) {
      expect(passedBecause(subscribed, { ...event, action })).toBe('include')
    }
  })
})

describe('the fields that a sink receives', () => {
  it('is all of it by default', () => {
    expect(redacted(event, undefined)).toEqual(event)
    expect(redacted(event, {})).toEqual(event)
  })

  it('excludes a name everywhere, and masks it with one constant [FWD-37]', () => {
    const { metadata } = redacted(event, { exclude: ['role'] })
    expect(metadata).toEqual({ user_id: 'bob', more: [{ note: null }] })
    expect(redacted(event, { mask: ['role', 'ipAddress', 'userAgent'] })).toEqual({
      ...event,
      metadata: { user_id: 'bob', role: '[redacted]', more: [{ role: '[redacted]', note: null }] },
      // That there is none is no secret, and a receiver's schema stays the same.
      personal: { salt: 's', ipAddress: '[redacted]', userAgent: null },
    })
  })

  it('a path is one place [FWD-37]', () => {
    expect(redacted(event, { exclude: ['metadata.role'] }).metadata).toEqual({
      user_id: 'bob',
      more: [{ role: 'x', note: null }],
    })
    expect(redacted(event, { mask: ['metadata.more.role'] }).metadata).toEqual({
      user_id: 'bob',
      role: 'admin',
      more: [{ role: '[redacted]', note: null }],
    })
    expect(redacted(event, { exclude: ['personal'] })).not.toHaveProperty('personal')
    expect(redacted(event, { mask: ['personal'] }).personal).toBe('[redacted]')
  })

  it.each([
    ['a list', (member: unknown) => [member]],
    ['a list in a list', (member: unknown) => [[member]]],
    ['lists in lists', (member: unknown) => [1, [[], [[member], 'x']]]],
    ['a list in an object in a list in a list', (member: unknown) => [[{ more: [[member]] }]]],
  ])('reaches into %s, by name and by path [D4]', (_what, within) => {
    const person = (email: unknown) => within({ email, role: 'x' })
    const told = { ...event, metadata: { people: person('ada@example.com') } }
    const inside = JSON.stringify(told.metadata).includes('more') ? 'people.more' : 'people'
    for (const name of ['role', `metadata.${inside}.role`]) {
      const { metadata } = redacted(told, { mask: [name] })
      expect(metadata).toEqual({ people: within({ email: 'ada@example.com', role: '[redacted]' }) })
    }
    const path = `metadata.${inside}.email`
    expect(redacted(told, { mask: [path] }).metadata).toEqual({ people: person('[redacted]') })
    expect(redacted(told, { exclude: [path] }).metadata).toEqual({ people: within({ role: 'x' }) })
  })

  it('does not change the event itself [FWD-37]', () => {
    const before = structuredClone(event)
    redacted(event, { exclude: ['metadata', 'actorId'], mask: ['personal'] })
    expect(event).toEqual(before)
  })
})

describe('a sink that is configured wrong', () => {
  it.each<[string, Partial<Sink> | Record<string, unknown>, RegExp]>([
    ['FWD-3: nothing to deliver with', { deliver: undefined }, /deliver/],
    ['FWD-3: no id', { id: '' }, /id/],
    ['FWD-3: an unknown dispatch', { dispatch: 'soon' as never }, /dispatch/],
    ['FWD-3: no events a minute', { eventsPerMinute: 0 }, /eventsPerMinute/],
    ['FWD-3: no time for an answer', { deadlineSeconds: 0 }, /deadlineSeconds/],
    ['an id with blanks', { id: 'a b' }, /id/],
    ['a pattern that is none', { include: ['organization.member_*'] }, /pattern/],
    ['a pattern in capitals', { exclude: ['Seat.*'] }, /pattern/],
    ['no time to retry', { retryHours: 0 }, /retryHours/],
    ['a time that is none', { since: new Date('never') }, /since/],
    ['FWD-37: a field that does not exist', { redact: { mask: ['e_mail'] } }, /not a field/],
    ['FWD-37: a path into nothing', { redact: { exclude: ['meta.role'] } }, /not a field/],
    ['FWD-37: a path with a hole', { redact: { exclude: ['metadata..role'] } }, /not a field/],
    ['FWD-37: an overlap', { redact: { exclude: ['role'], mask: ['role'] } }, /both/],
    ['FWD-37: the id', { redact: { mask: ['id'] } }, /identify events/],
    ['FWD-37: the sequence', { redact: { exclude: ['sequence'] } }, /identify events/],
  ])('%s', (_what, options, says) => {
    expect(sinkMistake({ ...sink({}), ...options } as Sink)).toMatch(says)
  })

  it('is not one with options of its own [FWD-2]', () => {
    expect(sinkMistake({ ...sink({}), region: 'eu' } as Sink)).toBeNull()
    const redact = { exclude: ['personal.ipAddress', 'metadata.anything'], mask: ['user_id'] }
    expect(sinkMistake(sink({ redact, include: ['a', 'a.*', '*', 'a.b_c'] }))).toBeNull()
  })
})
