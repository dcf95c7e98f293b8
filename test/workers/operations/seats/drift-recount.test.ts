import { afterEach, expect, it, vi } from 'vitest'
import {
  acceptInvitation,
  addMember,
  createInvitation,
  listInvitations,
  removeMember,
  restoreMember,
  revokeInvitation,
  setSeatLimit,
  suspendMember,
  verifySeats,
} from '../../../../src/index.ts'
import { seeded } from '../../../end-to-end/seeded.ts'
import { expectRepaired } from '../../../kit/manual-changes.ts'
import { faultAt, muchLater } from '../../../kit/faults.ts'
import { newAddress, userWith } from '../../../kit/invitations.ts'
import { readState } from '../../../kit/invariants.ts'
import {
  answered,
  createWorld,
  newOrganization,
  newUsers,
  type Provider,
  type World,
} from '../../../kit/kit.ts'

afterEach(() => {
  vi.useRealTimers()
})

const runs = (['ledger', 'd1', 'unlimited'] satisfies Provider[]).flatMap((provider) =>
  [1, 2, 3].map((seed) => ({ provider, seed }))
)

it.each(runs)(
  'SEAT-31: a recount is what was counted, after a random run with $provider seats (seed $seed)',
  async ({ provider, seed }) => {
    const below = seeded(seed)
    const calm = createWorld({ provider })
    const organization = await newOrganization(calm, provider === 'unlimited' ? undefined : 5)
    const people = await newUsers(6)
    const sent: { readonly email: string; readonly token: string }[] = []
    const scope = organization.as(organization.owner)

    const deeds = [
      ({ seatgate }: World, userId: string) =>
        addMember(seatgate, scope, { userId, role: 'member' }),
      ({ seatgate }: World, userId: string) => removeMember(seatgate, scope, userId),
      ({ seatgate }: World, userId: string) => suspendMember(seatgate, scope, userId),
      ({ seatgate }: World, userId: string) => restoreMember(seatgate, scope, userId),
      async ({ seatgate }: World) => {
        const email = newAddress()
        const made = await createInvitation(seatgate, scope, { email, role: 'member' })
        if (made.ok) sent.push({ email, token: made.value.token })
      },
      async ({ seatgate }: World, _userId: string, luck: number) => {
        const { email, token } = sent.at(luck % sent.length) ?? { email: newAddress(), token: '' }
        const userId = await userWith(email).catch(() => people[0]!)
        await acceptInvitation(seatgate, { caller: { userId } }, { token })
      },
      async ({ seatgate }: World, _userId: string, luck: number) => {
        const open = answered(await listInvitations(seatgate, scope))
        const id = open.data.at(luck % open.data.length)?.id
        if (id !== undefined) await revokeInvitation(seatgate, scope, id)
      },
      ({ seatgate }: World, _userId: string, luck: number) =>
        setSeatLimit(seatgate, organization.asOperator, { limit: 2 + (luck % 5) }),
    ]

    const doSomething = async () => {
      const fault = faultAt(1 + below(20), 'death', below(2) === 0 ? 'before' : 'after')
      const world = createWorld({ provider, around: fault.around })
      const deed = deeds[below(deeds.length)]!
      const done = deed(world, people[below(people.length)]!, below(1000))
      await Promise.race([done.catch(() => null), fault.died])
      await Promise.race([world.settled(), fault.died])
    }
    for (let round = 0; round < 25; round++) await Promise.all([doSomething(), doSomething()])
    await muchLater(organization.id)

    const verified = answered(await verifySeats(calm.seatgate, organization.asOperator))
    expect(verified.differences).toEqual([])
    if (verified.ledger !== null) expect(verified.ledger).toEqual(verified.stored)
    const { members } = await readState(organization.id)
    const seats = members.filter(({ seat_id }) => seat_id !== null)
    expect(verified.stored.held).toBe(seats.length)
    await expectRepaired(organization)
  }
)
