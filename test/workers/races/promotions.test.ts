import { describe, expect, it } from 'vitest'
import { changeRole, type Result } from '../../../src/index.ts'
import {
  atScale,
  createKit,
  enforcing,
  readState,
  seeded,
  unwrap,
  violationsIn,
  type KitOptions,
} from '../../kit/index.ts'

const GUESTS = {
  roles: ['owner', 'member', 'guest'],
  ownerRole: 'owner',
  invitationAdminRoles: ['owner'],
  seatlessRoles: ['guest'],
} satisfies KitOptions

const PATIENT = { timeoutSeconds: 3600, reservationSeconds: 3600 }
const PATIENCE_MS = 600_000

describe.each(enforcing)('promotions at once, %s seats', (provider) => {
  const kit = createKit({ ...GUESTS, provider, ledger: PATIENT })

  it(
    'of a hundred into 37 seats give 37 [SEAT-20 SEAT-30]',
    async () => {
      const organization = await kit.organization({ seats: 38 })
      const guests = await Promise.all(
        Array.from({ length: 100 }, () => organization.join('guest'))
      )
      const answers: Result<unknown>[] = await Promise.all(
        guests.map((userId) =>
          changeRole(kit.seatgate, organization.as(organization.owner), userId, { role: 'member' })
        )
      )
      await kit.settled()
      const refusals = answers.flatMap((answer) =>
        answer.ok ? [] : [JSON.stringify(answer.error)]
      )
      expect(refusals).toHaveLength(63)
      const full = JSON.stringify({ code: 'seat_limit_reached', limit: 38, used: 38 })
      expect(refusals.filter((refusal) => refusal !== full)).toEqual([])
      const state = await readState(organization.id)
      const promoted = state.members.filter(({ role }) => role === 'member')
      expect(promoted.map(({ user_id }) => user_id).toSorted()).toEqual(
        guests.filter((_, index) => answers[index]?.ok).toSorted()
      )
      expect(state.counts).toMatchObject({ active: 101, seats: 38 })
      expect(violationsIn(state, { quiet: true })).toEqual([])
    },
    PATIENCE_MS
  )

  it(
    'and the way back, of all of them again and again: at no time above the limit [SEAT-30]',
    async () => {
      const random = seeded(37)
      for (let round = 0; round < atScale({ share: 2, thorough: 12 }); round++) {
        const organization = await kit.organization({ seats: 4 })
        const people = [
          ...(await Promise.all(Array.from({ length: 3 }, () => organization.join('guest')))),
          ...(await Promise.all(Array.from({ length: 3 }, () => organization.join('member')))),
        ]
        await Promise.all(
          Array.from({ length: 36 }, async () => {
            const userId = people[Math.floor(random() * people.length)]!
            const role = random() < 0.5 ? 'guest' : 'member'
            const scope = organization.as(organization.owner)
            await changeRole(kit.seatgate, scope, userId, { role })
            const { counts } = await readState(organization.id)
            expect(counts?.seats).toBeLessThanOrEqual(4)
          })
        )
        await kit.settled()
        const state = await readState(organization.id)
        const seated = state.members.filter(({ seat_id }) => seat_id !== null)
        expect(seated.map(({ role }) => role)).not.toContain('guest')
        expect(seated).toHaveLength(state.members.filter(({ role }) => role !== 'guest').length)
        expect(violationsIn(state, { quiet: true })).toEqual([])
        // And what was freed can be used.
        unwrap(await organization.add(undefined, 'guest'))
      }
    },
    PATIENCE_MS
  )
})
