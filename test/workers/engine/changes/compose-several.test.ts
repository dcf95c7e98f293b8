import { sql } from 'drizzle-orm'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { users } from '../../../../host/identity/schema.ts'
import {
  combine,
  commitTogether,
  prepareMember,
  prepareOrganization,
  prepareUserDeletion,
  type Result,
  type Statement,
} from '../../../../src/index.ts'
import { expectSound } from '../../../kit/faults.ts'
import { readLedger, readState, violations } from '../../../kit/invariants.ts'
import { everything, freshSlug, hookedWorld } from '../../../kit/every-change.ts'
import {
  answered,
  codeOf,
  createWorld,
  enforcing,
  newOrganization,
  newUser,
  newUsers,
  join,
  type TestOrganization,
  type World,
} from '../../../kit/kit.ts'

afterEach(() => {
  vi.useRealTimers()
})

const host = { type: 'system' } as const

const joiner = ({ seatgate }: World, { id, owner }: TestOrganization, userId: string) =>
  prepareMember(
    seatgate,
    { caller: { userId: owner }, organization: id },
    { userId, role: 'member' }
  )

const peopleIn = async ({ id }: TestOrganization) =>
  (await readState(id)).members.map(({ user_id }) => user_id)

/** Statements of the host's that break a constraint, and not a unique key. */
const BREAKING: Readonly<Record<string, (world: World) => Statement>> = {
  'a check': ({ seatgate: { db } }) =>
    db.insert(users).values({
      id: crypto.randomUUID(),
      email: 'CAPITALS@example.com',
      passwordHash: 'none',
      createdAt: new Date(),
    }),
  'a column that is needed': ({ seatgate: { db } }) =>
    db.update(users).set({ email: sql`null` }) as unknown as Statement,
}

/** One that a trigger aborts, whatever it says. */
const stopped = ({ seatgate: { db } }: World) => db.delete(users) as unknown as Statement

