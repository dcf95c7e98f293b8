import { describe, expect, it } from 'vitest'
import type { Around } from '../../../bench/meter.ts'
import { loadActiveOrganization as load, putActiveOrganization as put } from '../../../src/index.ts'
import {
  isChange,
  meanwhile,
  pointerOf,
  sessionOf,
  askWhere,
  stalePointer,
  belonging,
  callers,
  gate,
  losses,
  moveBy,
  movesOf,
  queryOf,
  unwrap,
  codeOf,
  createKit,
  newUser,
} from '../../kit/index.ts'

const { seatgate } = createKit({ provider: 'unlimited' })

/** Holds every change back until so many are ready to be made. */
function together(count: number): Around {
  const pass = gate(count)
  const held = new Set<unknown>()
  return async (trip, run) => {
    if (isChange(trip.asked) && held.size < count) {
      held.add(trip)
      await pass()
    }
    return run()
  }
}

describe('many requests with one stale pointer', () => {
  for (const loss of losses) {
    it.each([0, 1, 2])(
      `leave exactly one event where ${loss}, with %i other organizations [PIPE-21]`,
      async (others) => {
        const who = await stalePointer(loss, others)
        const to = others === 1 ? who.others[0]!.id : null
        const crowd = createKit({ provider: 'unlimited', around: together(20) }).seatgate
        const answers = await Promise.all(
          Array.from({ length: 20 }, (_, index) =>
            askWhere(crowd, Object.values(callers)[index % 2]!(crowd, who))
          )
        )
        expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200))
        const places = answers.map(({ variables }) => variables.organization?.id ?? null)
        expect(places.filter((place) => place !== null)).toEqual(to === null ? [] : [to])
        expect(await pointerOf(who.session)).toBe(to)
        expect(await movesOf(who.lost.id)).toEqual([
          moveBy(who.userId, who.lost.id, 'active_auto_reassigned', who.lost.id, to),
        ])
        const { organization } = await load(seatgate, { caller: queryOf(seatgate, who.session) })
        expect(organization?.id ?? null).toBe(to)
      }
    )
  }
})

describe('a deliberate switch', () => {
  it.each([1, 2])(
    'is not overwritten by a recovery that began before it, with %i other organizations [PIPE-12 PIPE-21]',
    async (others) => {
      for (const target of [others - 1, null]) {
        const who = await stalePointer('the membership is gone', others)
        const to = target === null ? null : who.others[target]!.id
        const racing = createKit({
          provider: 'unlimited',
          around: meanwhile(async () =>
            unwrap(await put(seatgate, { caller: queryOf(seatgate, who.session) }, to))
          ),
        }).seatgate
        const { status, variables } = await askWhere(racing, who.caller)
        expect(status).toBe(200)
        expect(variables.organization).toBeNull()
        expect(await pointerOf(who.session)).toBe(to)
        expect(await movesOf(to ?? who.lost.id)).toEqual([
          moveBy(who.userId, to ?? who.lost.id, 'active_switched', who.lost.id, to),
        ])
      }
    }
  )

  it('follows a faster recovery, and records its origin [PIPE-12]', async () => {
    const who = await stalePointer('the membership is gone', 2)
    const [, target] = who.others
    const racing = createKit({
      provider: 'unlimited',
      around: meanwhile(() => load(seatgate, { caller: queryOf(seatgate, who.session) })),
    }).seatgate
    unwrap(await put(racing, { caller: queryOf(racing, who.session) }, target!.id))
    expect(await pointerOf(who.session)).toBe(target!.id)
    expect(await movesOf(who.lost.id)).toMatchObject([
      { metadata: { from: who.lost.id, to: null } },
    ])
    expect(await movesOf(target!.id)).toMatchObject([{ metadata: { from: null, to: target!.id } }])
  })

  it('is refused as transient if the pointer has moved since the caller read it', async () => {
    const userId = await newUser()
    const [a, b, c] = await belonging(userId, 3)
    const session = await sessionOf(userId, a!.id)
    const caller = { userId, session }
    unwrap(await put(seatgate, { caller }, b!.id))
    expect(codeOf(await put(seatgate, { caller }, c!.id))).toBe('operation_in_progress')
    expect(await pointerOf(session)).toBe(b!.id)
    expect(await movesOf(c!.id)).toEqual([])
  })

  it('leaves a trail without a gap where ten of one session meet [PIPE-12]', async () => {
    const userId = await newUser()
    const homes = await belonging(userId, 11)
    const [start, ...targets] = homes
    const session = await sessionOf(userId, start!.id)
    const crowd = createKit({ provider: 'unlimited', around: together(10) }).seatgate
    const answers = await Promise.all(
      targets.map(({ id }) => put(crowd, { caller: queryOf(crowd, session) }, id))
    )
    const codes = answers.map(codeOf)
    expect(codes.filter((code) => code !== 'ok' && code !== 'operation_in_progress')).toEqual([])
    const moves = new Map<string | null, string | null>()
    for (const { id } of homes) {
      for (const { metadata } of await movesOf(id)) moves.set(metadata.from, metadata.to)
    }
    expect(moves.size).toBe(codes.filter((code) => code === 'ok').length)
    expect(moves.size).toBeGreaterThan(0)
    let at: string | null = start!.id
    for (let step = 0; step < moves.size; step++) at = moves.get(at) ?? null
    expect(at).toBe(await pointerOf(session))
  })
})
