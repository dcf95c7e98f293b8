import { describe, expect, it } from 'vitest'
import {
  addMember,
  commitTogether,
  prepareMember,
  prepareUserDeletion,
  restoreMember,
  suspendMember,
  deleteUser,
  transferOwnership,
  type Result,
} from '../../../../src/index.ts'
import {
  shareOf,
  readState,
  violations,
  everything,
  kitWithHooks,
  isChange,
  pointerOf,
  sessionOf,
  softDeleted,
  listening,
  testEnv,
  atScale,
  unwrap,
  codeOf,
  createKit,
  enforcingOr,
  join,
  newUser,
  newUsers,
  PASSWORD,
  type TestOrganization,
  type Kit,
} from '../../../kit/index.ts'

const MANY = 100
const ROUNDS = atScale({ share: 2, thorough: 4, whole: 20 })

const host = { type: 'system' } as const

const deletes = ({ seatgate }: Kit, userId: string) =>
  deleteUser(seatgate, { caller: { userId } }, { password: PASSWORD })

async function deletedByHost({ seatgate }: Kit, userId: string): Promise<Result<null>> {
  const leaving = await prepareUserDeletion(seatgate, { caller: host }, userId)
  return leaving.ok ? commitTogether(seatgate, leaving.value) : leaving
}

const rowsOf = async (table: 'users' | 'seatgate_memberships', column: string, userId: string) =>
  Number(
    await testEnv.DB.prepare(`SELECT count(*) AS n FROM ${table} WHERE ${column} = ?`)
      .bind(userId)
      .first('n')
  )

/** So many organizations of one owner each, of which somebody is a member, in several states. */
async function memberOfMany(kit: Kit, userId: string): Promise<TestOrganization[]> {
  const made: TestOrganization[] = []
  // Ten at a time, as the tests of races make them too.
  for (let ten = 0; ten < MANY / 10; ten++) {
    made.push(
      ...(await Promise.all(
        Array.from({ length: 10 }, async (_, index) => {
          const organization = await kit.organization()
          await join(kit, organization, index % 3 === 0 ? 'owner' : 'member', userId)
          return organization
        })
      ))
    )
  }
  return made
}

describe('a user in a hundred organizations', () => {
  it.each(enforcingOr('ledger'))(
    'leaves all of them in one batch, suspended and deleted ones too (%s) [HOOK-25 SEAT-26]',
    async (provider) => {
      const calm = createKit({ provider })
      const leaver = await newUser()
      const organizations = await memberOfMany(calm, leaver)
      const [suspending, deleting] = organizations as [TestOrganization, TestOrganization]
      unwrap(await suspendMember(calm.seatgate, suspending.as(suspending.owner), leaver))
      await softDeleted(calm.seatgate, deleting)
      const session = await sessionOf(leaver, organizations[2]!.id)
      await calm.settled()
      const heard = listening()
      const told: string[] = []
      const kit = kitWithHooks({ provider, around: heard.around }, (hook) => told.push(hook))

      expect(await deletes(kit, leaver)).toEqual({ ok: true, value: null })
      await kit.settled()
      expect(heard.trips.filter(isChange)).toHaveLength(1)
      expect(told.filter((hook) => hook === 'afterMemberRemove')).toHaveLength(MANY)
      expect(told.filter((hook) => hook === 'onDelete')).toHaveLength(1)
      expect(await rowsOf('seatgate_memberships', 'user_id', leaver)).toBe(0)
      expect(await rowsOf('users', 'id', leaver)).toBe(0)
      expect(await pointerOf(session)).toBeNull()
      for (const organization of organizations) {
        const { events } = await readState(organization.id)
        const since = events.filter(({ metadata }) => metadata['reason'] === 'user_deleted')
        expect(since).toMatchObject([
          { action: 'organization.member_remove', actor_id: leaver, target_id: leaver },
        ])
        // A suspended member has no seat to give back.
        const freed = organization === suspending ? 0 : 1
        const after = events.slice(events.indexOf(since[0]!) + 1)
        expect(after.filter(({ action }) => action === 'seat.released')).toHaveLength(freed)
      }
      for (const { id } of organizations.filter((one) => one !== deleting)) {
        expect(await violations(id, { quiet: true })).toEqual([])
      }
    },
    120_000
  )

  it('stays in all of them if one has changed by the time of the batch [HOOK-26]', async () => {
    const calm = createKit({ provider: 'd1' })
    const leaver = await newUser()
    const organizations = await memberOfMany(calm, leaver)
    const kit = kitWithHooks({ provider: 'd1' })
    const leaving = unwrap(await prepareUserDeletion(kit.seatgate, { caller: host }, leaver))
    const last = organizations.at(-1)!
    unwrap(await suspendMember(calm.seatgate, last.as(last.owner), leaver))
    const rows = await everything()
    expect(codeOf(await commitTogether(kit.seatgate, leaving))).toBe('operation_in_progress')
    await kit.settled()
    expect(await everything()).toEqual(rows)
    expect(await rowsOf('seatgate_memberships', 'user_id', leaver)).toBe(MANY)
  })

  it('gets every organization of which they are the only owner [HOOK-23]', async () => {
    const kit = kitWithHooks({ provider: 'd1' })
    const leaver = await newUser()
    const organizations = await memberOfMany(createKit({ provider: 'd1' }), leaver)
    const owned = organizations.slice(0, 30)
    for (const organization of owned) {
      const scope = organization.as(organization.owner)
      const given = await transferOwnership(kit.seatgate, scope, {
        userId: leaver,
        password: PASSWORD,
      })
      // Some of them have two owners: there the founder does no more than step down.
      expect(codeOf(given)).toBe('ok')
    }
    const answer = await deletes(kit, leaver)
    expect(answer).toMatchObject({ ok: false, error: { code: 'last_owner' } })
    const named = answer.ok || answer.error.code !== 'last_owner' ? [] : answer.error.organizations
    expect(named?.map(({ id }) => id).toSorted()).toEqual(owned.map(({ id }) => id).toSorted())
    expect(await rowsOf('seatgate_memberships', 'user_id', leaver)).toBe(MANY)
  })
})

