import { describe, expect, it } from 'vitest'
import { ACTIONS } from '../../../src/engine/audit/actions.ts'
import {
  addReached,
  createSometimes,
  disordered,
  forgotten,
  growth,
  neverReached,
  overtaken,
  undelivered,
  violations,
  type State,
} from '../../../src/testing/index.ts'

const sound: State = {
  organization: { name: 'Acme', slug: 'acme', enforce_mfa_for_members: 0, deleted_at: null },
  members: [
    { user_id: 'ann', role: 'owner', status: 'active', seat_id: 'one', suspended_by: null },
  ],
  invitations: [],
  counts: { active: 1, suspended: 0, seats: 1 },
  events: [
    {
      sequence: 1,
      action: 'organization.create',
      actor_id: 'ann',
      target_id: 'acme',
      metadata: {},
    },
    {
      sequence: 2,
      action: 'seat.assigned',
      actor_id: 'ann',
      target_id: 'one',
      metadata: { user_id: 'ann' },
    },
  ],
  entitlement: null,
  epoch: 5,
  fences: [],
  line: [],
  ledger: {
    epoch: 5,
    version: 0,
    limit_kind: 'unlimited',
    limit_seats: null,
    held: 1,
    reserved: 0,
    seats: [{ seat_id: 'one', holder: 'ann', state: 'held' }],
  },
}
const quiet = { quiet: true }

describe('the checkers', () => {
  it('find no violation in a sound state', () => {
    expect(violations(sound, quiet)).toEqual([])
  })

  it.each([
    ['a fenced seat', { fences: ['one'] }, 'one is fenced'],
    [
      'a seat that the ledger does not know',
      { ledger: { ...sound.ledger!, seats: [] } },
      'know one',
    ],
    ['another epoch', { epoch: 6 }, 'epoch 5, in force 6'],
    ['a count that is off', { counts: null }, '0 active in seatgate_member_counts'],
    ['nobody who owns it', { members: [] }, 'no owner'],
    ['somebody in line who is not on record', { line: ['r1'] }, 'in line are r1, on record none'],
    ['a gap in the trail', { events: sound.events.slice(1) }, 'expected sequence 1'],
  ] satisfies [string, Partial<State>, string][])('find %s', (_what, change, problem) => {
    expect(violations({ ...sound, ...change }, quiet).join('\n')).toContain(problem)
  })

  it('know every action that the library records', () => {
    const unknown = Object.keys(ACTIONS).filter((action) => {
      const event = { sequence: 3, action, actor_id: 'ann', target_id: 'one', metadata: {} }
      const state = { ...sound, events: [...sound.events, event] }
      return violations(state, quiet).some((problem) => problem.includes('is not known here'))
    })
    expect(unknown).toEqual([])
  })

  it('follow the waitlist through the trail: a user who joins from it is its first', () => {
    const told = (
      ...events: readonly (readonly [action: string, target: string, metadata?: object])[]
    ) =>
      events.map(([action, target_id, metadata = {}], index) => ({
        sequence: index + 1,
        action: `organization.${action}`,
        actor_id: null,
        target_id,
        metadata: metadata as Record<string, unknown>,
      }))
    const line = [
      ['join_request.queued', 'r1', { user_id: 'bea' }],
      ['join_request.queued', 'r2', { user_id: 'cyd' }],
    ] as const
    const byDomain = { path: 'domain' }
    expect(
      overtaken({ events: told(...line, ['member_add', 'bea', byDomain]), line: ['r2'] })
    ).toEqual([])
    expect(
      overtaken({ events: told(...line, ['member_add', 'cyd', byDomain]), line: ['r1'] })
    ).toEqual(['event 3: was not the first'])
    const elsewhere = told(...line, ['member_add', 'cyd'], ['join_request.closed', 'r2'])
    expect(overtaken({ events: elsewhere, line: ['r1'] })).toEqual([])
    expect(overtaken({ events: told(...line, ['delete', 'acme']), line: [] })).toEqual([])
    expect(overtaken({ events: told(...line), line: ['r2', 'r1'] })).toHaveLength(1)
  })

  it('find a waiting user beside a free seat', () => {
    const limited = (seats: number | null) => ({
      ...sound,
      line: ['r1'],
      entitlement: { version: 1, limit_kind: 'finite', limit_seats: seats },
    })
    expect(forgotten(limited(1), quiet)).toEqual([])
    expect(forgotten(limited(2), quiet)).toEqual(['1 wait with 1 of 2 seats in use'])
    expect(forgotten({ ...sound, line: ['r1'] }, quiet)).toEqual([])
    expect(forgotten({ ...sound, line: ['r1'] }, { ...quiet, seatsCounted: false })).toHaveLength(1)
  })

  it('let a ledger shrink and stay over its limit, and not grow', () => {
    expect(growth({ used: 5 }, { used: 4, limit: 2 })).toEqual([])
    expect(growth({ used: 1 }, { used: 2, limit: 2 })).toEqual([])
    expect(growth({ used: 2 }, { used: 3, limit: 2 })).toHaveLength(1)
  })

  it('find events that a sink has not received or received out of order', () => {
    const heard = (...sequences: number[]) =>
      sequences.map((sequence) => ({ sequence, action: 'seat.assigned' }))
    const events = heard(1, 2, 3)
    expect(undelivered(events, heard(1, 2, 2, 3, 1))).toEqual([])
    expect(undelivered(events, heard(1, 3))).toEqual(['event 2 seat.assigned was not heard'])
    expect(undelivered(events, [], () => false)).toEqual([])
    expect(disordered(heard(1, 3, 2))).toEqual(['event 2 came after 3'])
  })
})

describe('sometimes', () => {
  it('counts announced states, and names those never reached', () => {
    const sometimes = createSometimes(['rain', 'snow'])
    sometimes('rain')
    sometimes('rain')
    expect(sometimes.counts()).toEqual({ rain: 2, snow: 0 })
    expect(neverReached(sometimes.counts())).toEqual(['snow'])
    expect(addReached([sometimes.counts(), { snow: 1 }])).toEqual({ rain: 2, snow: 1 })
    expect(() => sometimes('hail')).toThrow('not announced')
  })
})
