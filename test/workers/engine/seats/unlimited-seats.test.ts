import { describe, expect, it } from 'vitest'
import { seatUsage, setSeatLimit } from '../../../../src/index.ts'
import { readState, violationsIn } from '../../../kit/invariants.ts'
import {
  add,
  answered,
  codeOf,
  createWorld,
  leave,
  newOrganization,
  newUsers,
} from '../../../kit/kit.ts'

describe('without seat accounting', () => {
  it('there is no limit to set, nothing to be full, and nothing about seats on record', async () => {
    const world = createWorld({ provider: 'unlimited' })
    const { seatgate } = world
    const organization = await newOrganization(world)
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
      expect(codeOf(await add(world, organization, userId))).toBe('ok')
    }
    expect(codeOf(await leave(world, organization, ann!))).toBe('ok')
    const usage = answered(await seatUsage(seatgate, organization.asOperator))
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
