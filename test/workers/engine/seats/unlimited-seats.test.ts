import { describe, expect, it } from 'vitest'
import { createOrganization, d1Seats, seatUsage, setSeatLimit } from '../../../../src/index.ts'
import {
  readState,
  violationsIn,
  add,
  unwrap,
  codeOf,
  createKit,
  leave,
  newUsers,
} from '../../../kit/index.ts'

describe('without seat accounting', () => {
  it('there is no limit to set, no limit to reach, and no seat event', async () => {
    const kit = createKit({ provider: 'unlimited' })
    const { seatgate } = kit
    const organization = await kit.organization()
    const refused = await setSeatLimit(seatgate, organization.asOperator, { limit: 1 })
    expect(refused).toMatchObject({
      ok: false,
      error: {
        code: 'validation_error',
        errors: { limit: ['This seat provider does not limit seats.'] },
      },
    })
    const [ann, ben] = await newUsers(2)
    for (const userId of [ann, ben]) {
      expect(codeOf(await add(kit, organization, userId))).toBe('ok')
    }
    expect(codeOf(await leave(kit, organization, ann!))).toBe('ok')
    const usage = unwrap(await seatUsage(seatgate, organization.asOperator))
    expect(usage).toMatchObject({ limit: 'unlimited', available: 'unlimited', overLimit: false })
    const state = await readState(organization.id)
    expect(state.events.map(({ action }) => action)).toEqual([
      'organization.create',
      'organization.member_add',
      'organization.member_add',
      'organization.member_remove',
    ])
    expect(violationsIn(state, { quiet: true, seatsCounted: false })).toEqual([])
  })
})

describe('a host’s own provider', () => {
  it('may refuse a founder as unavailable alone: no limit applies to them', async () => {
    const full = { code: 'seat_limit_reached', limit: 0, used: 0 } as const
    const seatgate = {
      ...createKit().seatgate,
      seats: { ...d1Seats(), reserve: async () => ({ ok: false, error: full }) as const },
    }
    const scope = { caller: { userId: 'ada' } }
    const made = await createOrganization(seatgate, scope, { name: 'Acme' })
    expect(codeOf(made)).toBe('seats_unavailable')
  })
})
