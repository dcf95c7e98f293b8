import { describe, expect, it } from 'vitest'
import {
  atScale,
  createKit,
  enforcingOr,
  readLedger,
  readState,
  seeded,
  unwrap,
  violationsIn,
  type KitOptions,
} from '../../kit/index.ts'
import { changeAtOnce, joinMany, moveAtRandom, PATIENCE_MS, PATIENT } from './role-rush.ts'

const typed = (light: number) =>
  ({
    roles: ['owner', 'member', 'viewer', 'partner'],
    ownerRole: 'owner',
    invitationAdminRoles: ['owner'],
    seatTypes: {
      light: { roles: ['viewer'], defaultLimit: light },
      partner: { roles: ['partner'] },
    },
  }) satisfies KitOptions

const TYPE_OF: Readonly<Record<string, string>> = { viewer: '~light/', partner: '~partner/' }

/** Every member has one seat, of the type of their role, and each ledger has exactly those of its type. */
async function expectPlaced(id: string, provider: string) {
  const state = await readState(id)
  for (const { role, seat_id } of state.members) {
    const prefix = TYPE_OF[role]
    if (prefix === undefined) expect(seat_id).not.toMatch(/^~/)
    else expect(seat_id?.slice(0, prefix.length)).toBe(prefix)
  }
  expect(violationsIn(state, { quiet: true })).toEqual([])
  if (provider !== 'ledger') return state
  for (const prefix of Object.values(TYPE_OF)) {
    const ledger = await readLedger(`${id}~seats/${prefix.slice(1, -1)}`)
    const there = state.members.flatMap(({ seat_id }) =>
      seat_id?.startsWith(prefix) ? [seat_id] : []
    )
    expect((ledger?.seats ?? []).map(({ seat_id }) => seat_id).toSorted()).toEqual(there.toSorted())
    expect(ledger?.held ?? 0).toBe(there.length)
  }
  return state
}

describe.each(enforcingOr('ledger'))(
  'transfers between types of seats at once, %s seats',
  (provider) => {
    it(
      'of a hundred into 37 seats give 37, and the others keep theirs [SEAT-30]',
      async () => {
        const kit = createKit({ ...typed(37), provider, ledger: PATIENT })
        const organization = await kit.organization({ seats: 1 })
        const partners = await joinMany(organization, 100, 'partner')
        const full = { limit: 37, used: 37, seatType: 'light' }
        const moved = await changeAtOnce(kit, organization, partners, ['viewer', full])
        expect(moved).toHaveLength(37)
        const { members } = await expectPlaced(organization.id, provider)
        const viewers = members.filter(({ role }) => role === 'viewer')
        expect(viewers.map(({ user_id }) => user_id).toSorted()).toEqual(moved)
        expect(await organization.seats()).toMatchObject({
          held: 1,
          types: { light: { held: 37, reserved: 0 }, partner: { held: 63, reserved: 0 } },
        })
      },
      PATIENCE_MS
    )

    it(
      'and back, again and again: at no time above either limit, and no member without a seat [SEAT-30]',
      async () => {
        const kit = createKit({ ...typed(3), provider, ledger: PATIENT })
        const random = seeded(30)
        for (let round = 0; round < atScale({ share: 2, thorough: 12 }); round++) {
          const organization = await kit.organization({ seats: 4 })
          const people = [
            ...(await joinMany(organization, 2, 'viewer')),
            ...(await joinMany(organization, 3, 'member')),
          ]
          await moveAtRandom(kit, organization, people, {
            roles: ['viewer', 'member'],
            random,
            async look() {
              const { members } = await readState(organization.id)
              const light = members.filter(({ seat_id }) => seat_id?.startsWith('~light/')).length
              expect(members.filter(({ seat_id }) => seat_id === null)).toEqual([])
              expect(light).toBeLessThanOrEqual(3)
              expect(members.length - light).toBeLessThanOrEqual(4)
            },
          })
          await expectPlaced(organization.id, provider)
          // The seats that were left are free.
          const { held, types } = await organization.seats()
          expect(held + (types?.['light']?.held ?? 0)).toBe(6)
          unwrap(await organization.add(undefined, held < 4 ? 'member' : 'viewer'))
        }
      },
      PATIENCE_MS
    )
  }
)
