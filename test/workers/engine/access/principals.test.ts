import { describe, expect, it } from 'vitest'
import {
  addMember,
  changeRole,
  commitTogether,
  createOrganization,
  deleteUser,
  leaveOrganization,
  prepareMember,
  prepareOrganization,
  prepareUserDeletion,
  removeMember,
  renameOrganization,
  restoreMember,
  restoreOrganization,
  seatUsage,
  setSeatLimit,
  softDeleteOrganization,
  suspendMember,
  transferOwnership,
  updateSlug,
  type OrganizationScope,
  type Principal,
} from '../../../../src/index.ts'
import {
  everything,
  freshSlug,
  kitWithHooks,
  readState,
  testEnv,
  unwrap,
  codeOf,
  createKit,
  join,
  newUser,
  PASSWORD,
  type TestOrganization,
} from '../../../kit/index.ts'

const kit = createKit()
const { seatgate } = kit
const password = PASSWORD

type Scoped = OrganizationScope & { readonly caller: Principal }

const machine = ({ id }: TestOrganization, role: string) =>
  ({
    type: 'service_account',
    serviceAccountId: 'token-7',
    organizationId: id,
    role,
  }) as const

/** Who is on record as having done what, in order. */
async function doneBy({ id }: TestOrganization) {
  const { results } = await testEnv.DB.prepare(
    `SELECT action, actor_type, actor_id, effective_user_id FROM seatgate_audit_events
     WHERE organization_id = ? ORDER BY sequence`
  )
    .bind(id)
    .all<Record<string, string | null>>()
  return results.map(({ action, actor_type, actor_id, effective_user_id }) => [
    action,
    actor_type,
    actor_id,
    effective_user_id,
  ])
}

async function team() {
  const organization = await kit.organization({ seats: 10 })
  const member = await join(kit, organization)
  const before = (await doneBy(organization)).length
  return {
    organization,
    member,
    newcomer: await newUser(),
    as: (caller: Principal): Scoped => ({ caller, organization: organization.id }),
    since: async () => (await doneBy(organization)).slice(before),
  }
}

/** Everything inside an organization, each as an owner could do it. */
const inside = (
  scope: Scoped,
  { organization, member, newcomer }: Awaited<ReturnType<typeof team>>
): Readonly<Record<string, () => Promise<string>>> => {
  const code = async (answer: Promise<Parameters<typeof codeOf>[0]>) => codeOf(await answer)
  return {
    add: () => code(addMember(seatgate, scope, { userId: newcomer, role: 'member' })),
    addOwner: () => code(addMember(seatgate, scope, { userId: newcomer, role: 'owner' })),
    changeRole: () => code(changeRole(seatgate, scope, member, { role: 'admin' })),
    toOwner: () => code(changeRole(seatgate, scope, member, { role: 'owner' })),
    suspend: () => code(suspendMember(seatgate, scope, member)),
    restore: () => code(restoreMember(seatgate, scope, member)),
    remove: () => code(removeMember(seatgate, scope, member)),
    removeOwner: () => code(removeMember(seatgate, scope, organization.owner)),
    rename: () => code(renameOrganization(seatgate, scope, { name: 'Renamed' })),
    slug: () =>
      code(
        updateSlug(seatgate, scope, {
          slug: freshSlug(),
          confirmSlug: organization.slug,
          password,
        })
      ),
    transfer: () => code(transferOwnership(seatgate, scope, { userId: member, password })),
    limit: () => code(setSeatLimit(seatgate, scope, { limit: 3 })),
    delete: () => code(softDeleteOrganization(seatgate, scope, { confirmName: 'Test', password })),
    leave: () => code(leaveOrganization(seatgate, scope)),
  }
}

async function outcomes(
  caller: (organization: TestOrganization) => Principal,
  names: readonly string[]
) {
  const there = await team()
  const acts = inside(there.as(caller(there.organization)), there)
  const codes: Record<string, string> = {}
  for (const name of names) codes[name] = await acts[name]!()
  await kit.settled()
  return { ...there, codes }
}

const all = 'add addOwner changeRole toOwner suspend remove removeOwner rename slug transfer'.split(
  ' '
)

