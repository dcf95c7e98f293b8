import { describe, expect, it } from 'vitest'
import {
  addMember,
  createOrganization,
  removeMember,
  setSeatLimit,
  type AddedMember,
  type Result,
} from '../../../../src/index.ts'
import {
  ledgersWithoutOrganization,
  readState,
  violations,
  add,
  unwrap,
  codeOf,
  createKit,
  eachWay,
  enforcing,
  newUser,
  type Kit,
  atScale,
} from '../../../kit/index.ts'

const ROUNDS = atScale({ share: 1, thorough: 5 })

describe('the same person', () => {
  eachWay(
    'added ten times at once has one membership and one seat [MUSEUM-09 SEAT-9]',
    async ({ calm, kit }) => {
      for (let round = 0; round < ROUNDS; round++) {
        const organization = await calm.organization({ seats: 10 })
        const person = await newUser()
        const answers = await tenTimes(() => add(kit, organization, person))
        await kit.settled()
        expectOneAdmission(answers)
        expect((await readState(organization.id)).members).toHaveLength(2)
        expect(await violations(organization.id, { quiet: true })).toEqual([])
      }
    }
  )

  eachWay(
    'a user who got the last seat is never refused for want of it [SEAT-12]',
    async ({ calm, kit }) => {
      for (let round = 0; round < ROUNDS; round++) {
        const organization = await calm.organization({ seats: 2 })
        const person = await newUser()
        const answers = await tenTimes(() => add(kit, organization, person))
        await kit.settled()
        expectOneAdmission(answers)
        expect(await violations(organization.id, { quiet: true })).toEqual([])
      }
    }
  )
})

describe('the same operation', () => {
  eachWay(
    'ten at once under one id are one, and always get the same answer [SEAT-18]',
    async ({ calm, kit }) => {
      for (let round = 0; round < ROUNDS; round++) {
        const organization = await calm.organization({ seats: 2 })
        const person = await newUser()
        const operationId = crypto.randomUUID()
        const once = (at: Kit, userId = person) =>
          addMember(
            at.seatgate,
            organization.as(organization.owner),
            { userId, role: 'member' },
            { operationId }
          )
        const answers = await tenTimes(() => once(kit))
        await kit.settled()

        const first = await once(calm)
        expect(first).toMatchObject({ ok: true, value: { created: true } })
        for (const answer of answers) {
          expect([first, refusal('operation_in_progress')]).toContainEqual(answer)
        }
        expect(answers.map(codeOf)).toContain('ok')
        expect((await readState(organization.id)).members).toHaveLength(2)
        expect(await violations(organization.id, { quiet: true })).toEqual([])

        expect(await once(calm, await newUser())).toEqual(refusal('idempotency_mismatch'))
        unwrap(await removeMember(calm.seatgate, organization.as(organization.owner), person))
        expect(await once(calm)).toEqual(first)
        expect((await readState(organization.id)).members).toHaveLength(1)
      }
    }
  )

  it.each(enforcing)(
    'a refusal stays the answer when a seat is free later (%s) [SEAT-18]',
    async (provider) => {
      const kit = createKit({ provider })
      const organization = await kit.organization({ seats: 2, members: 2 })
      const userId = await newUser()
      const operationId = crypto.randomUUID()
      const once = (operation: string) =>
        addMember(
          kit.seatgate,
          organization.as(organization.owner),
          { userId, role: 'member' },
          { operationId: operation }
        )
      const full = { code: 'seat_limit_reached', limit: 2, used: 2 }
      expect(await once(operationId)).toEqual({ ok: false, error: full })
      unwrap(await setSeatLimit(kit.seatgate, organization.asOperator, { limit: 3 }))
      expect(await once(operationId)).toEqual({ ok: false, error: full })
      expect(codeOf(await once(crypto.randomUUID()))).toBe('ok')
    }
  )

  it('ten creations at once under one id make one organization and one ledger [SEAT-18]', async () => {
    const kit = createKit({ delayMs: 5 })
    const userId = await newUser()
    const slug = `t${crypto.randomUUID().replaceAll('-', '')}`
    const operationId = crypto.randomUUID()
    const create = () =>
      createOrganization(
        kit.seatgate,
        { caller: { userId } },
        { name: 'Test', slug },
        { operationId }
      )
    const answers = await tenTimes(create)
    await kit.settled()
    const first = await create()
    for (const answer of answers) {
      expect([first, refusal('operation_in_progress')]).toContainEqual(answer)
    }
    const { id } = unwrap(first)
    expect(await violations(id, { quiet: true })).toEqual([])
    expect(await ledgersWithoutOrganization()).toEqual([])
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
