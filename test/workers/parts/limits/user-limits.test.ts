import { describe, expect, it } from 'vitest'
import { sql } from 'drizzle-orm'
import {
  acceptInvitation,
  addMember,
  approveJoinRequest,
  changeRole,
  commitTogether,
  createOrganization,
  getOrganization,
  prepareMember,
  prepareOrganization,
  removeMember,
  restoreMember,
  restoreOrganization,
  suspendMember,
  transferOwnership,
  userLimits,
  type UserLimitOptions,
} from '../../../../src/index.ts'
import {
  codeOf,
  createJoiningKit,
  createKit,
  delays,
  enforcing,
  enforcingOr,
  everything,
  expectSound,
  freshStores,
  invite,
  joinAs,
  joinByDomain,
  membersOf,
  neighbourOf,
  newUser,
  openOrganization,
  operator,
  PASSWORD,
  requestsOf,
  softDeleted,
  testEnv,
  unwrap,
  userWith,
  type Kit,
} from '../../../kit/index.ts'

const limited = (limits: UserLimitOptions) => createKit({ limits: userLimits(limits) })

async function found(kit: Kit, userId: string, count = 1, options = {}) {
  const created = []
  for (let nth = 0; nth < count; nth++) {
    const caller = { userId }
    created.push(
      unwrap(await createOrganization(kit.seatgate, { caller }, { name: 'Test' }, options))
    )
  }
  return created
}

const create = (kit: Kit, userId: string, options = {}) =>
  createOrganization(kit.seatgate, { caller: { userId } }, { name: 'Test' }, options)

/** How many organizations a user owns, and in how many they are. */
async function countsOf(userId: string) {
  const { results } = await testEnv.DB.prepare(
    `SELECT count(*) FILTER (WHERE role = 'owner') AS owned, count(*) AS all_of_them
     FROM seatgate_memberships WHERE user_id = ?`
  )
    .bind(userId)
    .all<{ owned: number; all_of_them: number }>()
  return results[0]
}

