import { beforeEach, describe, expect, it } from 'vitest'
import {
  addMember,
  createInvitation,
  listAuditEvents,
  refuse,
  setSeatLimit,
  type AfterStates,
} from '../../../../src/index.ts'
import {
  codeOf,
  createKit,
  enforcingOr,
  everything,
  freshStores,
  newAddress,
  newUser,
  newUsers,
  takeAddress,
  unwrap,
  violations,
  type KitOptions,
} from '../../../kit/index.ts'

beforeEach(freshStores)

describe.each(enforcingOr('d1'))(
  'lowering a limit and removing members, with %s seats',
  (provider) => {
    const scene = async (options: KitOptions = {}) => {
      const kit = createKit({ provider, ...options })
      const organization = await kit.organization({ seats: 10 })
      const members: string[] = []
      for (let count = 0; count < 3; count++) members.push(await organization.join())
      const lower = (limit: number, remove?: readonly string[]) =>
        setSeatLimit(kit.seatgate, organization.asOperator, { limit, remove })
      return { kit, organization, members, lower }
    }

    it('is one act: one batch, the seats free, the limit in force [SEAT-51]', async () => {
      const removed: AfterStates['afterMemberRemove'][] = []
      const batches: (readonly string[])[] = []
      const { kit, organization, members, lower } = await scene({
        hooks: { afterMemberRemove: (state) => void removed.push(state) },
        around: async ({ store, asked }, run) => {
          if (store === 'd1') batches.push(asked)
          return run()
        },
      })
      batches.length = 0
      const usage = unwrap(await lower(2, members.slice(1)))
      await kit.settled()
      expect(usage).toMatchObject({ limit: 2, overLimit: false })
      expect(await organization.seats()).toMatchObject({ limit: 2, held: 2, available: 0 })
      expect(removed.map(({ membership }) => membership.userId).toSorted()).toEqual(
        members.slice(1).toSorted()
      )
      const scope = organization.as(organization.owner)
      const { data } = unwrap(await listAuditEvents(kit.seatgate, scope, {}))
      const actions = data.slice(0, 5).map(({ action }) => action)
      expect(actions.toSorted()).toEqual([
        'organization.member_remove',
        'organization.member_remove',
        'seat.limit_changed',
        'seat.released',
        'seat.released',
      ])
      const writing = batches.filter((asked) =>
        asked.some(
          (text) => /^(insert|update|delete)/.test(text) && /memberships|entitlements/.test(text)
        )
      )
      expect(writing).toHaveLength(1)
    })

    it('reports how many seats are still to be free, with candidates, and writes no row [SEAT-50 SEAT-51]', async () => {
      const { kit, organization, members, lower } = await scene()
      const email = `${crypto.randomUUID()}@example.com`
      const asOwner = organization.as(organization.owner)
      const invitation = unwrap(
        await createInvitation(kit.seatgate, asOwner, { email, role: 'member' })
      )
      await kit.settled()
      const before = await everything()
      const [first = '', ...others] = members
      expect(await lower(2, [first])).toEqual({
        ok: false,
        error: {
          code: 'seats_in_use',
          mustFree: {
            seats: 2,
            candidates: expect.arrayContaining(
              others.map((userId) => ({ userId, role: 'member' }))
            ),
            invitations: [{ id: invitation.id, email, role: 'member' }],
          },
        },
      })
      expect(await everything()).toEqual(before)
    })

    it.each<[string, (scene: { owner: string; members: string[] }) => Promise<string[]>, string]>([
      ['the last owner', async ({ owner }) => [owner], 'last_owner'],
      ['a stranger', async ({ members: [one = ''] }) => [one, await newUser()], 'not_found'],
      [
        'a user that does not exist',
        async ({ members: [one = ''] }) => [one, 'nobody'],
        'not_found',
      ],
    ])('is refused as a whole for %s [SEAT-51]', async (_name, choose, code) => {
      const { organization, members, lower } = await scene()
      const before = await everything()
      const remove = await choose({ owner: organization.owner, members })
      const users = await everything()
      expect(codeOf(await lower(3, remove))).toBe(code)
      expect(await everything()).toEqual(users)
      expect(Object.keys(before)).toEqual(Object.keys(users))
    })

    it('removes an inviter and a user who has taken an invited address since, in any order [SEAT-51]', async () => {
      for (const turn of [0, 1]) {
        const { kit, organization, members, lower } = await scene()
        const admin = await organization.join('admin')
        const [member = ''] = members
        const email = newAddress()
        const asAdmin = organization.as(admin)
        unwrap(await createInvitation(kit.seatgate, asAdmin, { email, role: 'member' }))
        await takeAddress(member, email)
        const remove = turn === 0 ? [admin, member] : [member, admin]
        expect(unwrap(await lower(3, remove))).toMatchObject({ limit: 3, held: 3, reserved: 0 })
        const asOwner = organization.as(organization.owner)
        const filters = { action: 'organization.invitation.revoked' }
        const { data } = unwrap(await listAuditEvents(kit.seatgate, asOwner, filters))
        expect(data).toHaveLength(1)
        await kit.settled()
        expect(await violations(organization.id, { quiet: true })).toEqual([])
      }
    })

    it('counts the seats of the invitations that end with a removal, and how many end [SEAT-50 SEAT-51]', async () => {
      const { kit, organization, lower } = await scene()
      const admin = await organization.join('admin')
      const invite = async (by: string) => {
        const input = { email: newAddress(), role: 'member' }
        return unwrap(await createInvitation(kit.seatgate, organization.as(by), input))
      }
      const kept = await invite(organization.owner)
      for (let sent = 0; sent < 2; sent++) await invite(admin)
      await kit.settled()
      // The owner, three members, and the seat of the owner’s invitation are left.
      expect(await lower(4, [admin])).toMatchObject({
        error: { code: 'seats_in_use', mustFree: { seats: 1, invitations: [{ id: kept.id }] } },
      })
      expect(unwrap(await lower(5, [admin]))).toMatchObject({ limit: 5, held: 4, reserved: 1 })
      const asOwner = organization.as(organization.owner)
      const filters = { action: 'organization.member_remove' }
      const { data } = unwrap(await listAuditEvents(kit.seatgate, asOwner, filters))
      expect(data.map(({ metadata }) => metadata)).toEqual([
        { user_id: admin, ended_invitations: 2 },
      ])
    })

    it('refuses to remove both of two owners [SEAT-51]', async () => {
      const { kit, organization, lower } = await scene()
      const second = await newUser()
      const asOwner = organization.as(organization.owner)
      unwrap(await addMember(kit.seatgate, asOwner, { userId: second, role: 'owner' }))
      expect(codeOf(await lower(3, [organization.owner, second]))).toBe('last_owner')
      unwrap(await lower(4, [second]))
    })

    it('a hook that refuses one removal refuses all [SEAT-51]', async () => {
      const kept: string[] = []
      const { organization, members, lower } = await scene({
        hooks: {
          beforeMemberRemove: ({ membership }) =>
            kept.includes(membership.userId) ? refuse('under_contract') : { ok: true },
        },
      })
      kept.push(members[2] ?? '')
      expect(codeOf(await lower(2, members.slice(1)))).toBe('hook_refused')
      expect(await organization.seats()).toMatchObject({ limit: 10, held: 4 })
    })

    it('leaves the seats within the limit, also with joins in between [SEAT-51 SEAT-52]', async () => {
      const { organization, members, lower } = await scene({ delayMs: 2 })
      const users = await newUsers(4)
      const [lowered, ...added] = await Promise.all([
        lower(2, members.slice(1)),
        ...users.map((userId) => organization.add(userId)),
      ])
      const { limit, held, overLimit } = await organization.seats()
      expect(overLimit).toBe(false)
      if (lowered.ok) expect([limit, held]).toEqual([2, 2])
      else {
        expect(codeOf(lowered)).toMatch(/seats_in_use|operation_in_progress/)
        expect(limit).toBe(10)
      }
      expect(added.length).toBe(4)
    })

    it.each([['five'], [{}], [[1]], [Array.from({ length: 51 }, String)]])(
      'refuses %j as a list of members',
      async (remove) => {
        const { lower } = await scene()
        expect(codeOf(await lower(2, remove as never))).toBe('validation_error')
      }
    )
  }
)
