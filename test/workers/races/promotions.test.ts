import { describe, expect, it } from 'vitest'
import {
  atScale,
  createKit,
  enforcingOr,
  readState,
  seeded,
  unwrap,
  violationsIn,
  type KitOptions,
} from '../../kit/index.ts'
import { changeAtOnce, joinMany, moveAtRandom, PATIENCE_MS, PATIENT } from './role-rush.ts'

const GUESTS = {
  roles: ['owner', 'member', 'guest'],
  ownerRole: 'owner',
  invitationAdminRoles: ['owner'],
  seatlessRoles: ['guest'],
} satisfies KitOptions

describe.each(enforcingOr('ledger'))('promotions at once, %s seats', (provider) => {
  const kit = createKit({ ...GUESTS, provider, ledger: PATIENT })

  it(
    'of a hundred into 37 seats give 37 [SEAT-20 SEAT-30]',
    async () => {
      const organization = await kit.organization({ seats: 38 })
      const guests = await joinMany(organization, 100, 'guest')
      const full = { limit: 38, used: 38 }
      const promoted = await changeAtOnce(kit, organization, guests, ['member', full])
      expect(promoted).toHaveLength(37)
      const state = await readState(organization.id)
      const members = state.members.filter(({ role }) => role === 'member')
      expect(members.map(({ user_id }) => user_id).toSorted()).toEqual(promoted)
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
          ...(await joinMany(organization, 3, 'guest')),
          ...(await joinMany(organization, 3, 'member')),
        ]
        await moveAtRandom(kit, organization, people, {
          roles: ['guest', 'member'],
          random,
          async look() {
            const { counts } = await readState(organization.id)
            expect(counts?.seats).toBeLessThanOrEqual(4)
          },
        })
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
