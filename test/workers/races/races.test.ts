import { describe, expect, it } from 'vitest'
import {
  createOrganization,
  seatUsage,
  setSeatLimit,
  type AddedMember,
  type Result,
  type SeatUsage,
} from '../../../src/index.ts'
import {
  holdingBack,
  makesMember,
  ledgersWithoutOrganization,
  readLedger,
  readState,
  violations,
  violationsIn,
  atScale,
  add,
  unwrap,
  codeOf,
  createKit,
  eachWay,
  enforcing,
  join,
  leave,
  newUser,
  newUsers,
  type TestOrganization,
} from '../../kit/index.ts'

const RUSHES = atScale({ share: 3, thorough: 20 })
const ROUNDS = atScale({ share: 2, thorough: 4, whole: 20 })

describe('the last seats', () => {
  eachWay(
    'admits exactly as many as there are seats [SEAT-2 SEAT-4 SEAT-6 SEAT-7 MUSEUM-01 MUSEUM-17]',
    async ({ provider, calm, kit }) => {
      for (let round = 0; round < RUSHES; round++) {
        const organization = await calm.organization({ seats: 10 })
        const people = await newUsers(50)
        const answers = await Promise.all([
          ...people.map((userId) => add(kit, organization, userId)),
          watch(organization, provider === 'ledger'),
        ])
        await kit.settled()

        const outcomes = (answers as Result<AddedMember>[]).slice(0, people.length)
        const refused = outcomes.flatMap((answer) => (answer.ok ? [] : [answer.error]))
        expect(outcomes.filter(({ ok }) => ok)).toHaveLength(9)
        expect(refused).toEqual(
          Array.from({ length: 41 }, () => ({ code: 'seat_limit_reached', limit: 10, used: 10 }))
        )
        const state = await readState(organization.id)
        expect(state.members).toHaveLength(10)
        expect(violationsIn(state, { quiet: true })).toEqual([])
        for (const [index, answer] of outcomes.entries()) {
          const present = state.members.some(({ user_id }) => user_id === people[index])
          expect(present).toBe(answer.ok)
        }
      }
    },
    120_000
  )

  eachWay(
    'seats that are freed while others ask are never given twice [SEAT-23]',
    async ({ calm, kit }) => {
      for (let round = 0; round < 5; round++) {
        const organization = await calm.organization({ seats: 6 })
        const leaving = await Promise.all(Array.from({ length: 5 }, () => join(calm, organization)))
        const people = await newUsers(20)
        const [left, joined] = await Promise.all([
          Promise.all(leaving.map((userId) => leave(kit, organization, userId))),
          Promise.all(people.map((userId) => add(kit, organization, userId))),
        ])
        await kit.settled()
        expect(left.map(codeOf)).toEqual(leaving.map(() => 'ok'))
        for (const answer of joined) expect(['ok', 'seat_limit_reached']).toContain(codeOf(answer))
        expect(await violations(organization.id, { quiet: true })).toEqual([])

        // Whatever the race left free can be had, and no more.
        const after = []
        for (const userId of await newUsers(6)) {
          after.push(codeOf(await add(calm, organization, userId)))
        }
        await calm.settled()
        const free = 5 - joined.filter(({ ok }) => ok).length
        expect(after).toEqual(after.map((_, index) => (index < free ? 'ok' : 'seat_limit_reached')))
        expect(await violations(organization.id, { quiet: true })).toEqual([])
      }
    }
  )
})

describe('first use', () => {
  it('ten first requests at once start one ledger [MUSEUM-10]', async () => {
    const before = createKit({ provider: 'd1' })
    const kit = createKit()
    for (let round = 0; round < 10; round++) {
      const organization = await before.organization({ seats: 10 })
      expect(await readLedger(organization.id)).toBeNull()
      const people = await newUsers(5)
      const answers = await Promise.all(
        people.flatMap((userId): Promise<Result<AddedMember | SeatUsage>>[] => [
          add(kit, organization, userId),
          seatUsage(kit.seatgate, organization.as(organization.owner)),
        ])
      )
      await kit.settled()
      expect(answers.map(codeOf)).toEqual(answers.map(() => 'ok'))
      const state = await readState(organization.id)
      expect(state.ledger).toMatchObject({ epoch: state.epoch, held: 6, reserved: 0 })
      expect(violationsIn(state, { quiet: true })).toEqual([])
    }
  })

  it('a creation that lost the race for its slug leaves no trace [MUSEUM-17]', async () => {
    const kit = createKit({ delayMs: 5 })
    const slug = `t${crypto.randomUUID().replaceAll('-', '')}`
    const answers = await Promise.all(
      (await newUsers(5)).map((userId) =>
        createOrganization(kit.seatgate, { caller: { userId } }, { name: 'Test', slug })
      )
    )
    await kit.settled()
    expect(answers.map(codeOf).toSorted()).toEqual([
      'ok',
      ...Array.from({ length: 4 }, () => 'validation_error'),
    ])
    expect(await ledgersWithoutOrganization()).toEqual([])
  })
})

