import { describe, expect, it } from 'vitest'
import type { Around } from '../../../../bench/meter.ts'
import {
  addMember,
  deleteUser,
  removeMember,
  restoreMember,
  suspendMember,
  transferOwnership,
} from '../../../../src/index.ts'
import {
  readState,
  violations,
  actionsOf,
  everything,
  kitWithHooks,
  isChange,
  lastEventOf,
  meanwhile,
  listening,
  atScale,
  unwrap,
  codeOf,
  createKit,
  delays,
  enforcing,
  join,
  newUser,
  PASSWORD,
} from '../../../kit/index.ts'

const ROUNDS = atScale({ share: 2, thorough: 4, whole: 10 })
const calm = createKit()
const { seatgate } = calm

async function rolesIn(organizationId: string): Promise<Record<string, string>> {
  const { members } = await readState(organizationId)
  return Object.fromEntries(members.map(({ user_id, role }) => [user_id, role]))
}

describe('transferOwnership', () => {
  it.each([
    [undefined, 'admin'],
    ['admin', 'admin'],
    ['member', 'member'],
  ])('moves the role in one batch, with one event (%s) [ORG-97]', async (role, lesser) => {
    const organization = await calm.organization()
    const { owner, id } = organization
    const heir = await join(calm, organization, 'admin')
    const before = await actionsOf(id)
    const heard = listening()
    const kit = createKit({ around: heard.around })
    const input = { userId: heir, password: PASSWORD, ...(role !== undefined && { role }) }
    const transferred = await transferOwnership(kit.seatgate, organization.as(owner), input)
    await kit.settled()
    expect(unwrap(transferred)).toMatchObject({
      from: { userId: owner, role: lesser },
      to: { userId: heir, role: 'owner' },
    })
    expect(await rolesIn(id)).toEqual({ [owner]: lesser, [heir]: 'owner' })
    expect(heard.trips.filter((asked) => asked.some((sql) => sql.startsWith('update')))).toEqual(
      heard.trips.filter(isChange)
    )
    expect(heard.trips.filter(isChange)).toHaveLength(1)
    expect((await actionsOf(id)).slice(before.length)).toEqual(['organization.ownership_transfer'])
    expect(await lastEventOf(id)).toEqual({
      action: 'organization.ownership_transfer',
      actorId: owner,
      targetType: 'user',
      targetId: heir,
      metadata: { from_user_id: owner, to_user_id: heir, old_owner_role: lesser },
    })
    expect(await violations(id, { quiet: true })).toEqual([])
  })

  it('leaves other owners in their role [ORG-97]', async () => {
    const organization = await calm.organization()
    const { owner, id } = organization
    const other = await join(calm, organization, 'owner')
    const heir = await join(calm, organization)
    unwrap(
      await transferOwnership(seatgate, organization.as(owner), {
        userId: heir,
        password: PASSWORD,
      })
    )
    expect(await rolesIn(id)).toEqual({ [owner]: 'admin', [other]: 'owner', [heir]: 'owner' })
  })

  it.each(['before', 'after'])(
    'is complete or absent if D1 is lost %s the batch [ORG-97]',
    async (moment) => {
      const around: Around = async ({ asked }, run) => {
        if (!isChange(asked)) return run()
        if (moment === 'after') await run()
        throw new Error('Network connection lost.')
      }
      const kit = createKit({ around })
      const organization = await calm.organization()
      const { owner, id } = organization
      const heir = await join(calm, organization)
      const before = await everything()
      const input = { userId: heir, role: 'member', password: PASSWORD }
      const answer = await transferOwnership(kit.seatgate, organization.as(owner), input)
      expect(answer).toEqual({ ok: false, error: { code: 'unavailable' } })
      if (moment === 'before') expect(await everything()).toEqual(before)
      else expect(await rolesIn(id)).toEqual({ [owner]: 'member', [heir]: 'owner' })
      expect(await violations(id, { quiet: true })).toEqual([])
    }
  )

  it('is refused to an unfit recipient, and no row is written [ORG-97]', async () => {
    const organization = await calm.organization()
    const { owner, id } = organization
    const admin = await join(calm, organization, 'admin')
    const suspended = await join(calm, organization)
    unwrap(await suspendMember(seatgate, organization.as(owner), suspended))
    await calm.settled()
    const before = await everything()
    const by = (userId: string, input: object) =>
      transferOwnership(seatgate, organization.as(userId), {
        password: PASSWORD,
        ...input,
      } as never)
    expect(codeOf(await by(owner, { userId: suspended }))).toBe('not_a_member')
    expect(codeOf(await by(owner, { userId: await newUser() }))).toBe('not_a_member')
    expect(codeOf(await by(owner, { userId: owner }))).toBe('validation_error')
    expect(codeOf(await by(owner, { userId: admin, role: 'owner' }))).toBe('validation_error')
    expect(codeOf(await by(owner, {}))).toBe('validation_error')
    expect(codeOf(await by(admin, { userId: admin }))).toBe('insufficient_role')
    expect(codeOf(await by(suspended, { userId: admin }))).toBe('organization_not_found')
    const host = { caller: { type: 'system' } as const, organization: id }
    expect(
      codeOf(await transferOwnership(seatgate, host, { userId: admin, password: PASSWORD }))
    ).toBe('insufficient_role')
    expect({ ...(await everything()), users: [] }).toEqual({ ...before, users: [] })
  })
})