describe.each(enforcing)('several changes in one batch (%s)', (provider) => {
  it('SEAT-2 two of one organization have a seat each, or neither comes in', async () => {
    const world = createWorld({ provider })
    const organization = await newOrganization(world, 3)
    const [ann, ben, cem] = (await newUsers(3)) as [string, string, string]
    const both = combine(
      answered(await joiner(world, organization, ann)),
      answered(await joiner(world, organization, ben))
    )
    const [first, second] = answered(await commitTogether(world.seatgate, both))
    await world.settled()
    expect([first.membership.userId, second.membership.userId]).toEqual([ann, ben])
    expect(new Set(await peopleIn(organization))).toEqual(new Set([organization.owner, ann, ben]))
    expect(await violations(organization.id, { quiet: true })).toEqual([])
    const full = await joiner(world, organization, cem)
    const third = full.ok ? await commitTogether(world.seatgate, full.value) : full
    expect(third).toEqual({ ok: false, error: { code: 'seat_limit_reached', limit: 3, used: 3 } })
  })

  it('SEAT-2 SEAT-14 two for one seat: neither comes in by halves, and the seat is free again', async () => {
    const world = createWorld({ provider })
    const organization = await newOrganization(world, 2)
    const [ann, ben] = (await newUsers(2)) as [string, string]
    const first = answered(await joiner(world, organization, ann))
    const second = await joiner(world, organization, ben)
    // A ledger says so at once; without one the second is counted behind the first in the batch.
    const answer: Result<unknown> = second.ok
      ? await commitTogether(world.seatgate, combine(first, second.value))
      : second
    expect(codeOf(answer)).toBe('seat_limit_reached')
    await world.settled()
    expect(await peopleIn(organization)).toEqual([organization.owner])
    if (second.ok) {
      answered(
        await commitTogether(world.seatgate, answered(await joiner(world, organization, ann)))
      )
    } else {
      expect(await readLedger(organization.id)).toMatchObject({ held: 1, reserved: 1 })
      answered(await commitTogether(world.seatgate, first))
    }
    await world.settled()
    expect(await peopleIn(organization)).toContain(ann)
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it('SEAT-9 somebody prepared twice comes in once, or not at all', async () => {
    const world = createWorld({ provider })
    const organization = await newOrganization(world, 5)
    const userId = await newUser()
    const first = answered(await joiner(world, organization, userId))
    const second = await joiner(world, organization, userId)
    const answer: Result<unknown> = second.ok
      ? await commitTogether(world.seatgate, combine(first, second.value))
      : second
    expect(['already_member', 'operation_in_progress']).toContain(codeOf(answer))
    await world.settled()
    expect(await peopleIn(organization)).toEqual([organization.owner])
  })

  it('HOOK-25 a user who goes and one who comes: the one batch keeps both or neither', async () => {
    const world = hookedWorld({ provider })
    const { seatgate } = world
    const organization = await newOrganization(world, 5)
    const leaver = await join(world, organization)
    const newcomer = await newUser()
    const swap = async () =>
      combine(
        answered(await prepareUserDeletion(seatgate, { caller: host }, leaver)),
        answered(await joiner(world, organization, newcomer))
      )
    const failing = await swap()
    const rows = await everything()
    const taken = { id: newcomer, email: 'x', passwordHash: 'none', createdAt: new Date() }
    const answer = await commitTogether(seatgate, failing, {
      after: [seatgate.db.insert(users).values(taken)],
    })
    expect(codeOf(answer)).toBe('host_conflict')
    await world.settled()
    expect(await everything()).toEqual(rows)

    answered(await commitTogether(seatgate, await swap()))
    await world.settled()
    expect(new Set(await peopleIn(organization))).toEqual(new Set([organization.owner, newcomer]))
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it('SEAT-23 two users who go in one batch: both seats are somebody else’s at once', async () => {
    const world = hookedWorld({ provider })
    const { seatgate } = world
    const organization = await newOrganization(world, 3)
    const [one, other] = [await join(world, organization), await join(world, organization)]
    await commitTogether(
      seatgate,
      combine(
        answered(await prepareUserDeletion(seatgate, { caller: host }, one)),
        answered(await prepareUserDeletion(seatgate, { caller: host }, other))
      )
    )
    for (let seat = 0; seat < 2; seat++) await join(world, organization)
    await world.settled()
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it('ORG-2 two organizations for one slug: neither is founded', async () => {
    const world = createWorld({ provider })
    const slug = freshSlug()
    const found = async () =>
      answered(
        await prepareOrganization(
          world.seatgate,
          { caller: { userId: await newUser() } },
          { name: 'New', slug }
        )
      )
    const both = combine(await found(), await found())
    const rows = await everything()
    expect(await commitTogether(world.seatgate, both)).toEqual({
      ok: false,
      error: { code: 'validation_error', errors: { slug: ['This slug is already taken.'] } },
    })
    await world.settled()
    expect(await everything()).toEqual(rows)
  })

  it.each(Object.entries(BREAKING))(
    'SEAT-14 SEAT-15 a statement of the host’s that breaks %s leaves nothing, and the seat is free',
    async (_what, breaking) => {
      const { calm, organization, world, joining, rows } = await oneJoins()
      const answer = await commitTogether(world.seatgate, joining, { after: [breaking(world)] })
      expect(codeOf(answer)).toBe('host_conflict')
      await world.settled()
      expect(await everything()).toEqual(rows)
      const again = answered(await joiner(calm, organization, await newUser()))
      expect(codeOf(await commitTogether(calm.seatgate, again))).toBe('ok')
      await calm.settled()
      expect(await violations(organization.id, { quiet: true })).toEqual([])
    }
  )

  it('SEAT-14 SEAT-15 a statement that a trigger stops leaves nothing, and the seat is free', async () => {
    const { calm, organization, world, joining, rows } = await oneJoins()
    const answer = await commitTogether(world.seatgate, joining, { after: [stopped(world)] })
    expect(codeOf(answer)).toBe('host_conflict')
    await world.settled()
    expect(await everything()).toEqual(rows)
    await expectSound(organization.id, true)
    const again = answered(await joiner(calm, organization, await newUser()))
    expect(codeOf(await commitTogether(calm.seatgate, again))).toBe('ok')
  })

  /** The last seat of two is taken by somebody whose batch is ready. */
  async function oneJoins() {
    const calm = createWorld({ provider })
    const organization = await newOrganization(calm, 2)
    const world = createWorld({ provider })
    const joining = answered(await joiner(world, organization, await newUser()))
    return { calm, organization, world, joining, rows: await everything() }
  }
})
