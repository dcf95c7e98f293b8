import { describe, expect, it } from 'vitest'
import { ACTIONS } from '../../../src/engine/audit/actions.ts'
import {
  addReached,
  createSometimes,
  disordered,
  forgotten,
  growth,
  leak,
  neverReached,
  overshoot,
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
    ['no owner', { members: [] }, 'no owner'],
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

  it('know the owner by the role that the host has', () => {
    const ann = { ...sound.members[0]!, role: 'member' }
    const bob = { ...ann, user_id: 'bob', role: 'boss', seat_id: null }
    const transfer = {
      sequence: 4,
      action: 'organization.ownership_transfer',
      actor_id: 'ann',
      target_id: 'bob',
      metadata: { from_user_id: 'ann', to_user_id: 'bob', old_owner_role: 'member' },
    }
    const joined = {
      sequence: 3,
      action: 'organization.member_add',
      actor_id: 'ann',
      target_id: 'bob',
      metadata: { role: 'member' },
    }
    const state = {
      ...sound,
      members: [ann, bob],
      counts: { active: 2, suspended: 0, seats: 1 },
      events: [...sound.events, joined, transfer],
    }
    const circumstances = { ...quiet, ownerRole: 'boss' }
    expect(violations(state, circumstances)).toEqual([])
    const rest = { ...state, events: [transfer], horizon: 3 }
    expect(violations(rest, circumstances)).toEqual([])
    expect(violations(state, quiet)).toContain('no owner')
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

  describe('with types of seats', () => {
    const seatTypes = { light: { roles: ['viewer'], defaultLimit: 1 } }
    const typed = { ...quiet, seatTypes }
    const requests = [
      { id: 'r1', role: 'member' },
      { id: 'r2', role: 'viewer' },
      { id: 'r3', role: 'viewer' },
    ]
    const entitlement = { version: 1, limit_kind: 'finite', limit_seats: 2 }
    const light = (seat_id: string) => ({ ...sound.members[0]!, user_id: seat_id, seat_id })
    const event = (action: string, target_id: string, metadata: object = {}) => ({
      action: `organization.${action}`,
      actor_id: null,
      target_id,
      metadata: metadata as Record<string, unknown>,
    })
    const trail = (...events: readonly ReturnType<typeof event>[]) =>
      events.map((each, index) => ({ ...each, sequence: index + 1 }))
    const queued = (id: string, userId: string) =>
      event('join_request.queued', id, { user_id: userId })
    const joins = (userId: string, role: string) =>
      event('member_add', userId, { role, path: 'request' })

    it('count the seats of a type, and the users who wait for one', () => {
      const waiting = { ...sound, line: ['r2', 'r3'], requests, entitlement }
      const full = { ...waiting, members: [...sound.members, light('~light/a')] }
      expect(forgotten(full, typed)).toEqual([])
      expect(forgotten(waiting, typed)).toEqual(['2 wait with 0 of 1 light seats in use'])
      const bought = { ...entitlement, type_limits: '{"light":2}' }
      expect(forgotten({ ...full, entitlement: bought }, typed)).toEqual([
        '2 wait with 1 of 2 light seats in use',
      ])
      expect(forgotten({ ...full, line: ['r1', 'r2'] }, typed)).toEqual([
        '1 wait with 1 of 2 seats in use',
      ])
      expect(forgotten({ ...full, entitlement: null, line: ['r1'] }, typed)).toEqual([])
      const limited = { ...typed, defaultLimit: 3 }
      expect(forgotten({ ...full, entitlement: null, line: ['r1'] }, limited)).toHaveLength(1)
    })

    it('know the limit and the ledger of a type', () => {
      const members = [...sound.members, light('~light/a'), light('~light/b')]
      const two = { ...sound, members }
      expect(overshoot(two, typed)).toEqual(['2 members, at most 1 allowed'])
      const seats = [{ seat_id: '~light/a', holder: 'a', state: 'held' }]
      const ledger = { ...sound.ledger!, seats }
      expect(overshoot({ ...two, typeLedgers: { light: ledger } }, typed)).toContain(
        'the ledger does not know ~light/b'
      )
      expect(leak({ ...sound, typeLedgers: { light: ledger } }, typed)).toEqual(['~light/a leaked'])
    })

    it('follow the waitlist of each type', () => {
      const line = [queued('r1', 'ann'), queued('r2', 'bea'), queued('r3', 'cyd')]
      const after = (...events: readonly ReturnType<typeof event>[]) => ({
        events: trail(...line, ...events),
        requests,
      })
      const second = { ...after(joins('bea', 'viewer')), line: ['r1', 'r3'] }
      expect(overtaken(second, typed)).toEqual([])
      expect(overtaken(second)).toEqual(['event 4: was not the first'])
      const third = { ...after(joins('cyd', 'viewer')), line: ['r1', 'r2'] }
      expect(overtaken(third, typed)).toEqual(['event 4: was not the first'])
    })

    it('use the role that a request had at that time, if it is known', () => {
      const approved = event('join_request.approved', 'r2', { role: 'member' })
      const events = (...first: readonly ReturnType<typeof event>[]) =>
        trail(
          ...first,
          queued('r2', 'bea'),
          queued('r3', 'cyd'),
          joins('cyd', 'viewer'),
          event('join_request.created', 'r2'),
          queued('r2', 'bea')
        )
      const state = { line: ['r2'], requests }
      expect(overtaken({ ...state, events: events(approved) }, typed)).toEqual([])
      expect(overtaken({ ...state, events: events() }, typed)).toEqual([])
      const last = events().slice(0, 3)
      expect(overtaken({ ...state, events: last }, typed)).toHaveLength(1)
      const replaced = [...last, { ...event('role.deleted', 'own'), sequence: 4 }]
      expect(overtaken({ ...state, events: replaced }, typed)).toEqual([])
    })
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