describe.each(enforcingOr('d1'))(
  'an account that is deleted while something happens (%s)',
  (provider) => {
    const calm = createKit({ provider })
    const kits = [kitWithHooks({ provider }), kitWithHooks({ provider, delayMs: 2 })] as const

    /** What another one does at the same time, and how both may be answered. */
    const races: {
      what: string
      before: (organization: TestOrganization, userId: string) => Promise<unknown>
      act: (kit: Kit, organization: TestOrganization, userId: string) => Promise<Result<unknown>>
      outcomes: readonly string[]
    }[] = [
      {
        what: 'they are added',
        before: async () => {},
        act: ({ seatgate }, { as, owner }, userId) =>
          addMember(seatgate, as(owner), { userId, role: 'member' }),
        // Added first: then the deletion takes that membership too.
        outcomes: ['ok validation_error', 'ok ok'],
      },
      {
        what: 'they are added in a batch of the host’s',
        before: async () => {},
        async act({ seatgate }, { id, owner }, userId) {
          const scope = { caller: { userId: owner }, organization: id }
          const joining = await prepareMember(seatgate, scope, { userId, role: 'member' })
          return joining.ok ? commitTogether(seatgate, joining.value) : joining
        },
        outcomes: ['ok validation_error', 'ok ok'],
      },
      {
        what: 'they are restored',
        async before(organization, userId) {
          await join(calm, organization, 'member', userId)
          unwrap(await suspendMember(calm.seatgate, organization.as(organization.owner), userId))
        },
        act: ({ seatgate }, { as, owner }, userId) => restoreMember(seatgate, as(owner), userId),
        outcomes: ['ok not_found', 'ok ok'],
      },
      {
        what: 'they are suspended',
        before: (organization, userId) => join(calm, organization, 'member', userId),
        act: ({ seatgate }, { as, owner }, userId) => suspendMember(seatgate, as(owner), userId),
        outcomes: ['ok not_found', 'ok ok'],
      },
      {
        what: 'they are made the owner',
        before: (organization, userId) => join(calm, organization, 'member', userId),
        act: ({ seatgate }, { as, owner }, userId) =>
          transferOwnership(seatgate, as(owner), { userId, password: PASSWORD }),
        outcomes: ['ok not_a_member', 'last_owner ok'],
      },
      {
        what: 'they are deleted once more',
        before: (organization, userId) => join(calm, organization, 'member', userId),
        act: (kit, _organization, userId) => deletes(kit, userId),
        outcomes: ['ok ok'],
      },
    ]

    it.each(shareOf(races, 3))(
      'leaves no user behind: $what [HOOK-25 HOOK-27]',
      async ({ before, act, outcomes }) => {
        const home = await calm.organization()
        for (let round = 0; round < ROUNDS; round++) {
          const kit = kits[round < ROUNDS / 2 ? 0 : 1]
          const organization = await calm.organization()
          const [userId] = (await newUsers(1)) as [string]
          await join(calm, home, 'member', userId)
          await before(organization, userId)
          const acts = [() => deletes(kit, userId), () => act(kit, organization, userId)]
          const answers =
            round % 2 === 0
              ? await Promise.all(acts.map((one) => one()))
              : (await Promise.all(acts.toReversed().map((one) => one()))).toReversed()
          await kit.settled()
          await calm.settled()
          const codes = answers.map(codeOf).join(' ')
          expect(outcomes, `round ${round}`).toContain(codes)
          const gone = codes.startsWith('ok')
          expect(await rowsOf('users', 'id', userId), codes).toBe(gone ? 0 : 1)
          if (gone) expect(await rowsOf('seatgate_memberships', 'user_id', userId), codes).toBe(0)
          expect(await violations(organization.id, { quiet: true }), codes).toEqual([])
        }
        expect(await violations(home.id, { quiet: true })).toEqual([])
      }
    )

    it('leaves no user behind: the host deletes them while they are added [HOOK-25 HOOK-27]', async () => {
      for (let round = 0; round < ROUNDS; round++) {
        const kit = kits[round < ROUNDS / 2 ? 0 : 1]
        const organization = await calm.organization()
        const userId = await newUser()
        const input = { userId, role: 'member' }
        const [deleted, added] = await Promise.all([
          deletedByHost(kit, userId),
          addMember(kit.seatgate, organization.as(organization.owner), input),
        ])
        await kit.settled()
        // Nothing is prepared a second time: then the host is told to come again.
        expect(['ok validation_error', 'operation_in_progress ok']).toContain(
          `${codeOf(deleted)} ${codeOf(added)}`
        )
        expect(await rowsOf('seatgate_memberships', 'user_id', userId)).toBe(added.ok ? 1 : 0)
        expect(await rowsOf('users', 'id', userId)).toBe(added.ok ? 1 : 0)
        expect(await violations(organization.id, { quiet: true })).toEqual([])
      }
    })
  }
)
