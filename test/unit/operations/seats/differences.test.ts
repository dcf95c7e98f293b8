import { describe, expect, it } from 'vitest'
import type { CarriedSeat } from '../../../../src/engine/seats/assigned-seats.ts'
import {
  differencesBetween,
  differencesWithin,
  nothingUnheard,
  type Expected,
} from '../../../../src/operations/seats/differences.ts'
import { finite, unlimited } from '../../../../src/engine/seats/limit.ts'
import type { SeatInspection } from '../../../../src/engine/seats/provider.ts'

type Entry = SeatInspection['seats'][number]

const NOW = new Date(1_000_000_000)
const LONG_AGO = new Date(0)
const PROMISE = 'invitation:s'
// A reservation of 30 seconds, and a minute that clocks may be apart.
const PATIENCE_MS = 90_000

const later = (milliseconds: number) => new Date(NOW.getTime() + milliseconds)
const member: CarriedSeat = { seatId: 's', holder: 'ann', until: null, changedAt: LONG_AGO }
const promise = (ms: number): CarriedSeat => ({ ...member, holder: PROMISE, until: later(ms) })
const held: Entry = { seatId: 's', holder: 'ann', state: 'held', remainingMs: null }
const reserved = (remainingMs: number, holder = 'ann'): Entry => ({
  ...held,
  holder,
  state: 'reserved',
  remainingMs,
})

function kindsOf(
  seats: readonly CarriedSeat[],
  entries: readonly Entry[],
  expected: Partial<Expected> = {},
  ledger: Partial<SeatInspection> = {}
): readonly string[] {
  const same = { organizationId: 'o', epoch: 7, version: 3, limit: finite(5) }
  return differencesBetween(
    {
      ...same,
      seats: new Map(seats.map((seat) => [seat.seatId, seat])),
      unheard: nothingUnheard,
      now: NOW,
      ...expected,
    },
    {
      ...same,
      held: entries.filter(({ state }) => state === 'held').length,
      reserved: entries.filter(({ state }) => state === 'reserved').length,
      seats: entries,
      reservationSeconds: 30,
      ...ledger,
    }
  ).map(({ kind }) => kind)
}

const heard = (unheard: Partial<Expected['unheard']>) => ({
  unheard: { ...nothingUnheard, ...unheard },
})

describe('a seat on both sides', () => {
  it.each<[string, CarriedSeat, Entry, string[]]>([
    ['of a member, held', member, held, []],
    ['of a member, under their invitation’s name', member, { ...held, holder: PROMISE }, []],
    ['of a member, under another name', member, { ...held, holder: 'bob' }, ['seat_holder']],
    ['of a member, settled soon', member, reserved(PATIENCE_MS), []],
    ['of a member, settled late', member, reserved(PATIENCE_MS + 1), ['seat_state']],
    ['of a member, whose deadline is over', member, reserved(-3_600_000), []],
    [
      'of a member, settled late, but only just let in',
      { ...member, changedAt: later(-PATIENCE_MS) },
      reserved(PATIENCE_MS + 1),
      [],
    ],
    ['promised', promise(600_000), reserved(600_000, PROMISE), []],
    ['promised, settled sooner', promise(600_000), reserved(1, PROMISE), []],
    ['promised, a little longer', promise(600_000), reserved(690_000, PROMISE), []],
    ['promised, too long', promise(600_000), reserved(690_001, PROMISE), ['seat_deadline']],
    [
      'promised, too long, but only just sent again',
      { ...promise(600_000), changedAt: later(-PATIENCE_MS) },
      reserved(690_001, PROMISE),
      [],
    ],
    ['promised and held', promise(600_000), { ...held, holder: PROMISE }, ['seat_state']],
    ['promised to somebody else', promise(600_000), reserved(600_000), ['seat_holder']],
  ])('%s [SEAT-34]', (_what, seat, entry, kinds) => {
    expect(kindsOf([seat], [entry])).toEqual(kinds)
  })
})

