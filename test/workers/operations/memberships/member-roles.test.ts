import { describe, expect, it } from 'vitest'
import {
  addMember,
  changeRole,
  commitTogether,
  countMembersWithoutMfa,
  prepareMember,
  removeMember,
  renameOrganization,
  restoreMember,
  suspendMember,
  transferOwnership,
  type Result,
  type Seatgate,
} from '../../../../src/index.ts'
import {
  readState,
  violations,
  everything,
  testEnv,
  unwrap,
  codeOf,
  createKit,
  newUser,
  type TestOrganization,
  type KitOptions,
  PASSWORD,
  shareOf,
} from '../../../kit/index.ts'

/** Roles of a host's own, in no order: the one who admits members owns nothing. */
const OWN = {
  roles: ['auditor', 'porter', 'proprietor', 'guest'],
  ownerRole: 'proprietor',
  invitationAdminRoles: ['proprietor', 'porter'],
} satisfies KitOptions

/** Puts somebody in with a role, past everything that is tested here. */
async function put({ id }: TestOrganization, role: string): Promise<string> {
  const userId = await newUser()
  await testEnv.DB.prepare(
    `INSERT INTO seatgate_memberships
       (id, organization_id, user_id, role, seat_id, created_at, updated_at)
     VALUES (?1, ?2, ?1, ?3, ?1, 1, 1)`
  )
    .bind(userId, id, role)
    .run()
  return userId
}

type Act = (
  seatgate: Seatgate,
  organization: TestOrganization,
  actor: string,
  from: string,
  to: string
) => Promise<Result<unknown>>

/** Each way of giving or taking a role, on somebody who has `from` and is to have `to`. */
const ACTS: Readonly<Record<string, Act>> = {
  adds: async (seatgate, { as }, actor, _from, role) =>
    addMember(seatgate, as(actor), { userId: await newUser(), role }),
  prepares: async (seatgate, { id }, actor, _from, role) => {
    const scope = { caller: { userId: actor }, organization: id }
    const joining = await prepareMember(seatgate, scope, { userId: await newUser(), role })
    return joining.ok ? commitTogether(seatgate, joining.value) : joining
  },
  changes: async (seatgate, organization, actor, from, role) =>
    changeRole(seatgate, organization.as(actor), await put(organization, from), { role }),
  removes: async (seatgate, organization, actor, from) =>
    removeMember(seatgate, organization.as(actor), await put(organization, from)),
  suspends: async (seatgate, organization, actor, from) =>
    suspendMember(seatgate, organization.as(actor), await put(organization, from)),
  restores: async (seatgate, organization, actor, from) => {
    const target = await put(organization, from)
    await testEnv.DB.prepare(
      "UPDATE seatgate_memberships SET status = 'suspended', seat_id = NULL WHERE id = ?"
    )
      .bind(target)
      .run()
    return restoreMember(seatgate, organization.as(actor), target)
  },
}

/** Which acts look at the role that somebody has, and which at the one they are to have. */
const looksAt = (act: string) => ({
  from: !['adds', 'prepares'].includes(act),
  to: ['adds', 'prepares', 'changes'].includes(act),
})

/** The rule: an owner's role is an owner's to give and to take, every other one a member admin's. */
function mayBe(
  act: string,
  actor: string,
  from: string,
  to: string,
  { owner, admins }: { readonly owner: string; readonly admins: readonly string[] }
): boolean {
  const at = looksAt(act)
  const owning = (at.from && from === owner) || (at.to && to === owner)
  return owning ? actor === owner : admins.includes(actor)
}

const SETS = {
  'of the default roles': {
    options: {} satisfies KitOptions,
    all: ['owner', 'admin', 'member'],
    owner: 'owner',
    admins: ['owner', 'admin'],
  },
  'of roles of a host’s own': {
    options: OWN,
    all: OWN.roles,
    owner: OWN.ownerRole,
    admins: OWN.invitationAdminRoles,
  },
  'where owners administer no members': {
    options: { ...OWN, memberAdminRoles: ['porter'] },
    all: OWN.roles,
    owner: OWN.ownerRole,
    admins: ['porter'],
  },
  'where a role has a right that those who give it have not': {
    options: { ...OWN, memberAdminRoles: ['porter'], invitationAdminRoles: ['auditor'] },
    all: OWN.roles,
    owner: OWN.ownerRole,
    admins: ['porter'],
  },
} as const

