import { describe, expect, it } from 'vitest'
import { restoreMember, restoreMembers, seatUsage, suspendMember } from '../../../src/index.ts'
import {
  readLedger,
  readState,
  violations,
  everything,
  atScale,
  add,
  unwrap,
  codeOf,
  createKit,
  eachWay,
  enforcingOr,
  join,
  leave,
  type TestOrganization,
  type Kit,
} from '../../kit/index.ts'

const ROUNDS = atScale({ share: 2, thorough: 6, whole: 20 })

/** An organization with a limit, and so many who are suspended in it. */
async function suspending(kit: Kit, limit: number, count: number) {
  const organization = await kit.organization({ seats: limit })
  const scope = organization.as(organization.owner)
  const away: string[] = []
  while (away.length < count) {
    const userId = await join(kit, organization)
    unwrap(await suspendMember(kit.seatgate, scope, userId))
    away.push(userId)
  }
  await kit.settled()
  return { organization, scope, away }
}

async function active({ id }: TestOrganization): Promise<string[]> {
  const { members } = await readState(id)
  return members.flatMap(({ status, user_id }) => (status === 'active' ? [user_id] : []))
}

describe.each(enforcingOr('ledger'))('restoring several (%s)', (provider) => {
  const kit = createKit({ provider })
  const { seatgate } = kit

  it('gives each a seat of their own, never used before [ORG-99 SEAT-24]', async () => {
    const { organization, scope, away } = await suspending(kit, 5, 4)
    const before = await readState(organization.id)
    const used = before.events.flatMap(({ action, target_id }) =>
      action === 'seat.assigned' ? [target_id] : []
    )
    const restored = unwrap(await restoreMembers(seatgate, scope, { userIds: away }))
    await kit.settled()
    expect(restored.map(({ userId }) => userId).toSorted()).toEqual(away.toSorted())
    const { members } = await readState(organization.id)
    const seats = members.map(({ seat_id }) => seat_id)
    expect(new Set(seats).size).toBe(5)
    const again = members.flatMap(({ user_id, seat_id }) =>
      away.includes(user_id) ? [seat_id] : []
    )
    for (const seat of again) expect(used).not.toContain(seat)
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it('takes a repeated user once, and leaves an active one unchanged [ORG-99]', async () => {
    const { organization, scope, away } = await suspending(kit, 3, 1)
    const present = await join(kit, organization)
    const [userId] = away as [string]
    const input = { userIds: [userId, present, userId, organization.owner] }
    const restored = unwrap(await restoreMembers(seatgate, scope, input))
    await kit.settled()
    expect(restored.map(({ userId: id, status }) => `${id} ${status}`).toSorted()).toEqual(
      [userId, present, organization.owner].map((id) => `${id} active`).toSorted()
    )
    expect(unwrap(await seatUsage(seatgate, scope))).toMatchObject({ held: 3, reserved: 0 })
    const rows = await everything()
    expect(unwrap(await restoreMembers(seatgate, scope, input))).toHaveLength(3)
    expect(await everything()).toEqual(rows)
  })

  it.each([
    ['nothing', undefined],
    ['no list', { userIds: 'all' }],
    ['an empty list', { userIds: [] }],
    ['a hundred and one', { userIds: Array.from({ length: 101 }, (_, n) => `user-${n}`) }],
    ['somebody without an id', { userIds: [null] }],
  ])('refuses %s [ORG-99]', async (_what, input) => {
    const { scope } = await suspending(kit, 3, 1)
    const rows = await everything()
    expect(codeOf(await restoreMembers(seatgate, scope, input as never))).toBe('validation_error')
    expect(await everything()).toEqual(rows)
  })

  it('is all or no member, a hundred times [ORG-99 MUSEUM-13]', async () => {
    const { organization, scope, away } = await suspending(kit, 100, 100)
    const rows = await everything()
    expect(await restoreMembers(seatgate, scope, { userIds: away })).toMatchObject({
      ok: false,
      error: { code: 'seat_limit_reached', limit: 100 },
    })
    await kit.settled()
    expect(await everything()).toEqual(rows)
    expect(unwrap(await seatUsage(seatgate, scope))).toMatchObject({ held: 1, reserved: 0 })
    unwrap(await restoreMembers(seatgate, scope, { userIds: away.slice(1) }))
    await kit.settled()
    expect(unwrap(await seatUsage(seatgate, scope))).toMatchObject({ held: 100, reserved: 0 })
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })
})

describe('restoring several at the last seats', () => {
  eachWay(
    'is raced by users who join: all or no member, and never too many [ORG-99 MUSEUM-13]',
    async ({ calm, kit }) => {
      const { organization, scope, away } = await suspending(calm, 3, 2)
      for (let round = 0; round < ROUNDS; round++) {
        const acts = [
          () => restoreMembers(kit.seatgate, scope, { userIds: away }),
          () => add(kit, organization),
        ]
        if (round % 2 === 1) acts.reverse()
        const codes = (await Promise.all(acts.map((act) => act()))).map(codeOf)
        await kit.settled()
        const said = `round ${round}: ${codes.join(', ')}`
        expect(codes.toSorted(), said).toEqual(['ok', 'seat_limit_reached'])
        const inside = await active(organization)
        const back = away.filter((userId) => inside.includes(userId))
        expect([0, 2], said).toContain(back.length)
        expect(inside.length, said).toBe(back.length === 2 ? 3 : 2)
        expect(await violations(organization.id, { quiet: true }), said).toEqual([])
        // As it was before, for the next round.
        for (const userId of inside) {
          if (userId === organization.owner) continue
          if (away.includes(userId)) unwrap(await suspendMember(calm.seatgate, scope, userId))
          else unwrap(await leave(calm, organization, userId))
        }
        await calm.settled()
      }
    }
  )

  eachWay(
    'is raced by itself and by a removal, and leaks no seat [ORG-99 MUSEUM-13]',
    async ({ provider, calm, kit }) => {
      for (let round = 0; round < 5; round++) {
        const { organization, scope, away } = await suspending(calm, 3, 3)
        const [first, second, third] = away as [string, string, string]
        const answers = await Promise.all([
          restoreMembers(kit.seatgate, scope, { userIds: [first, second] }),
          restoreMembers(kit.seatgate, scope, { userIds: [second, third] }),
          restoreMember(kit.seatgate, scope, third),
          leave(kit, organization, first, organization.owner),
        ])
        await kit.settled()
        const codes = answers.map(codeOf)
        expect(codes.at(-1), codes.join()).toBe('ok')
        for (const code of codes) {
          expect(['ok', 'seat_limit_reached', 'not_found', 'operation_in_progress']).toContain(code)
        }
        expect((await active(organization)).length).toBeLessThanOrEqual(3)
        expect(await active(organization)).not.toContain(first)
        expect(await violations(organization.id, { quiet: true }), codes.join()).toEqual([])
        if (provider === 'ledger') {
          const ledger = await readLedger(organization.id)
          expect(ledger).toMatchObject({ held: (await active(organization)).length, reserved: 0 })
        }
      }
    }
  )
})
