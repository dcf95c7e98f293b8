import { beforeEach, describe, expect, it } from 'vitest'
import {
  addMember,
  changeRole,
  listMembers,
  removeMember,
  restoreMember,
  restoreMembers,
  suspendMember,
  transferOwnership,
  type OrganizationScope,
  type Result,
} from '../../../../src/index.ts'
import {
  shareOf,
  type FullSeatgate,
  readState,
  violations,
  type State,
  actionsOf,
  everything,
  isChange,
  meanwhile,
  EVERY_CHANGE,
  newTeam,
  pointerOf,
  sessionOf,
  softDeleted,
  type Team,
  listening,
  freshStores,
  testEnv,
  unwrap,
  codeOf,
  createKit,
  enforcing,
  join,
  newUser,
  type TestOrganization,
  PASSWORD,
} from '../../../kit/index.ts'
import type { Around } from '../../../../bench/meter.ts'

const system = { type: 'system' } as const
const calm = createKit({ provider: 'd1' })

beforeEach(freshStores)

/** An organization that has lost its owner in a way that the library knows nothing of. */
async function ownerless() {
  const organization = await calm.organization()
  const admin = await join(calm, organization, 'admin')
  const member = await join(calm, organization)
  await testEnv.DB.prepare(
    'DELETE FROM seatgate_memberships WHERE organization_id = ? AND user_id = ?'
  )
    .bind(organization.id, organization.owner)
    .run()
  return { organization, admin, member }
}

describe('a missing organization', () => {
  const places: [string, (organization: TestOrganization) => Promise<string>][] = [
    [
      'deleted',
      async (organization) => {
        await softDeleted(calm.seatgate, organization)
        return organization.id
      },
    ],
    ['somebody else’s', async () => (await calm.organization()).id],
    ['somebody else’s, by its slug', async () => (await calm.organization()).slug],
    ['unknown', async () => crypto.randomUUID()],
  ]

  it.each(enforcing.flatMap((provider) => places.map((place) => [provider, ...place] as const)))(
    'adds no user, and no row is written (%s, %s) [ORG-80]',
    async (provider, _what, place) => {
      const kit = createKit({ provider })
      const own = await calm.organization()
      const userId = await newUser()
      const organization = await place(own)
      const before = await everything()
      const scope = { caller: { userId: own.owner }, organization }
      const answer = await addMember(kit.seatgate, scope, { userId, role: 'member' })
      await kit.settled()
      expect(answer).toEqual({ ok: false, error: { code: 'organization_not_found' } })
      expect(await everything()).toEqual(before)
    }
  )

  it('nor does one that is deleted before the batch [ORG-80]', async () => {
    const organization = await calm.organization()
    const kit = createKit({
      provider: 'ledger',
      around: meanwhile(() => softDeleted(calm.seatgate, organization)),
    })
    const input = { userId: await newUser(), role: 'member' }
    const answer = await addMember(kit.seatgate, organization.as(organization.owner), input)
    await kit.settled()
    expect(codeOf(answer)).toBe('organization_not_found')
    const { members } = await readState(organization.id)
    expect(members.map(({ user_id }) => user_id)).toEqual([organization.owner])
    expect(await actionsOf(organization.id)).not.toContain('organization.member_add')
  })
})

