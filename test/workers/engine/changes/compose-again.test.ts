import { describe, expect, it } from 'vitest'
import { users } from '../../../../host/identity/schema.ts'
import {
  addMember,
  commitTogether,
  prepareMember,
  type AddedMember,
  type Prepared,
  type Result,
  type Statement,
} from '../../../../src/index.ts'
import { readState, violations } from '../../../kit/invariants.ts'
import {
  answered,
  codeOf,
  createWorld,
  enforcing,
  join,
  leave,
  newOrganization,
  newUser,
  type TestOrganization,
  type World,
} from '../../../kit/kit.ts'

const joiner = async ({ seatgate }: World, { id, owner }: TestOrganization, userId: string) =>
  answered(
    await prepareMember(
      seatgate,
      { caller: { userId: owner }, organization: id },
      { userId, role: 'member' }
    )
  )

/** A statement of the host's that breaks a unique key: nothing of its batch is written. */
function breaking({ seatgate }: World, id: string): Statement {
  return seatgate.db
    .insert(users)
    .values({ id, email: 'x', passwordHash: 'none', createdAt: new Date() })
}

async function rolledBack(world: World, joining: Prepared<AddedMember>): Promise<void> {
  const after = [breaking(world, await newUser())]
  expect(codeOf(await commitTogether(world.seatgate, joining, { after }))).toBe('host_conflict')
  await world.settled()
}

describe.each(enforcing)('a batch that was rolled back and is sent again (%s)', (provider) => {
  const world = createWorld({ provider })
  const { seatgate } = world

  it('SEAT-14 SEAT-2 lets nobody in above the limit, if somebody else has the seat now', async () => {
    const organization = await newOrganization(world, 2)
    const [late, early] = [await newUser(), await newUser()]
    const joining = await joiner(world, organization, late)
    await rolledBack(world, joining)
    await join(world, organization, 'member', early)

    const again = await commitTogether(seatgate, joining)
    await world.settled()
    expect(codeOf(again)).not.toBe('ok')
    const { members } = await readState(organization.id)
    expect(members.map(({ user_id }) => user_id).toSorted()).toEqual(
      [organization.owner, early].toSorted()
    )
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it('SEAT-14 comes in with a seat that is counted, or not at all', async () => {
    const organization = await newOrganization(world, 3)
    const userId = await newUser()
    const joining = await joiner(world, organization, userId)
    await rolledBack(world, joining)
    const again: Result<unknown> = await commitTogether(seatgate, joining)
    await world.settled()
    expect(await violations(organization.id, { quiet: true })).toEqual([])
    // Prepared anew it is an admission like any other.
    if (!again.ok) {
      answered(await commitTogether(seatgate, await joiner(world, organization, userId)))
      await world.settled()
    }
    const { members } = await readState(organization.id)
    expect(members.map(({ user_id }) => user_id)).toContain(userId)
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it('SEAT-24 SEAT-9 does not bring back who has left meanwhile, in the seat they had', async () => {
    const organization = await newOrganization(world, 2)
    const userId = await newUser()
    const joining = await joiner(world, organization, userId)
    answered(await commitTogether(seatgate, joining))
    await world.settled()
    answered(await leave(world, organization, userId))
    const successor = await newUser()
    const scope = organization.as(organization.owner)
    answered(await addMember(seatgate, scope, { userId: successor, role: 'member' }))
    await world.settled()

    const again = await commitTogether(seatgate, joining).catch((error: unknown) => error)
    await world.settled()
    expect(again).not.toMatchObject({ ok: true })
    const { members } = await readState(organization.id)
    expect(members.map(({ user_id }) => user_id).toSorted()).toEqual(
      [organization.owner, successor].toSorted()
    )
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })
})
