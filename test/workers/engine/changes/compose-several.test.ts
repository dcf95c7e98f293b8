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
import {
  expectSound,
  readLedger,
  readState,
  violations,
  everything,
  freshSlug,
  kitWithHooks,
  unwrap,
  codeOf,
  createKit,
  enforcingOr,
  newUser,
  newUsers,
  join,
  type TestOrganization,
  type Kit,
} from '../../../kit/index.ts'

afterEach(() => {
  vi.useRealTimers()
})

const host = { type: 'system' } as const

const joiner = ({ seatgate }: Kit, { id, owner }: TestOrganization, userId: string) =>
  prepareMember(
    seatgate,
    { caller: { userId: owner }, organization: id },
    { userId, role: 'member' }
  )

const peopleIn = async ({ id }: TestOrganization) =>
  (await readState(id)).members.map(({ user_id }) => user_id)

/** Statements of the host's that break a constraint, and not a unique key. */
const BREAKING: Readonly<Record<string, (kit: Kit) => Statement>> = {
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
const stopped = ({ seatgate: { db } }: Kit) => db.delete(users) as unknown as Statement

describe.each(enforcingOr('ledger'))('several changes in one batch (%s)', (provider) => {
  it('two of one organization are both added with a seat each, or neither is [SEAT-2]', async () => {
    const kit = createKit({ provider })
    const organization = await kit.organization({ seats: 3 })
    const [ann, ben, cem] = (await newUsers(3)) as [string, string, string]
    const both = combine(
      unwrap(await joiner(kit, organization, ann)),
      unwrap(await joiner(kit, organization, ben))
    )
    const [first, second] = unwrap(await commitTogether(kit.seatgate, both))
    await kit.settled()
    expect([first.membership.userId, second.membership.userId]).toEqual([ann, ben])
    expect(new Set(await peopleIn(organization))).toEqual(new Set([organization.owner, ann, ben]))
    expect(await violations(organization.id, { quiet: true })).toEqual([])
    const full = await joiner(kit, organization, cem)
    const third = full.ok ? await commitTogether(kit.seatgate, full.value) : full
    expect(third).toEqual({ ok: false, error: { code: 'seat_limit_reached', limit: 3, used: 3 } })
  })

  it('two for one seat: neither is added, and the seat is free again [SEAT-2 SEAT-14]', async () => {
    const kit = createKit({ provider })
    const organization = await kit.organization({ seats: 2 })
    const [ann, ben] = (await newUsers(2)) as [string, string]
    const first = unwrap(await joiner(kit, organization, ann))
    const second = await joiner(kit, organization, ben)
    // A ledger says so at once; without one the second is counted behind the first in the batch.
    const answer: Result<unknown> = second.ok
      ? await commitTogether(kit.seatgate, combine(first, second.value))
      : second
    expect(codeOf(answer)).toBe('seat_limit_reached')
    await kit.settled()
    expect(await peopleIn(organization)).toEqual([organization.owner])
    if (second.ok) {
      unwrap(await commitTogether(kit.seatgate, unwrap(await joiner(kit, organization, ann))))
    } else {
      expect(await readLedger(organization.id)).toMatchObject({ held: 1, reserved: 1 })
      unwrap(await commitTogether(kit.seatgate, first))
    }
    await kit.settled()
    expect(await peopleIn(organization)).toContain(ann)
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it('a user prepared twice is added once, or not at all [SEAT-9]', async () => {
    const kit = createKit({ provider })
    const organization = await kit.organization({ seats: 5 })
    const userId = await newUser()
    const first = unwrap(await joiner(kit, organization, userId))
    const second = await joiner(kit, organization, userId)
    const answer: Result<unknown> = second.ok
      ? await commitTogether(kit.seatgate, combine(first, second.value))
      : second
    expect(['already_member', 'operation_in_progress']).toContain(codeOf(answer))
    await kit.settled()
    expect(await peopleIn(organization)).toEqual([organization.owner])
  })

  it('a removal and an addition in one batch: both are committed or neither [HOOK-25]', async () => {
    const kit = kitWithHooks({ provider })
    const { seatgate } = kit
    const organization = await kit.organization({ seats: 5 })
    const leaver = await join(kit, organization)
    const newcomer = await newUser()
    const swap = async () =>
      combine(
        unwrap(await prepareUserDeletion(seatgate, { caller: host }, leaver)),
        unwrap(await joiner(kit, organization, newcomer))
      )
    const failing = await swap()
    const rows = await everything()
    const taken = { id: newcomer, email: 'x', passwordHash: 'none', createdAt: new Date() }
    const answer = await commitTogether(seatgate, failing, {
      after: [seatgate.db.insert(users).values(taken)],
    })
    expect(codeOf(answer)).toBe('host_conflict')
    await kit.settled()
    expect(await everything()).toEqual(rows)

    unwrap(await commitTogether(seatgate, await swap()))
    await kit.settled()
    expect(new Set(await peopleIn(organization))).toEqual(new Set([organization.owner, newcomer]))
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it('two removals in one batch: both seats are free at once for other users [SEAT-23]', async () => {
    const kit = kitWithHooks({ provider })
    const { seatgate } = kit
    const organization = await kit.organization({ seats: 3 })
    const [one, other] = [await join(kit, organization), await join(kit, organization)]
    await commitTogether(
      seatgate,
      combine(
        unwrap(await prepareUserDeletion(seatgate, { caller: host }, one)),
        unwrap(await prepareUserDeletion(seatgate, { caller: host }, other))
      )
    )
    for (let seat = 0; seat < 2; seat++) await join(kit, organization)
    await kit.settled()
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it('two organizations for one slug: neither is founded [ORG-2]', async () => {
    const kit = createKit({ provider })
    const slug = freshSlug()
    const found = async () =>
      unwrap(
        await prepareOrganization(
          kit.seatgate,
          { caller: { userId: await newUser() } },
          { name: 'New', slug }
        )
      )
    const both = combine(await found(), await found())
    const rows = await everything()
    expect(await commitTogether(kit.seatgate, both)).toEqual({
      ok: false,
      error: { code: 'validation_error', errors: { slug: ['This slug is already taken.'] } },
    })
    await kit.settled()
    expect(await everything()).toEqual(rows)
  })

  it.each(Object.entries(BREAKING))(
    'a statement of the host’s that breaks %s leaves no trace, and the seat is free [SEAT-14 SEAT-15]',
    async (_what, breaking) => {
      const { calm, organization, kit, joining, rows } = await oneJoins()
      const answer = await commitTogether(kit.seatgate, joining, { after: [breaking(kit)] })
      expect(codeOf(answer)).toBe('host_conflict')
      await kit.settled()
      expect(await everything()).toEqual(rows)
      const again = unwrap(await joiner(calm, organization, await newUser()))
      expect(codeOf(await commitTogether(calm.seatgate, again))).toBe('ok')
      await calm.settled()
      expect(await violations(organization.id, { quiet: true })).toEqual([])
    }
  )

  it('a statement that a trigger stops leaves no trace, and the seat is free [SEAT-14 SEAT-15]', async () => {
    const { calm, organization, kit, joining, rows } = await oneJoins()
    const answer = await commitTogether(kit.seatgate, joining, { after: [stopped(kit)] })
    expect(codeOf(answer)).toBe('host_conflict')
    await kit.settled()
    expect(await everything()).toEqual(rows)
    await expectSound(organization.id, true)
    const again = unwrap(await joiner(calm, organization, await newUser()))
    expect(codeOf(await commitTogether(calm.seatgate, again))).toBe('ok')
  })

  /** The last seat of two is taken by somebody whose batch is ready. */
  async function oneJoins() {
    const calm = createKit({ provider })
    const organization = await calm.organization({ seats: 2 })
    const kit = createKit({ provider })
    const joining = unwrap(await joiner(kit, organization, await newUser()))
    return { calm, organization, kit, joining, rows: await everything() }
  }
})