describe('transfers at once', () => {
  const eachDelay = enforcing.flatMap((provider) => delays.map((ms) => [provider, ms] as const))

  it.each(eachDelay)(
    'to two different people: one succeeds (%s, %i ms) [MUSEUM-27]',
    async (provider, delayMs) => {
      const calm = createKit({ provider })
      const kit = createKit({ provider, delayMs })
      for (let round = 0; round < ROUNDS; round++) {
        const organization = await calm.organization()
        const { owner, id } = organization
        const heirs = [await join(calm, organization), await join(calm, organization, 'admin')]
        const answers = await Promise.all(
          heirs.map((userId) =>
            transferOwnership(kit.seatgate, organization.as(owner), {
              userId,
              password: PASSWORD,
            })
          )
        )
        await kit.settled()
        const codes = answers.map(codeOf)
        expect(codes.toSorted(), `round ${round}`).toEqual(['insufficient_role', 'ok'])
        const roles = await rolesIn(id)
        const heir = heirs[codes.indexOf('ok')]!
        expect(Object.keys(roles).filter((userId) => roles[userId] === 'owner')).toEqual([heir])
        expect(roles[owner]).toBe('admin')
        expect(await violations(id, { quiet: true }), `round ${round}`).toEqual([])
      }
    }
  )

  it.each([
    ['removed', removeMember],
    ['suspended', suspendMember],
  ] as const)(
    'to a user who is %s before the commit leaves the owner where they are [MUSEUM-27]',
    async (_what, act) => {
      const organization = await calm.organization()
      const { owner, id } = organization
      const heir = await join(calm, organization, 'admin')
      const kit = createKit({
        around: meanwhile(async () => {
          unwrap(await act(seatgate, organization.as(owner), heir))
          await calm.settled()
        }),
      })
      const input = { userId: heir, password: PASSWORD }
      expect(await transferOwnership(kit.seatgate, organization.as(owner), input)).toEqual({
        ok: false,
        error: { code: 'not_a_member' },
      })
      expect((await rolesIn(id))[owner]).toBe('owner')
      expect(await violations(id, { quiet: true })).toEqual([])
    }
  )

  it('to a user who deletes their account, either way there is one owner [MUSEUM-27]', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const kit = kitWithHooks({ delayMs: round % 2 === 0 ? 0 : 3 })
      const organization = await calm.organization()
      const { owner, id } = organization
      const heir = await join(calm, organization)
      const [transferred, deleted] = await Promise.all([
        transferOwnership(kit.seatgate, organization.as(owner), {
          userId: heir,
          password: PASSWORD,
        }),
        deleteUser(kit.seatgate, { caller: { userId: heir } }, { password: PASSWORD }),
      ])
      await kit.settled()
      expect([
        ['ok', 'last_owner'],
        ['not_a_member', 'ok'],
      ]).toContainEqual([codeOf(transferred), codeOf(deleted)])
      expect(await violations(id, { quiet: true })).toEqual([])
    }
  })

  it('a member has one role after any change [MUSEUM-27]', async () => {
    const organization = await calm.organization()
    const { owner, id } = organization
    const heir = await join(calm, organization, 'admin')
    unwrap(
      await transferOwnership(seatgate, organization.as(owner), {
        userId: heir,
        password: PASSWORD,
      })
    )
    expect(await rolesIn(id)).toEqual({ [owner]: 'admin', [heir]: 'owner' })
    const newcomer = { userId: await newUser(), role: 'admin,owner' }
    const answer = await addMember(seatgate, organization.as(heir), newcomer)
    expect(codeOf(answer)).toBe('validation_error')
    expect(codeOf(await restoreMember(seatgate, organization.as(heir), owner))).toBe('ok')
  })
})