describe('an actor who lost their rights after the request began', () => {
  const losses: Record<
    string,
    { act: (seatgate: FullSeatgate, team: Team) => Promise<Result<unknown>>; code: string }
  > = {
    demoted: {
      act: (seatgate, { organization, owner, second }) =>
        changeRole(seatgate, organization.as(second), owner, { role: 'member' }),
      code: 'insufficient_role',
    },
    suspended: {
      act: (seatgate, { organization, owner, second }) =>
        suspendMember(seatgate, organization.as(second), owner),
      code: 'organization_not_found',
    },
    removed: {
      act: (seatgate, { organization, owner, second }) =>
        removeMember(seatgate, organization.as(second), owner),
      code: 'organization_not_found',
    },
  }
  // Operators set limits, and whoever leaves needs no role; the pointer is nobody else's business.
  const elsewhere = new Set([
    'setSeatLimit',
    'setEntitlement',
    'leaveOrganization',
    'putActiveOrganization',
    'prepareMember and commitTogether',
  ])
  const rows = enforcing.flatMap((provider) =>
    EVERY_CHANGE.filter(({ name, inside }) => inside && !elsewhere.has(name)).flatMap((mutator) =>
      Object.keys(losses).map((loss) => [mutator.name, loss, provider, mutator] as const)
    )
  )

  it.each(shareOf(rows, 10))(
    'cannot commit %s when %s after the read (%s) [ORG-84]',
    async (_name, loss, provider, of) => {
      const { act, code } = losses[loss]!
      const calmly = createKit({ provider })
      const team = await newTeam(provider)
      const { id } = team.organization
      const known = ({ organization, members, events, entitlement }: State) => ({
        organization,
        members,
        events,
        entitlement,
      })
      let between: object | null = null
      const kit = createKit({
        provider,
        around: meanwhile(async () => {
          unwrap(await act(calmly.seatgate, team))
          await calmly.settled()
          between = known(await readState(id))
        }),
      })
      const answer = await of.act(kit.seatgate, team)
      await kit.settled()
      expect(answer).toEqual({ ok: false, error: { code } })
      expect(between).not.toBeNull()
      expect(known(await readState(id))).toEqual(between)
      expect(await violations(id, { quiet: true })).toEqual([])
    }
  )

  it('cannot leave after a removal since the read [ORG-84]', async () => {
    const organization = await calm.organization()
    const member = await join(calm, organization)
    const kit = createKit({
      provider: 'd1',
      around: meanwhile(() =>
        removeMember(calm.seatgate, organization.as(organization.owner), member)
      ),
    })
    const answer = await removeMember(kit.seatgate, organization.as(member), member)
    expect(codeOf(answer)).toBe('organization_not_found')
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })
})

describe('removeMember', () => {
  it('ends the sessions before it deletes the membership, in one batch [ORG-88]', async () => {
    const organization = await calm.organization()
    const member = await join(calm, organization)
    const session = await sessionOf(member, organization.id)
    const heard = listening()
    const { seatgate } = createKit({ provider: 'd1', around: heard.around })
    unwrap(await removeMember(seatgate, organization.as(organization.owner), member))
    const [batch, ...others] = heard.trips.filter(isChange)
    expect(others).toEqual([])
    const at = (beginning: string) => batch!.findIndex((sql) => sql.startsWith(beginning))
    const [ended, deleted] = [
      at('update "seatgate_sessions"'),
      at('delete from "seatgate_memberships"'),
    ]
    expect(ended).toBeGreaterThanOrEqual(0)
    expect(deleted).toBeGreaterThan(ended)
    expect(await pointerOf(session)).toBeNull()
  })

  it('takes a plain member out of an organization that has no owner [ORG-90]', async () => {
    const { organization, admin, member } = await ownerless()
    const { seatgate } = calm
    expect(codeOf(await removeMember(seatgate, organization.as(admin), member))).toBe('ok')
    const { members } = await readState(organization.id)
    expect(members.map(({ user_id }) => user_id)).toEqual([admin])
    expect(codeOf(await removeMember(seatgate, organization.as(admin), admin))).toBe('ok')
  })

  const failures = [
    ['D1_ERROR: no such column: seat_id: SQLITE_ERROR', 'schema_mismatch'],
    [
      'D1_ERROR: NOT NULL constraint failed: seatgate_memberships.role: SQLITE_CONSTRAINT',
      'unavailable',
    ],
    ['Failed query: delete from "seatgate_memberships" where "id" = ?', 'unavailable'],
  ] as const
  it.each(failures)(
    'does not disclose data of the organization when its batch fails: %s [ORG-91]',
    async (text, code) => {
      const around: Around = ({ asked }, run) => {
        if (isChange(asked)) throw new Error(text)
        return run()
      }
      const reports: unknown[] = []
      const kit = createKit({
        provider: 'd1',
        around,
        report: (report) => reports.push(report),
      })
      const organization = await calm.organization()
      const member = await join(calm, organization)
      const before = await everything()
      const scope = organization.as(organization.owner)
      const answer = await removeMember(kit.seatgate, scope, member)
      expect(answer).toEqual({ ok: false, error: { code } })
      expect(await everything()).toEqual(before)
      expect(reports).toHaveLength(1)
    }
  )

  it('returns last_owner only if its guard fails [ORG-91]', async () => {
    const organization = await calm.organization()
    const { owner } = organization
    const before = await everything()
    expect(await removeMember(calm.seatgate, organization.as(owner), owner)).toEqual({
      ok: false,
      error: { code: 'last_owner' },
    })
    expect(await everything()).toEqual(before)
  })
})