describe('a service account', () => {
  it('is not there for any organization but its own', async () => {
    const other = await kit.organization()
    const rows = async () => JSON.stringify((await everything())['seatgate_audit_events'])
    const there = await team()
    const events = await rows()
    for (const organization of [there.organization.id, there.organization.slug]) {
      const scope = { caller: machine(other, 'owner'), organization }
      const acts = inside(scope, there)
      for (const name of [...all, 'delete']) {
        expect(await acts[name]!(), name).toBe('organization_not_found')
      }
      expect(codeOf(await seatUsage(seatgate, scope))).toBe('organization_not_found')
    }
    expect(await rows()).toBe(events)
  })

  it('has the rights of members with the role of a member', async () => {
    const { codes, since } = await outcomes(
      (organization) => machine(organization, 'member'),
      [...all, 'delete', 'leave', 'limit']
    )
    const { leave, limit, ...rest } = codes
    expect(new Set(Object.values(rest))).toEqual(new Set(['insufficient_role']))
    expect(leave).toBe('not_a_member')
    expect(limit).not.toBe('ok')
    expect(await since()).toEqual([])
  })

  it('has the rights of admins with the role of an admin, under its own name in the trail [AUD-18]', async () => {
    const { codes, since, organization, as, newcomer } = await outcomes(
      (where) => machine(where, 'admin'),
      ['addOwner', 'toOwner', 'removeOwner', 'add', 'changeRole', 'suspend', 'restore', 'remove']
    )
    expect(codes).toEqual({
      addOwner: 'insufficient_role',
      toOwner: 'insufficient_role',
      removeOwner: 'insufficient_role',
      add: 'ok',
      changeRole: 'ok',
      suspend: 'ok',
      restore: 'ok',
      remove: 'ok',
    })
    const trail = await since()
    expect(trail.map(([action]) => action)).toEqual([
      'organization.member_add',
      'seat.assigned',
      'organization.member_role_change',
      'organization.member_suspend',
      'seat.released',
      'organization.member_restore',
      'seat.assigned',
      'organization.member_remove',
      'seat.released',
    ])
    for (const [, ...who] of trail) expect(who).toEqual(['service_account', 'token-7', null])
    // It has neither a row nor a seat.
    const { members } = await readState(organization.id)
    expect(members.map(({ user_id }) => user_id).sort()).toEqual(
      [organization.owner, newcomer].sort()
    )
    const usage = unwrap(await seatUsage(seatgate, as(machine(organization, 'admin'))))
    expect(usage.held).toBe(2)
  })

  it.each(['admin', 'owner'])(
    'neither founds, hands over, deletes nor restores an organization: %s',
    async (role) => {
      const there = await team()
      const { organization, as, since } = there
      const caller = machine(organization, role)
      const acts = inside(as(caller), there)
      const rows = await everything()
      const draft = { name: 'New', slug: freshSlug() }
      expect(codeOf(await createOrganization(seatgate, { caller }, draft))).toBe(
        'insufficient_role'
      )
      expect(codeOf(await prepareOrganization(seatgate, { caller }, draft))).toBe(
        'insufficient_role'
      )
      expect(await acts['transfer']!()).toBe('insufficient_role')
      expect(await acts['delete']!()).toBe(
        role === 'owner' ? 'step_up_required' : 'insufficient_role'
      )
      expect(await acts['slug']!()).toBe('step_up_required')
      expect(await acts['limit']!()).not.toBe('ok')
      expect(codeOf(await restoreOrganization(seatgate, { caller }, organization.id))).not.toBe(
        'ok'
      )
      const { seatgate: deleting } = kitWithHooks()
      expect(codeOf(await deleteUser(deleting, { caller }, { password }))).toBe('insufficient_role')
      expect(await since()).toEqual([])
      expect(await everything()).toEqual(rows)
    }
  )
})

describe('the host itself', () => {
  const system = { type: 'system' } as const

  it('has the rights of owners, and is recorded as the system', async () => {
    const { codes, since } = await outcomes(
      () => system,
      ['addOwner', 'toOwner', 'removeOwner', 'rename', 'suspend', 'restore', 'remove']
    )
    expect(new Set(Object.values(codes))).toEqual(new Set(['ok']))
    const trail = await since()
    expect(trail.map(([action]) => action)).toContain('organization.rename')
    for (const [, ...who] of trail) expect(who).toEqual(['system', null, null])
  })

  it('needs no proof for a slug or a deletion, only the confirmation', async () => {
    const { organization, as, since } = await team()
    const scope = as(system)
    const asked: string[] = []
    const { seatgate: proving } = createKit({
      verifyPassword(userId) {
        asked.push(userId)
        return true
      },
    })
    const slug = freshSlug()
    expect(codeOf(await updateSlug(proving, scope, { slug, confirmSlug: 'another' }))).toBe(
      'validation_error'
    )
    unwrap(await updateSlug(proving, scope, { slug, confirmSlug: organization.slug }))
    expect(codeOf(await softDeleteOrganization(proving, scope, { confirmName: 'Other' }))).toBe(
      'validation_error'
    )
    unwrap(await softDeleteOrganization(proving, scope, { confirmName: 'Test' }))
    expect(asked).toEqual([])
    expect(await since()).toEqual([
      ['organization.slug_change', 'system', null, null],
      ['organization.delete', 'system', null, null],
    ])
  })

  it('leaves an organization its last owner, and is no owner to hand it over', async () => {
    const there = await team()
    const acts = inside(there.as(system), there)
    expect(await acts['removeOwner']!()).toBe('last_owner')
    expect(await acts['transfer']!()).toBe('insufficient_role')
    expect(await acts['leave']!()).toBe('not_a_member')
    expect(await there.since()).toEqual([])
  })

  it('is subject to the seat limit like a user', async () => {
    const organization = await kit.organization({ seats: 1 })
    const scope = { caller: system, organization: organization.id }
    const input = { userId: await newUser(), role: 'member' }
    expect(codeOf(await addMember(seatgate, scope, input))).toBe('seat_limit_reached')
    expect(codeOf(await prepareMember(seatgate, scope, input))).toBe('seat_limit_reached')
  })

  it('is recorded in a batch of the host', async () => {
    const { organization, as, since, member, newcomer } = await team()
    const joining = unwrap(
      await prepareMember(seatgate, as(system), { userId: newcomer, role: 'owner' })
    )
    unwrap(await commitTogether(seatgate, joining))
    const leaving = unwrap(await prepareUserDeletion(seatgate, { caller: system }, member))
    unwrap(await commitTogether(seatgate, leaving))
    await kit.settled()
    const trail = await since()
    expect(trail).toHaveLength(4)
    for (const [, ...who] of trail) expect(who).toEqual(['system', null, null])
    const { members } = await readState(organization.id)
    expect(members.map(({ user_id }) => user_id)).not.toContain(member)
  })
})

