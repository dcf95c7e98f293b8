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
import {
  expectRepaired,
  faultAt,
  muchLater,
  newAddress,
  userWith,
  readState,
  unwrap,
  createKit,
  shareOf,
  newUsers,
  type Provider,
  type Kit,
} from '../../../kit/index.ts'

afterEach(() => {
  vi.useRealTimers()
})

const runs = (['ledger', 'd1', 'unlimited'] satisfies Provider[]).flatMap((provider) =>
  [1, 2, 3].map((seed) => ({ provider, seed }))
)

it.each(shareOf(runs, 3))(
  'a recount agrees with the counter after a random run with $provider seats (seed $seed) [SEAT-31]',
  async ({ provider, seed }) => {
    const below = seeded(seed)
    const calm = createKit({ provider })
    const organization = await calm.organization({
      seats: provider === 'unlimited' ? undefined : 5,
    })
    const people = await newUsers(6)
    const sent: { readonly email: string; readonly token: string }[] = []
    const scope = organization.as(organization.owner)

    const deeds = [
      ({ seatgate }: Kit, userId: string) => addMember(seatgate, scope, { userId, role: 'member' }),
      ({ seatgate }: Kit, userId: string) => removeMember(seatgate, scope, userId),
      ({ seatgate }: Kit, userId: string) => suspendMember(seatgate, scope, userId),
      ({ seatgate }: Kit, userId: string) => restoreMember(seatgate, scope, userId),
      async ({ seatgate }: Kit) => {
        const email = newAddress()
        const made = await createInvitation(seatgate, scope, { email, role: 'member' })
        if (made.ok) sent.push({ email, token: made.value.token })
      },
      async ({ seatgate }: Kit, _userId: string, luck: number) => {
        const { email, token } = sent.at(luck % sent.length) ?? { email: newAddress(), token: '' }
        const userId = await userWith(email).catch(() => people[0]!)
        await acceptInvitation(seatgate, { caller: { userId } }, { token })
      },
      async ({ seatgate }: Kit, _userId: string, luck: number) => {
        const open = unwrap(await listInvitations(seatgate, scope))
        const id = open.data.at(luck % open.data.length)?.id
        if (id !== undefined) await revokeInvitation(seatgate, scope, id)
      },
      ({ seatgate }: Kit, _userId: string, luck: number) =>
        setSeatLimit(seatgate, organization.asOperator, { limit: 2 + (luck % 5) }),
    ]

    const doSomething = async () => {
      const fault = faultAt(1 + below(20), 'death', below(2) === 0 ? 'before' : 'after')
      const kit = createKit({ provider, around: fault.around })
      const deed = deeds[below(deeds.length)]!
      const done = deed(kit, people[below(people.length)]!, below(1000))
      await Promise.race([done.catch(() => null), fault.died])
      await Promise.race([kit.settled(), fault.died])
    }
    for (let round = 0; round < 25; round++) await Promise.all([doSomething(), doSomething()])
    await muchLater(organization.id)

    const verified = unwrap(await verifySeats(calm.seatgate, organization.asOperator))
    expect(verified.differences).toEqual([])
    if (verified.ledger !== null) expect(verified.ledger).toEqual(verified.stored)
    const { members } = await readState(organization.id)
    const seats = members.filter(({ seat_id }) => seat_id !== null)
    expect(verified.stored.held).toBe(seats.length)
    await expectRepaired(organization)
  }
)