describe('a limit that is lowered while people join', () => {
  eachWay('the outcome is that of some order [MUSEUM-07 MUSEUM-08]', async ({ calm, kit }) => {
    for (let round = 0; round < ROUNDS; round++) {
      const organization = await calm.organization({ seats: 10 })
      const people = await newUsers(16)
      const before = (round * 3) % 8
      const adding = people.slice(0, before).map((userId) => add(kit, organization, userId))
      const lowering = setSeatLimit(kit.seatgate, organization.asOperator, { limit: 5 })
      adding.push(...people.slice(before).map((userId) => add(kit, organization, userId)))
      const lowered = unwrap(await lowering)
      const answers = await Promise.all(adding)
      await kit.settled()

      const state = await readState(organization.id)
      const used = state.members.length
      expect(used).toBe(1 + answers.filter(({ ok }) => ok).length)
      expect(used).toBeGreaterThanOrEqual(5)
      expect(used).toBeLessThanOrEqual(10)
      expect(violationsIn(state, { quiet: true, usedWhenLowered: used })).toEqual([])
      // Once the limit was lowered nobody came in above it.
      const then = lowered.held + lowered.reserved
      expect(lowered.limit).toBe(5)
      expect(used).toBe(Math.max(5, then))
      for (const answer of answers) {
        if (answer.ok) continue
        expect([
          { code: 'seat_limit_reached', limit: 5, used },
          { code: 'seat_limit_reached', limit: 10, used: 10 },
        ]).toContainEqual(answer.error)
        if ('limit' in answer.error && answer.error.limit === 10) expect(used).toBe(10)
      }
      const usage = unwrap(await seatUsage(calm.seatgate, organization.as(organization.owner)))
      expect(usage).toMatchObject({ limit: 5, held: used, overLimit: used > 5 })
    }
  })

  it('a user with a seat from before the limit fell joins, and the organization is over it [MUSEUM-07]', async () => {
    const { organization, calm, joining, letGo } = await joinHeldBeforeItsBatch('ledger')
    const lowered = unwrap(await setSeatLimit(calm.seatgate, organization.asOperator, { limit: 4 }))
    expect(lowered).toMatchObject({ limit: 4, held: 4, reserved: 1, overLimit: true })
    letGo()
    expect(codeOf(await joining)).toBe('ok')
    await calm.settled()
    expect(await violations(organization.id, { quiet: false, usedWhenLowered: 5 })).toEqual([])
    expect(await add(calm, organization, await newUser())).toEqual({
      ok: false,
      error: { code: 'seat_limit_reached', limit: 4, used: 5 },
    })
  })

  it('without a ledger the join meets the lowered limit in its batch [MUSEUM-08]', async () => {
    const { organization, calm, joining, letGo } = await joinHeldBeforeItsBatch('d1')
    const lowered = unwrap(await setSeatLimit(calm.seatgate, organization.asOperator, { limit: 4 }))
    expect(lowered).toMatchObject({ limit: 4, held: 4, overLimit: false })
    letGo()
    expect(await joining).toEqual({
      ok: false,
      error: { code: 'seat_limit_reached', limit: 4, used: 4 },
    })
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it('refuses a claim that is made after the limit was lowered [MUSEUM-07]', async () => {
    for (const provider of enforcing) {
      const kit = createKit({ provider })
      const organization = await kit.organization({ seats: 5, members: 4 })
      unwrap(await setSeatLimit(kit.seatgate, organization.asOperator, { limit: 4 }))
      expect(await add(kit, organization, await newUser())).toEqual({
        ok: false,
        error: { code: 'seat_limit_reached', limit: 4, used: 4 },
      })
    }
  })
})

/** Looks on while people join: no instant may be wrong. */
async function watch(organization: TestOrganization, ledger: boolean): Promise<void> {
  for (let look = 0; look < 4; look++) {
    const state = await readState(organization.id)
    const seen = ledger ? state : { ...state, ledger: null }
    expect(violationsIn(seen, { quiet: false })).toEqual([])
  }
}

/** Limit 5, four members, and a fifth whose batch waits. */
async function joinHeldBeforeItsBatch(provider: 'ledger' | 'd1') {
  const calm = createKit({ provider })
  const organization = await calm.organization({ seats: 5, members: 4 })
  const { around, reached, letGo } = holdingBack(makesMember)
  const joining = add(createKit({ provider, around }), organization, await newUser())
  await reached
  return { calm, organization, joining, letGo }
}
