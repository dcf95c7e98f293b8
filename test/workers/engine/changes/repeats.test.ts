import { describe, expect, it } from 'vitest'
import {
  addMember,
  createOrganization,
  removeMember,
  setSeatLimit,
  type AddedMember,
  type Result,
} from '../../../../src/index.ts'
import { ledgersOfNobody, readState, violations } from '../../../kit/invariants.ts'
import {
  add,
  answered,
  codeOf,
  createWorld,
  eachWay,
  enforcing,
  newOrganization,
  newUser,
  organizationOf,
  type World,
} from '../../../kit/kit.ts'
import { atScale } from '../../../kit/scale.ts'

const ROUNDS = atScale({ share: 1, thorough: 5 })

describe('the same person', () => {
  eachWay(
    'MUSEUM-09 SEAT-9: added ten times at once has one membership and one seat',
    async ({ calm, world }) => {
      for (let round = 0; round < ROUNDS; round++) {
        const organization = await newOrganization(calm, 10)
        const person = await newUser()
        const answers = await tenTimes(() => add(world, organization, person))
        await world.settled()
        expectOneAdmission(answers)
        expect((await readState(organization.id)).members).toHaveLength(2)
        expect(await violations(organization.id, { quiet: true })).toEqual([])
      }
    }
  )

  eachWay(
    'SEAT-12: who got the last seat is never told that it is gone',
    async ({ calm, world }) => {
      for (let round = 0; round < ROUNDS; round++) {
        const organization = await newOrganization(calm, 2)
        const person = await newUser()
        const answers = await tenTimes(() => add(world, organization, person))
        await world.settled()
        expectOneAdmission(answers)
        expect(await violations(organization.id, { quiet: true })).toEqual([])
      }
    }
  )
})

describe('the same operation', () => {
  eachWay(
    'SEAT-18: ten at once under one id are one, and are answered alike for ever',
    async ({ calm, world }) => {
      for (let round = 0; round < ROUNDS; round++) {
        const organization = await newOrganization(calm, 2)
        const person = await newUser()
        const operationId = crypto.randomUUID()
        const once = (at: World, userId = person) =>
          addMember(
            at.seatgate,
            organization.as(organization.owner),
            { userId, role: 'member' },
            { operationId }
          )
        const answers = await tenTimes(() => once(world))
        await world.settled()

        const first = await once(calm)
        expect(first).toMatchObject({ ok: true, value: { created: true } })
        for (const answer of answers) {
          expect([first, refusal('operation_in_progress')]).toContainEqual(answer)
        }
        expect(answers.map(codeOf)).toContain('ok')
        expect((await readState(organization.id)).members).toHaveLength(2)
        expect(await violations(organization.id, { quiet: true })).toEqual([])

        expect(await once(calm, await newUser())).toEqual(refusal('idempotency_mismatch'))
        answered(await removeMember(calm.seatgate, organization.as(organization.owner), person))
        expect(await once(calm)).toEqual(first)
        expect((await readState(organization.id)).members).toHaveLength(1)
      }
    }
  )

  it.each(enforcing)(
    'SEAT-18: a refusal stays the answer when a seat is free later (%s)',
    async (provider) => {
      const world = createWorld({ provider })
      const organization = await organizationOf(world, 2, 2)
      const userId = await newUser()
      const operationId = crypto.randomUUID()
      const once = (operation: string) =>
        addMember(
          world.seatgate,
          organization.as(organization.owner),
          { userId, role: 'member' },
          { operationId: operation }
        )
      const full = { code: 'seat_limit_reached', limit: 2, used: 2 }
      expect(await once(operationId)).toEqual({ ok: false, error: full })
      answered(await setSeatLimit(world.seatgate, organization.asOperator, { limit: 3 }))
      expect(await once(operationId)).toEqual({ ok: false, error: full })
      expect(codeOf(await once(crypto.randomUUID()))).toBe('ok')
    }
  )

  it('SEAT-18: ten creations at once under one id make one organization and one ledger', async () => {
    const world = createWorld({ delayMs: 5 })
    const userId = await newUser()
    const slug = `t${crypto.randomUUID().replaceAll('-', '')}`
    const operationId = crypto.randomUUID()
    const create = () =>
      createOrganization(
        world.seatgate,
        { caller: { userId } },
        { name: 'Test', slug },
        { operationId }
      )
    const answers = await tenTimes(create)
    await world.settled()
    const first = await create()
    for (const answer of answers) {
      expect([first, refusal('operation_in_progress')]).toContainEqual(answer)
    }
    const { id } = answered(first)
    expect(await violations(id, { quiet: true })).toEqual([])
    expect(await ledgersOfNobody()).toEqual([])
  })
})

function tenTimes<T>(act: () => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: 10 }, act))
}

function refusal(code: string) {
  return { ok: false, error: { code } }
}

/** One of them let the person in; the others came too early or too late to do so. */
function expectOneAdmission(answers: readonly Result<AddedMember>[]): void {
  const created = answers.filter((answer) => answer.ok && answer.value.created)
  expect(created).toHaveLength(1)
  for (const answer of answers) expect(['ok', 'operation_in_progress']).toContain(codeOf(answer))
}