describe('a seat on one side', () => {
  it.each<[string, CarriedSeat[], Entry[], string[]]>([
    ['a member’s', [member], [], ['unknown_seat']],
    ['an invitation’s', [promise(60_001)], [], ['unknown_seat']],
    ['that of an invitation which may be over for the ledger', [promise(60_000)], [], []],
    ['held', [], [held], ['leaked_seat']],
    ['reserved, and settled soon', [], [reserved(PATIENCE_MS)], []],
    ['reserved for long', [], [reserved(PATIENCE_MS + 1)], ['leaked_seat']],
  ])('%s [SEAT-34]', (_what, seats, entries, kinds) => {
    expect(kindsOf(seats, entries)).toEqual(kinds)
  })

  it('whose release is on its way [SEAT-34]', () => {
    expect(kindsOf([], [held], heard({ released: new Set(['s']) }))).toEqual([])
    expect(kindsOf([], [held], heard({ released: new Set(['t']) }))).toEqual(['leaked_seat'])
  })
})

describe('a ledger’s own record', () => {
  it('is its organization, its epoch, its limit and its counts [SEAT-34]', () => {
    expect(kindsOf([], [])).toEqual([])
    expect(kindsOf([], [], {}, { organizationId: 'p' })).toEqual(['foreign_ledger'])
    expect(kindsOf([], [], {}, { epoch: 6 })).toEqual(['epoch'])
    expect(kindsOf([], [], {}, { limit: finite(6) })).toEqual(['limit'])
    expect(kindsOf([], [], {}, { limit: unlimited })).toEqual(['limit'])
    expect(kindsOf([], [], {}, { version: 4 })).toEqual(['limit'])
    expect(kindsOf([], [], { limit: null, version: 0 }, { limit: null, version: 0 })).toEqual([])
    expect(kindsOf([], [], {}, { held: 1 })).toEqual(['ledger_count'])
    expect(kindsOf([], [], {}, { reserved: 1 })).toEqual(['ledger_count'])
  })

  it('may wait for a limit that is on its way, and for no other [SEAT-34]', () => {
    const old = { version: 2, limit: finite(9) }
    expect(kindsOf([], [], heard({ versions: new Set([3]) }), old)).toEqual([])
    expect(kindsOf([], [], heard({ versions: new Set([2]) }), old)).toEqual(['limit'])
    const ahead = { version: 4 }
    expect(kindsOf([], [], heard({ versions: new Set([3]) }), ahead)).toEqual(['limit'])
  })

  it('does not matter once it is to start again [SEAT-34]', () => {
    const renewed = heard({ renewed: new Set([7]) })
    expect(kindsOf([member], [], renewed, { held: 9 })).toEqual([])
    expect(kindsOf([member], [], renewed, { epoch: 8 })).toEqual(['epoch', 'unknown_seat'])
  })
})

describe('D1 alone', () => {
  const rows = { active: 2, suspended: 1, seats: 2 }
  const sound = {
    rows,
    counter: rows,
    seatless: [],
    misplaced: [],
    miscounted: [],
    needless: [],
    fenced: [],
  }

  it.each([
    ['nothing', {}, []],
    ['the counter of active members', { counter: { ...rows, active: 1 } }, ['member_count']],
    ['that of suspended ones', { counter: { ...rows, suspended: 0 } }, ['member_count']],
    ['that of seats', { counter: { ...rows, seats: 3 } }, ['member_count']],
    [
      'a member without a seat',
      { seatless: [['ann', 'member'] as const] },
      ['member_without_seat'],
    ],
    [
      'a seat that the role does not take',
      { needless: [{ userId: 'ann', seatId: 's' }] },
      ['needless_seat'],
    ],
    ['a fence', { fenced: ['s'] }, ['fenced_seat']],
  ])('%s [SEAT-34]', (_what, facts, kinds) => {
    expect(differencesWithin({ ...sound, ...facts }).map(({ kind }) => kind)).toEqual(kinds)
  })
})
