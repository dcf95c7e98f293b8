import { describe, expect, it } from 'vitest'
import { addMember, canAdd, removeMember, setSeatLimit } from '../../../../src/index.ts'
import {
  approve,
  codeOf,
  createJoiningKit,
  enforcingOr,
  expectAllSound,
  joinByDomain,
  membersOf,
  newUser,
  openOrganization,
  requestsOf,
  unwrap,
} from '../../../kit/index.ts'

const TYPES = {
  roles: ['owner', 'member', 'viewer'],
  ownerRole: 'owner',
  invitationAdminRoles: ['owner'],
  seatTypes: { light: { roles: ['viewer'], defaultLimit: 1 } },
}

describe.each(enforcingOr('d1'))(
  'the waitlist of each type of seats, with %s seats',
  (provider) => {
    it('blocks no other type, and admits its first user when a seat of the type is free [SEAT-30]', async () => {
      const kit = createJoiningKit({ ...TYPES, provider }, { role: 'member' })
      const { seatgate } = kit
      const organization = await openOrganization(kit, 'request', 1)
      const scope = organization.as(organization.owner)
      const viewer = await newUser()
      unwrap(await addMember(seatgate, scope, { userId: viewer, role: 'viewer' }))
      const limitTo = async (limit: number) => {
        unwrap(await setSeatLimit(seatgate, organization.asOperator, { limit }))
        await kit.settled()
      }
      const ask = async (role: string) => {
        const { userId, outcome } = await joinByDomain(kit, organization)
        const request = (outcome as { request: { id: string } }).request.id
        const approved = unwrap(await approve(kit, organization, request, { role }))
        await kit.settled()
        expect(approved).toMatchObject({ status: 'waiting' })
        return userId
      }
      const { seatTypes } = TYPES
      const first = await ask('viewer')
      // A member may take the free seat, for which nobody waits.
      await limitTo(2)
      await expectAllSound(provider, { seatTypes })
      await expect(expectAllSound(provider)).rejects.toThrow('1 wait with 1 of 2 seats in use')
      await limitTo(1)
      const second = await ask('member')
      const third = await ask('viewer')
      expect(unwrap(await canAdd(seatgate, scope, 1, 'viewer')).waiting).toBe(2)
      expect(unwrap(await canAdd(seatgate, scope, 1, 'member')).waiting).toBe(1)
      // A seat of the default type is that of the first user who waits for one.
      await limitTo(2)
      expect((await membersOf(organization)).includes(second)).toBe(true)
      expect(await requestsOf(organization)).toMatchObject([
        { user_id: first, state: 'waiting' },
        { user_id: second, state: 'joined' },
        { user_id: third, state: 'waiting' },
      ])
      await expectAllSound(provider, { seatTypes })
      // One more seat is for a new user: those who wait need another type.
      await limitTo(3)
      unwrap(await addMember(seatgate, scope, { userId: await newUser(), role: 'member' }))
      unwrap(await removeMember(seatgate, scope, viewer))
      await kit.settled()
      expect((await membersOf(organization)).at(-1)).toBe(first)
      const late = await addMember(seatgate, scope, { userId: await newUser(), role: 'viewer' })
      expect(codeOf(late)).toBe('seat_limit_reached')
      unwrap(await removeMember(seatgate, scope, first))
      await kit.settled()
      expect((await membersOf(organization)).at(-1)).toBe(third)
      await expectAllSound(provider, { seatTypes })
      await expect(expectAllSound(provider)).rejects.toThrow('was not the first')
    })
  }
)