describe('an operator who acts as a user', () => {
  const acting = (userId: string) => ({ userId, operator: true, impersonatedBy: 'support-1' })

  it('is the actor, and the effective user is the owner of the rights [AUD-17]', async () => {
    const { organization, codes, since } = await outcomes(
      ({ owner }) => acting(owner),
      ['add', 'changeRole', 'rename']
    )
    expect(new Set(Object.values(codes))).toEqual(new Set(['ok']))
    const trail = await since()
    expect(trail.map(([action]) => action)).toEqual([
      'organization.member_add',
      'seat.assigned',
      'organization.member_role_change',
      'organization.rename',
    ])
    for (const [, ...who] of trail) {
      expect(who).toEqual(['operator', 'support-1', organization.owner])
    }
  })

  it('founds and prepares in the user’s name, and is the actor there too [AUD-17]', async () => {
    const userId = await newUser()
    const caller = acting(userId)
    const slug = freshSlug()
    const { id } = unwrap(await createOrganization(seatgate, { caller }, { name: 'New', slug }))
    const joining = unwrap(
      await prepareMember(
        seatgate,
        { caller, organization: id },
        { userId: await newUser(), role: 'member' }
      )
    )
    unwrap(await commitTogether(seatgate, joining))
    await kit.settled()
    const trail = await doneBy({ id } as TestOrganization)
    expect(trail).toHaveLength(4)
    for (const [, ...who] of trail) expect(who).toEqual(['operator', 'support-1', userId])
    const { members } = await readState(id)
    expect(members).toHaveLength(2)
    expect(members.find(({ role }) => role === 'owner')?.user_id).toBe(userId)
  })

  it('has the powers of the user, and no power of an operator', async () => {
    const there = await team()
    const { organization, member, as, since } = there
    const acts = inside(as(acting(member)), there)
    for (const name of ['add', 'addOwner', 'removeOwner', 'rename', 'slug', 'transfer', 'delete']) {
      expect(await acts[name]!(), name).toBe('insufficient_role')
    }
    for (const userId of [member, organization.owner, await newUser()]) {
      const limit = await setSeatLimit(seatgate, as(acting(userId)), { limit: 3 })
      expect(codeOf(limit)).not.toBe('ok')
    }
    const stranger = inside(as(acting(await newUser())), there)
    expect(await stranger['add']!()).toBe('organization_not_found')
    expect(await since()).toEqual([])
    expect(codeOf(await setSeatLimit(seatgate, organization.asOperator, { limit: 4 }))).toBe('ok')
  })

  it('proves no identity: not the user’s, and not their own [OP-1]', async () => {
    const { organization, as } = await team()
    const asked: string[] = []
    const { seatgate: proving } = createKit({
      verifyPassword(userId) {
        asked.push(userId)
        return false
      },
    })
    const answer = await softDeleteOrganization(proving, as(acting(organization.owner)), {
      confirmName: 'Test',
      password: 'theirs',
    })
    expect(codeOf(answer)).toBe('step_up_required')
    expect(asked).toEqual([])
  })
})

describe('an anonymous caller', () => {
  it.each<[string, unknown]>([
    ['no caller at all', undefined],
    ['null', null],
    ['no userId', {}],
    ['an empty userId', { userId: '' }],
    ['a number', { userId: 1 }],
    [
      'a service account without a name',
      { type: 'service_account', organizationId: 'x', role: 'owner' },
    ],
  ])('is a mistake of the host’s, and not a stranger: %s', async (_what, caller) => {
    const there = await team()
    const scope = there.as(caller as Principal)
    const acts = inside(scope, there)
    const rows = await everything()
    for (const name of [...all, 'delete']) {
      await expect(acts[name]!(), name).rejects.toThrow(TypeError)
    }
    const input = { userId: there.newcomer, role: 'member' }
    await expect(prepareMember(seatgate, scope, input)).rejects.toThrow(TypeError)
    await expect(prepareUserDeletion(seatgate, scope, there.member)).rejects.toThrow(TypeError)
    await expect(seatUsage(seatgate, scope)).rejects.toThrow(TypeError)
    expect(await everything()).toEqual(rows)
  })
})