describe.each(Object.entries(SETS))('giving a role, %s', (_what, set) => {
  const acts = Object.keys(ACTS).flatMap((act) => set.all.map((actor) => [actor, act] as const))

  it.each(shareOf(acts, 13))('%s %s', async (actorRole, act) => {
    const kit = createKit({ provider: 'd1', ...set.options })
    const organization = await kit.organization()
    const actor = await put(organization, actorRole)
    const at = looksAt(act)
    const wrong: string[] = []
    for (const from of at.from ? set.all : ['']) {
      for (const to of at.to ? set.all : ['']) {
        const allowed = mayBe(act, actorRole, from, to, set)
        const code = codeOf(await ACTS[act]!(kit.seatgate, organization, actor, from, to))
        // Asked for the role that somebody has already, who may not give it is refused all the same.
        if (code !== (allowed ? 'ok' : 'insufficient_role')) wrong.push(`${from} → ${to}: ${code}`)
      }
    }
    expect(wrong).toEqual([])
  })
})

describe('roles are a set', () => {
  it('the host’s own roles have no order: the first of them has no rights', async () => {
    const { seatgate } = createKit({ provider: 'd1', ...OWN })
    const organization = await createKit({ provider: 'd1', ...OWN }).organization()
    const { members } = await readState(organization.id)
    expect(members).toMatchObject([{ user_id: organization.owner, role: 'proprietor' }])
    const auditor = await put(organization, 'auditor')
    const before = await everything()
    const scope = organization.as(auditor)
    expect(codeOf(await removeMember(seatgate, scope, organization.owner))).toBe(
      'insufficient_role'
    )
    expect(
      codeOf(await transferOwnership(seatgate, scope, { userId: auditor, password: PASSWORD }))
    ).toBe('insufficient_role')
    expect(codeOf(await countMembersWithoutMfa(seatgate, scope))).toBe('insufficient_role')
    expect(await everything()).toEqual(before)
  })

  it('a hand-over leaves the first role that administers members, and no ownership', async () => {
    const kit = createKit({ provider: 'd1', ...OWN })
    const organization = await kit.organization()
    const { id, owner } = organization
    const heir = await newUser()
    unwrap(await addMember(kit.seatgate, organization.as(owner), { userId: heir, role: 'guest' }))
    const { from, to } = unwrap(
      await transferOwnership(kit.seatgate, organization.as(owner), {
        userId: heir,
        password: PASSWORD,
      })
    )
    expect([from.role, to.role]).toEqual(['porter', 'proprietor'])
    const again = await removeMember(kit.seatgate, organization.as(heir), heir)
    expect(codeOf(again)).toBe('last_owner')
    const { members } = await readState(id)
    expect(Object.fromEntries(members.map(({ user_id, role }) => [user_id, role]))).toEqual({
      [owner]: 'porter',
      [heir]: 'proprietor',
    })
  })

  it('an owner who is in no list of administrators does not change the organization [PERM-2]', async () => {
    const kit = createKit({ provider: 'd1', ...OWN, organizationAdminRoles: ['porter'] })
    const organization = await kit.organization()
    const rename = (userId: string) =>
      renameOrganization(kit.seatgate, organization.as(userId), { name: 'New' })
    expect(codeOf(await rename(organization.owner))).toBe('insufficient_role')
    expect(codeOf(await rename(await put(organization, 'porter')))).toBe('ok')
  })

  it('a role of the defaults is not valid where the host has its own', async () => {
    const { seatgate } = createKit({ provider: 'd1', ...OWN })
    const organization = await createKit({ provider: 'd1', ...OWN }).organization()
    const scope = organization.as(organization.owner)
    for (const role of ['owner', 'admin', 'member', 'PROPRIETOR', 'proprietor ', 'guest,porter']) {
      const answer = await addMember(seatgate, scope, { userId: await newUser(), role })
      expect(answer.ok ? role : answer.error, role).toMatchObject({
        code: 'validation_error',
        errors: { role: [expect.stringContaining('auditor, porter, proprietor, guest')] },
      })
    }
  })

  it('only the configured owner’s role counts as an owner [MUSEUM-25]', async () => {
    const { seatgate } = createKit({ provider: 'd1' })
    const organization = await createKit({ provider: 'd1' }).organization()
    const { owner } = organization
    // A role that was an owner's under another configuration.
    await put(organization, 'proprietor')
    expect(codeOf(await removeMember(seatgate, organization.as(owner), owner))).toBe('last_owner')
    expect((await violations(organization.id, { quiet: true })).join()).not.toContain('no owner')
  })
})