describe('changeRole', () => {
  it('refuses to demote the last owner, also with an outdated copy of another owner [ORG-105]', async () => {
    const organization = await calm.organization()
    const { owner } = organization
    const admin = await join(calm, organization, 'admin')
    const copy = unwrap(await listMembers(calm.seatgate, organization.as(owner)))
    expect(copy.data.find(({ userId }) => userId === admin)?.role).toBe('admin')
    unwrap(
      await transferOwnership(calm.seatgate, organization.as(owner), {
        userId: admin,
        password: PASSWORD,
      })
    )
    unwrap(await removeMember(calm.seatgate, organization.as(owner), owner))
    for (const caller of [system, { userId: admin }]) {
      const scope: OrganizationScope = { caller, organization: organization.id }
      const answer = await changeRole(calm.seatgate, scope, admin, { role: 'member' })
      expect(answer).toEqual({ ok: false, error: { code: 'last_owner' } })
    }
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it.each(['the host', 'the admin'])(
    'refuses to demote an admin who becomes the last owner before the batch, by %s [ORG-105]',
    async (by) => {
      const organization = await calm.organization()
      const { owner } = organization
      const admin = await join(calm, organization, 'admin')
      const kit = createKit({
        provider: 'd1',
        around: meanwhile(() =>
          transferOwnership(calm.seatgate, organization.as(owner), {
            userId: admin,
            password: PASSWORD,
          })
        ),
      })
      const caller = by === 'the host' ? system : { userId: admin }
      const scope: OrganizationScope = { caller, organization: organization.id }
      expect(codeOf(await changeRole(kit.seatgate, scope, admin, { role: 'member' }))).toBe(
        'last_owner'
      )
      const { members } = await readState(organization.id)
      expect(members.find(({ user_id }) => user_id === admin)?.role).toBe('owner')
    }
  )

  it.each([
    ['ORG-106', 'an admin a member', 'admin', 'member'],
    ['ORG-107', 'a member an owner', 'member', 'owner'],
  ] as const)('%s makes %s without asking for another owner', async (_id, _what, from, to) => {
    const { organization, ...people } = await ownerless()
    const scope = { caller: system, organization: organization.id }
    const changed = await changeRole(calm.seatgate, scope, people[from], { role: to })
    expect(unwrap(changed).role).toBe(to)
    const { members } = await readState(organization.id)
    expect(members.find(({ user_id }) => user_id === people[from])?.role).toBe(to)
  })
})

describe('a user who was never a member', () => {
  it.each(enforcing)('is not restored into the organization of others (%s)', async (kind) => {
    const kit = createKit({ provider: kind })
    const organization = await kit.organization()
    const other = await kit.organization()
    const stranger = await join(kit, other)
    unwrap(await suspendMember(kit.seatgate, other.as(other.owner), stranger))
    const scope = organization.as(organization.owner)
    expect(codeOf(await restoreMember(kit.seatgate, scope, stranger))).toBe('not_found')
    const both = { userIds: [organization.owner, stranger] }
    expect(codeOf(await restoreMembers(kit.seatgate, scope, both))).toBe('not_found')
    const { members } = await readState(other.id)
    expect(members.find(({ user_id }) => user_id === stranger)?.status).toBe('suspended')
  })
})
