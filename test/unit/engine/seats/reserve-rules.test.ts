import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { backoffSeconds } from '../../../../src/base/async.ts'
import {
  finite,
  limitView,
  seatLimit,
  unknown,
  unlimited,
  usageView,
} from '../../../../src/engine/seats/limit.ts'
import {
  decideReserve,
  refusalAt,
  type LedgerFacts,
  type LedgerSeat,
} from '../../../../src/engine/seats/reserve-rules.ts'

const count = fc.nat({ max: 1000 })
const anyLimit = fc.oneof(count.map(finite), fc.constant(unlimited), fc.constant(unknown))
const name = fc.constantFrom('ann', 'ben', 'cem')
const anySeat = fc.record({
  seatId: fc.constantFrom('s1', 's2'),
  holder: name,
  state: fc.constantFrom('reserved' as const, 'held' as const),
})
const anyFacts: fc.Arbitrary<LedgerFacts> = fc.record({
  limit: anyLimit,
  held: count,
  reserved: count,
  sameSeat: fc.option(anySeat),
  sameHolder: fc.option(anySeat),
})

describe('reading a limit', () => {
  it.each([
    [0, finite(0)],
    [1, finite(1)],
    [10, finite(10)],
    [Number.MAX_SAFE_INTEGER, finite(Number.MAX_SAFE_INTEGER)],
    ['unlimited', unlimited],
    [-1, unknown],
    [1.5, unknown],
    [NaN, unknown],
    [Infinity, unknown],
    [-Infinity, unknown],
    [Number('1e999'), unknown],
    [2 ** 53, unknown],
    [null, unknown],
    [undefined, unknown],
    ['', unknown],
    ['0', unknown],
    ['10', unknown],
    ['ten', unknown],
    ['Unlimited', unknown],
    ['unknown', unknown],
    [true, unknown],
    [false, unknown],
    [[], unknown],
    [[10], unknown],
    [{}, unknown],
    [{ kind: 'unlimited' }, unknown],
    [{ valueOf: () => 10 }, unknown],
    [10n, unknown],
  ])('%o is %o [BILL-23 MUSEUM-14]', (value, limit) => {
    expect(seatLimit(value)).toEqual(limit)
  })

  it('only a whole number from 0 becomes a limit [BILL-23]', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        const limit = seatLimit(value)
        if (limit.kind === 'finite') {
          expect(Number.isSafeInteger(value) && (value as number) >= 0).toBe(true)
          expect(limit.seats).toBe(value)
        } else {
          expect(limit.kind).toBe(value === 'unlimited' ? 'unlimited' : 'unknown')
        }
      })
    )
    fc.assert(
      fc.property(fc.double(), (value) => {
        expect(seatLimit(value).kind).toBe(
          Number.isSafeInteger(value) && value >= 0 ? 'finite' : 'unknown'
        )
      })
    )
  })

  it('the client’s view reads as the same limit again [BILL-23]', () => {
    fc.assert(
      fc.property(anyLimit, (limit) => {
        expect(seatLimit(limitView(limit))).toEqual(limit)
      })
    )
  })
})