describe('the limit of owned organizations', () => {
  it.each(enforcing.map((provider, index) => ({ provider, delayMs: delays[index]! })))(
    'lets three of a hundred creations at once through ($provider, $delayMs ms) [CAP-1]',
    async (way) => {
      const delayed = createKit({ ...way, limits: userLimits({ owned: 3 }) })
      const userId = await newUser()
      const answers = await Promise.all(Array.from({ length: 100 }, () => create(delayed, userId)))
      const created = answers.flatMap((answer) => (answer.ok ? [answer.value] : []))
      const refusals = answers.flatMap((answer) => (answer.ok ? [] : [answer.error]))
      expect(created).toHaveLength(3)
      expect(refusals).toEqual(
        Array.from({ length: 97 }, () => ({ code: 'owned_limit_reached', limit: 3, used: 3 }))
      )
      expect(await countsOf(userId)).toEqual({ owned: 3, all_of_them: 3 })
      await delayed.settled()
      for (const { id } of created) await expectSound(id, false)
    }
  )

  it('leaves no row of a refused creation [CAP-1]', async () => {
    await freshStores()
    const kit = limited({ owned: 1 })
    const userId = await newUser()
    await found(kit, userId)
    const before = await everything()
    expect(await create(kit, userId)).toEqual({
      ok: false,
      error: { code: 'owned_limit_reached', limit: 1, used: 1 },
    })
    expect(await everything()).toEqual(before)
  })

  it('holds for an organization that a host commits with its own rows [CAP-2]', async () => {
    const { seatgate } = limited({ owned: 1 })
    const scope = { caller: { userId: await newUser() } }
    for (const code of ['ok', 'owned_limit_reached']) {
      const prepared = unwrap(await prepareOrganization(seatgate, scope, { name: 'Test' }))
      expect(codeOf(await commitTogether(seatgate, prepared))).toBe(code)
    }
  })

  it('holds for a promotion, a transfer and the addition of an owner [CAP-2]', async () => {
    const kit = limited({ owned: 1 })
    const { seatgate } = kit
    const busy = await newUser()
    await found(kit, busy)
    const organization = await kit.organization()
    const scope = organization.as(organization.owner)
    const added = () => addMember(seatgate, scope, { userId: busy, role: 'owner' })
    expect(codeOf(await added())).toBe('owned_limit_reached')
    unwrap(await addMember(seatgate, scope, { userId: busy, role: 'admin' }))
    const promoted = await changeRole(seatgate, scope, busy, { role: 'owner' })
    expect(promoted).toEqual({
      ok: false,
      error: { code: 'owned_limit_reached', limit: 1, used: 1 },
    })
    const transfer = { userId: busy, password: PASSWORD }
    expect(codeOf(await transferOwnership(seatgate, scope, transfer))).toBe('owned_limit_reached')
    // Nothing of it was written: the owner owns, and may hand over to somebody with room.
    const free = unwrap(
      await addMember(seatgate, scope, { userId: await newUser(), role: 'member' })
    )
    const { userId } = free.membership
    unwrap(await transferOwnership(seatgate, scope, { userId, password: PASSWORD }))
    // The former owner has room again.
    expect(codeOf(await create(kit, organization.owner))).toBe('ok')
    await expectSound(organization.id, false)
  })

  it('permits one of a promotion and a creation at once [CAP-2]', async () => {
    const kit = limited({ owned: 1 })
    const { seatgate } = kit
    const organization = await kit.organization()
    const scope = organization.as(organization.owner)
    const userId = await newUser()
    unwrap(await addMember(seatgate, scope, { userId, role: 'admin' }))
    const answers = await Promise.all([
      changeRole(seatgate, scope, userId, { role: 'owner' }),
      create(kit, userId),
    ])
    expect(answers.map(codeOf).toSorted()).toEqual(['ok', 'owned_limit_reached'])
    expect((await countsOf(userId))?.owned).toBe(1)
  })

  it('holds for each owner of a deleted organization that is restored [CAP-2]', async () => {
    const kit = limited({ owned: 1 })
    const { seatgate } = kit
    const organization = await kit.organization()
    const second = await newUser()
    const scope = organization.as(organization.owner)
    unwrap(await addMember(seatgate, scope, { userId: second, role: 'owner' }))
    await softDeleted(seatgate, organization)
    // Deleted, it does not count.
    const [instead] = await found(kit, second)
    const restore = () => restoreOrganization(seatgate, { caller: operator }, organization.id)
    expect(await restore()).toEqual({
      ok: false,
      error: { code: 'owned_limit_reached', limit: 1, used: 1 },
    })
    expect(codeOf(await getOrganization(seatgate, scope))).toBe('organization_not_found')
    await softDeleted(seatgate, { id: instead!.id, owner: second })
    expect(codeOf(await restore())).toBe('ok')
  })

  it('counts neither personal organizations nor deleted ones [CAP-4]', async () => {
    const kit = limited({ owned: 1, memberships: 1 })
    const userId = await newUser()
    const [first] = await found(kit, userId)
    await found(kit, userId, 2, { personal: true })
    expect(codeOf(await create(kit, userId))).toBe('owned_limit_reached')
    await softDeleted(kit.seatgate, { id: first!.id, owner: userId })
    expect(codeOf(await create(kit, userId))).toBe('ok')
  })

  it('removes no organization when it is lowered, and refuses a further one [CAP-5]', async () => {
    const userId = await newUser()
    await found(limited({ owned: 3 }), userId, 3)
    const lowered = limited({ owned: 2 })
    expect(await create(lowered, userId)).toEqual({
      ok: false,
      error: { code: 'owned_limit_reached', limit: 2, used: 3 },
    })
    expect(codeOf(await create(lowered, userId, { personal: true }))).toBe('ok')
    expect(await countsOf(userId)).toMatchObject({ owned: 4 })
  })

  it('may differ for each user, read in the batch from the host’s own row [CAP-5]', async () => {
    const kit = limited({
      owned: (userId) =>
        sql`(select case when name = 'Ann' then length(email) - 20 end from users where id = ${userId})`,
    })
    const two = await userWith(`${crypto.randomUUID().slice(0, 10)}@example.com`)
    const length = 10 + '@example.com'.length - 20
    await found(kit, two, length)
    expect(await create(kit, two)).toEqual({
      ok: false,
      error: { code: 'owned_limit_reached', limit: length, used: length },
    })
    // Null is no limit.
    await testEnv.DB.prepare(`UPDATE users SET name = 'Ben' WHERE id = ?`).bind(two).run()
    expect(codeOf(await create(kit, two))).toBe('ok')
  })
})