describe('deciding on a seat', () => {
  it('gives a seat exactly while there is room [SEAT-2]', () => {
    fc.assert(
      fc.property(count, count, (seats, used) => {
        expect(refusalAt(finite(seats), used)).toEqual(
          used < seats ? null : { code: 'seat_limit_reached', limit: seats, used }
        )
      })
    )
  })

  it('0 admits no user, unlimited every user, unknown no user and without numbers [MUSEUM-14]', () => {
    fc.assert(
      fc.property(count, (used) => {
        expect(refusalAt(finite(0), used)).toEqual({ code: 'seat_limit_reached', limit: 0, used })
        expect(refusalAt(unlimited, used)).toBeNull()
        expect(refusalAt(unknown, used)).toEqual({ code: 'seats_unavailable' })
      })
    )
  })

  it('counts reserved seats like held ones', () => {
    fc.assert(
      fc.property(anyLimit, count, count, (limit, held, reserved) => {
        const decide = (facts: Pick<LedgerFacts, 'held' | 'reserved'>) =>
          decideReserve({ limit, sameSeat: null, sameHolder: null, ...facts }, 'ann')
        expect(decide({ held, reserved })).toEqual(decide({ held: reserved, reserved: held }))
      })
    )
  })

  it('never gives a seat to a user who has one, nor a seat that a user has', () => {
    fc.assert(
      fc.property(anyFacts, name, (facts, holder) => {
        const decision = decideReserve(facts, holder)
        const taken = facts.sameSeat !== null || facts.sameHolder !== null
        if (decision.kind === 'reserve') {
          expect(taken).toBe(false)
          expect(refusalAt(facts.limit, facts.held + facts.reserved)).toBeNull()
        }
        if (decision.kind === 'repeat') expect(facts.sameSeat?.holder).toBe(holder)
      })
    )
  })

  it('a holder of a seat or of a claim is refused as such at any limit [SEAT-12]', () => {
    fc.assert(
      fc.property(anyFacts, anySeat, (facts, seat) => {
        const { holder, state } = seat
        expect(decideReserve({ ...facts, sameSeat: null, sameHolder: seat }, holder)).toEqual({
          kind: 'refuse',
          refusal: { code: state === 'held' ? 'already_member' : 'operation_in_progress' },
        })
        expect(decideReserve({ ...facts, sameSeat: seat }, holder)).toEqual({ kind: 'repeat' })
        expect(decideReserve({ ...facts, sameSeat: seat }, 'somebody else')).toEqual({
          kind: 'refuse',
          refusal: { code: 'operation_in_progress' },
        })
      })
    )
  })

  it('after any sequence of requests no user is above the limit or there twice [SEAT-2]', () => {
    const request = fc.record({ seatId: fc.nat({ max: 20 }).map(String), holder: name })
    const freed = fc.nat({ max: 20 }).map(String)
    const steps = fc.array(fc.oneof(request, freed), { maxLength: 60 })
    fc.assert(
      fc.property(fc.nat({ max: 4 }), steps, (seats, sequence) => {
        const taken: LedgerSeat[] = []
        for (const step of sequence) {
          if (typeof step === 'string') {
            const index = taken.findIndex(({ seatId }) => seatId === step)
            if (index >= 0) taken.splice(index, 1)
            continue
          }
          const before = taken.length
          const decision = decideReserve(
            {
              limit: finite(seats),
              held: 0,
              reserved: before,
              sameSeat: taken.find(({ seatId }) => seatId === step.seatId) ?? null,
              sameHolder: taken.find(({ holder }) => holder === step.holder) ?? null,
            },
            step.holder
          )
          if (decision.kind === 'reserve') taken.push({ ...step, state: 'reserved' })
          if (decision.kind === 'refuse' && decision.refusal.code === 'seat_limit_reached') {
            expect(decision.refusal).toMatchObject({ limit: seats, used: seats })
          }
        }
        expect(taken.length).toBeLessThanOrEqual(seats)
        expect(new Set(taken.map(({ holder }) => holder)).size).toBe(taken.length)
        expect(new Set(taken.map(({ seatId }) => seatId)).size).toBe(taken.length)
      })
    )
  })
})

describe('showing the use of seats', () => {
  const anyCount = fc.record({ limit: anyLimit, version: count, held: count, reserved: count })

  it('returns the limit, the used seats and whether they exceed it', () => {
    fc.assert(
      fc.property(anyCount, (seats) => {
        const view = usageView(seats)
        const used = seats.held + seats.reserved
        const { limit, version, held, reserved } = seats
        expect(view).toMatchObject({ limit: limitView(limit), version, held, reserved })
        if (limit.kind !== 'finite') {
          expect(view).toMatchObject({ available: limit.kind, overLimit: false })
          return
        }
        expect(view.available).toBeGreaterThanOrEqual(0)
        expect(view.overLimit).toBe(used > limit.seats)
        if (!view.overLimit) expect(Number(view.available) + used).toBe(limit.seats)
      })
    )
  })

  it('shows room exactly where a seat would be given', () => {
    fc.assert(
      fc.property(anyCount, (seats) => {
        const { available } = usageView(seats)
        const given = refusalAt(seats.limit, seats.held + seats.reserved) === null
        expect(given).toBe(available !== 0 && available !== 'unknown')
      })
    )
  })
})

describe('waiting after failures', () => {
  const attempt = fc.integer({ min: 1, max: 5000 })
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

  it('waits longer after each failure, with a random addition of at most a quarter, and never over 15 hours [FWD-32]', () => {
    fc.assert(
      fc.property(attempt, random, (attempts, chance) => {
        const seconds = backoffSeconds(attempts, () => chance)
        const least = backoffSeconds(attempts, () => 0)
        expect(seconds).toBeGreaterThanOrEqual(least)
        expect(seconds).toBeLessThanOrEqual(least * 1.25)
        expect(least).toBeGreaterThanOrEqual(1)
        expect(least).toBeLessThanOrEqual(12 * 60 * 60)
        expect(backoffSeconds(attempts + 1, () => 0)).toBeGreaterThanOrEqual(least)
        expect(Number.isFinite(seconds)).toBe(true)
      })
    )
  })

  it('starts at a second, doubles, and stays at 12 hours [FWD-32]', () => {
    const seconds = [1, 2, 3, 4, 16, 17, 18, 1100].map((attempts) =>
      backoffSeconds(attempts, () => 0)
    )
    expect(seconds).toEqual([1, 2, 4, 8, 32_768, 43_200, 43_200, 43_200])
  })

  it('two sinks that failed together are retried at different times [FWD-32]', () => {
    fc.assert(
      fc.property(attempt, random, random, (attempts, one, other) => {
        fc.pre(Math.abs(one - other) > 1e-9)
        expect(backoffSeconds(attempts, () => one)).not.toBe(backoffSeconds(attempts, () => other))
      })
    )
  })
})