describe.each(enforcingOr('d1'))('the limit of memberships, %s seats', (provider) => {
  it('holds at each way to become a member, and takes no seat [CAP-3]', async () => {
    const kit = createJoiningKit({ provider, limits: userLimits({ memberships: 1 }) })
    const { seatgate } = kit
    const organization = await openOrganization(kit, 'auto', 5)
    const scope = organization.as(organization.owner)
    const busy = await neighbourOf(organization)
    await found(kit, busy)
    const full = { ok: false, error: { code: 'membership_limit_reached', limit: 1, used: 1 } }

    expect(await create(kit, busy)).toEqual(full)
    expect(await addMember(seatgate, scope, { userId: busy, role: 'member' })).toEqual(full)
    const prepared = await prepareMember(
      seatgate,
      { ...scope, caller: { userId: organization.owner } },
      { userId: busy, role: 'member' }
    )
    expect(await commitTogether(seatgate, unwrap(prepared))).toEqual(full)
    const email = `${crypto.randomUUID()}@example.com`
    const invited = await userWith(email)
    await found(kit, invited)
    const { token } = await invite(kit, organization, email)
    expect(await acceptInvitation(seatgate, { caller: { userId: invited } }, { token })).toEqual(
      full
    )
    // The invitation stays open, with its seat.
    await kit.settled()
    expect(codeOf(await joinAs(kit, organization, busy))).toBe('not_pending')
    await kit.settled()
    expect(await membersOf(organization)).toEqual([])
    // The limit of a user is not the organization's: who waited is declined.
    expect(await requestsOf(organization)).toEqual([{ user_id: busy, state: 'declined' }])
    await expectSound(organization.id, false)
  })

  it('refuses a join by domain and an approval [CAP-3]', async () => {
    const kit = createJoiningKit(
      { provider, limits: userLimits({ memberships: 1 }) },
      { whenFull: { domain: 'refuse', request: 'refuse' } }
    )
    const { seatgate } = kit
    const organization = await openOrganization(kit, 'auto')
    const busy = await neighbourOf(organization)
    await found(kit, busy)
    expect(codeOf(await joinAs(kit, organization, busy))).toBe('membership_limit_reached')

    const other = await openOrganization(kit, 'request')
    const asks = await neighbourOf(other)
    await found(kit, asks)
    const asked = unwrap(await joinAs(kit, other, asks))
    const id = 'request' in asked ? asked.request.id : ''
    const approved = await approveJoinRequest(seatgate, other.as(other.owner), id, {})
    expect(codeOf(approved)).toBe('membership_limit_reached')
    expect(await requestsOf(other)).toEqual([{ user_id: asks, state: 'open' }])
  })

  it('passes the seat of a user at their limit on to the next on the waitlist [CAP-6]', async () => {
    const kit = createJoiningKit({ provider, limits: userLimits({ memberships: 1 }) })
    const organization = await openOrganization(kit, 'auto', 2)
    const inside = await joinByDomain(kit, organization)
    expect(inside.status).toBe('joined')
    const first = await joinByDomain(kit, organization)
    const second = await joinByDomain(kit, organization)
    expect([first.status, second.status]).toEqual(['waiting', 'waiting'])
    // The first has found their own organization while they waited.
    await found(kit, first.userId)
    const scope = organization.as(organization.owner)
    unwrap(await removeMember(kit.seatgate, scope, inside.userId))
    await kit.settled()
    expect(await membersOf(organization)).toEqual([inside.userId, second.userId])
    expect((await requestsOf(organization)).map(({ state }) => state)).toContain('declined')
  })
})

describe('the limits of users', () => {
  it('count a suspended member, who can be restored at the limit [CAP-4]', async () => {
    const kit = limited({ memberships: 1 })
    const { seatgate } = kit
    const organization = await kit.organization()
    const userId = await organization.join()
    const scope = organization.as(organization.owner)
    unwrap(await suspendMember(seatgate, scope, userId))
    expect(codeOf(await create(kit, userId))).toBe('membership_limit_reached')
    unwrap(await restoreMember(seatgate, scope, userId))
  })

  it('cost no trip to D1, and have no statement where they are not configured [CAP-7]', async () => {
    const trips = async (kit: Kit) => {
      const userId = await newUser()
      const before = kit.trips()
      await found(kit, userId)
      await kit.settled()
      return kit.trips() - before
    }
    expect(await trips(limited({ owned: 3, memberships: 3 }))).toBe(await trips(createKit()))
    expect(createKit().seatgate.followers).toEqual([])
  })

  it('are whole numbers, Infinity or SQL [CAP-8]', () => {
    for (const wrong of [-1, 1.5, Number.NaN, '3', null]) {
      expect(() => userLimits({ owned: wrong as number })).toThrow(/userLimits: owned must be/)
    }
    expect(() => userLimits({ owner: 3 } as never)).toThrow(/owner/)
    expect(userLimits({ owned: Infinity })).toMatchObject({ part: 'limits' })
  })
})
