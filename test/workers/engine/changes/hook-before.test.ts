import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { HOOKS } from '../../../../src/engine/model/hooks.ts'
import {
  addMember,
  allow,
  changeRole,
  commitTogether,
  createOrganization,
  deleteUser,
  leaveOrganization,
  prepareMember,
  prepareOrganization,
  refuse,
  removeMember,
  seatUsage,
  setSeatLimit,
  softDeleteOrganization,
  type Hooks,
} from '../../../../src/index.ts'
import type { BeforeHook, BeforeStates } from '../../../../src/engine/model/hooks.ts'
import {
  shareOf,
  rowCounts,
  losing,
  muchLater,
  readState,
  createKit,
  everyHook,
  everything,
  freshSlug,
  kitWithHooks,
  isChange,
  EVERY_CHANGE,
  newTeam,
  type Team,
  freshStores,
  testEnv,
  unwrap,
  codeOf,
  enforcing,
  newUser,
  PASSWORD,
  join,
} from '../../../kit/index.ts'

beforeEach(freshStores)

afterEach(() => {
  vi.useRealTimers()
})

const ASKED: Readonly<Record<string, BeforeHook>> = {
  createOrganization: 'beforeCreateOrganization',
  softDeleteOrganization: 'beforeDeleteOrganization',
  addMember: 'beforeAddMember',
  removeMember: 'beforeMemberRemove',
  leaveOrganization: 'beforeMemberRemove',
  changeRole: 'beforeRoleChange',
  transferOwnership: 'beforeTransfer',
  'prepareOrganization and commitTogether': 'beforeCreateOrganization',
  'prepareMember and commitTogether': 'beforeAddMember',
  restoreOrganization: 'beforeRestoreOrganization',
  suspendMember: 'beforeMemberSuspend',
  restoreMember: 'beforeAddMember',
  createInvitation: 'beforeInvitationCreate',
  resendInvitation: 'beforeInvitationResend',
  changeInvitationRole: 'beforeInvitationRoleChange',
  revokeInvitation: 'beforeInvitationRevoke',
  declineInvitation: 'beforeInvitationDecline',
  'acceptInvitation, of a member': 'beforeInvitationAccept',
  addDomain: 'beforeDomainAdd',
  verifyDomain: 'beforeDomainVerify',
  setDomainMode: 'beforeDomainChange',
  removeDomain: 'beforeDomainRemove',
  'joinOrganization, on request': 'beforeJoinRequestCreate',
  approveJoinRequest: 'beforeJoinRequestApprove',
  declineJoinRequest: 'beforeJoinRequestDecline',
  withdrawJoinRequest: 'beforeJoinRequestWithdraw',
}

const asking = EVERY_CHANGE.flatMap((mutator) => {
  const hook = ASKED[mutator.name]
  return hook === undefined ? [] : [{ ...mutator, hook }]
})

/** Does one thing with one hook, and says what it answered and whether anything was left behind. */
async function tried(
  { hook, act }: (typeof asking)[number],
  answer: (state: never) => unknown,
  team?: Team
) {
  const into = team ?? (await newTeam())
  const { seatgate: calm } = createKit()
  const scope = into.organization.as(into.owner)
  const seats = unwrap(await seatUsage(calm, scope))
  const [rows, counts] = [await everything(), await rowCounts()]
  const ledgerCalls: string[] = []
  const reports: string[] = []
  const kit = createKit({
    hooks: { [hook]: answer } as Hooks,
    hookDeadlineSeconds: 0.05,
    report: ({ event }) => reports.push(event),
    around({ store, asked }, run) {
      if (store === 'ledger') ledgerCalls.push(...asked)
      return run()
    },
  })
  const result = await act(kit.seatgate, into)
  await kit.settled()
  const same =
    JSON.stringify(await everything()) === JSON.stringify(rows) &&
    JSON.stringify(await rowCounts()) === JSON.stringify(counts)
  const seatsSame = JSON.stringify(unwrap(await seatUsage(calm, scope))) === JSON.stringify(seats)
  return { result, nothingWritten: same && seatsSame, ledgerCalls, reports, wakeUps: kit.wakeUps }
}

describe('a hook that refuses', () => {
  it.each(shareOf(asking, 4))(
    'is quoted, and no row is written: $name, $hook [HOOK-1 HOOK-4 HOOK-5 HOOK-6 HOOK-15]',
    async (mutator) => {
      const said = await tried(mutator, () => refuse('Not on Sundays!', 'Ask “them”.'))
      expect(said).toEqual({
        result: {
          ok: false,
          error: { code: 'hook_refused', reason: 'Not on Sundays!', detail: 'Ask “them”.' },
        },
        nothingWritten: true,
        ledgerCalls: [],
        reports: [],
        wakeUps: [],
      })
      const short = await tried(mutator, async () => refuse('no'))
      expect(short.result).toStrictEqual({
        ok: false,
        error: { code: 'hook_refused', reason: 'no' },
      })
    }
  )

  it('speaks of a newcomer before the seats do [HOOK-1]', async () => {
    const calm = createKit()
    const organization = await calm.organization({ seats: 1 })
    const userId = await newUser()
    const asked: string[] = []
    const kit = createKit({
      hooks: {
        beforeAddMember() {
          asked.push('hook')
          return asked.length > 1 ? allow() : refuse('later')
        },
      },
      around({ store, asked: [what] }, run) {
        if (store === 'ledger') asked.push(what!)
        return run()
      },
    })
    const add = () =>
      addMember(kit.seatgate, organization.as(organization.owner), { userId, role: 'member' })
    expect(codeOf(await add())).toBe('hook_refused')
    expect(codeOf(await add())).toBe('seat_limit_reached')
    expect(asked).toEqual(['hook', 'hook', 'reserve'])
  })
})

const broken: [string, (state: never) => unknown][] = [
  [
    'throws',
    () => {
      throw new Error('no')
    },
  ],
  ['rejects', () => Promise.reject(new Error('no'))],
  ['never answers', () => new Promise(() => {})],
  ['answers nothing', () => undefined],
  ['answers null', () => null],
  ['answers true', () => true],
  ['answers yes', () => ({ ok: 'yes' })],
  ['refuses without a reason', () => ({ ok: false })],
  ['refuses with an empty reason', () => ({ ok: false, reason: '' })],
]

describe('a hook that is broken', () => {
  it.each(shareOf(asking, 4))(
    'refuses with hook_failed, and no row is written: $name, $hook [HOOK-10]',
    async (mutator) => {
      const team = await newTeam()
      for (const [what, answer] of broken) {
        const said = await tried(mutator, answer, team)
        expect(said, what).toEqual({
          result: { ok: false, error: { code: 'hook_failed' } },
          nothingWritten: true,
          ledgerCalls: [],
          reports: ['hook_failed'],
          wakeUps: [],
        })
      }
    }
  )

  it('is asked again under the same operation id [HOOK-10]', async () => {
    const organization = await createKit().organization()
    const userId = await newUser()
    let works = false
    const { seatgate } = createKit({
      hooks: { beforeAddMember: () => (works ? allow() : (undefined as never)) },
    })
    const add = () =>
      addMember(
        seatgate,
        organization.as(organization.owner),
        { userId, role: 'member' },
        { operationId: crypto.randomUUID() }
      )
    expect(codeOf(await add())).toBe('hook_failed')
    works = true
    expect(codeOf(await add())).toBe('ok')
  })
})

describe('the state that a hook receives', () => {
  it('has the coming change and its caller [HOOK-2 HOOK-6 HOOK-15]', async () => {
    const team = await newTeam()
    const { organization, owner, member, newcomer, second } = team
    const shown: { readonly [K in BeforeHook]?: BeforeStates[K][] } = {}
    const hooks = Object.fromEntries(
      Object.values(ASKED).map((hook) => [
        hook,
        (state: never) => {
          ;((shown as Record<string, unknown[]>)[hook] ??= []).push(state)
          return allow()
        },
      ])
    ) as Hooks
    const { seatgate } = createKit({ hooks })
    const of = (name: string) => asking.find((one) => one.name === name)!.act(seatgate, team)
    const names = ['addMember', 'changeRole', 'removeMember', 'transferOwnership'] as const
    const caller = { userId: owner }
    const { id: organizationId } = organization

    unwrap(await of(names[0]))
    unwrap(await prepareMember(seatgate, { caller, organization: organizationId }, memberInput()))
    expect(shown.beforeAddMember).toEqual([
      { organizationId, userId: newcomer, role: 'member', path: 'direct', caller },
      { organizationId, userId: 'somebody', role: 'member', path: 'direct', caller },
    ])
    unwrap(await of(names[1]))
    expect(shown.beforeRoleChange).toMatchObject([
      { membership: { userId: member, role: 'member', organizationId }, newRole: 'admin', caller },
    ])
    unwrap(await of(names[3]))
    expect(shown.beforeTransfer).toMatchObject([
      { from: { userId: owner, role: 'owner' }, to: { userId: member, role: 'admin' }, caller },
    ])
    unwrap(await removeMember(seatgate, organization.as(second), newcomer))
    unwrap(await leaveOrganization(seatgate, { caller, organization: organizationId }))
    expect(shown.beforeMemberRemove).toMatchObject([
      {
        membership: { userId: newcomer, role: 'member' },
        path: 'removed',
        caller: { userId: second },
      },
      { membership: { userId: owner, role: 'admin' }, path: 'left', caller },
    ])
    const [, leaving] = shown.beforeMemberRemove ?? []
    expect(Object.keys(leaving!.membership)).not.toContain('seatId')
  })
})

const memberInput = () => ({ userId: 'somebody', role: 'member' })

describe('a founder', () => {
  it('runs the hooks of an organization and those of no member [HOOK-3 HOOK-2]', async () => {
    const called: string[] = []
    const kit = createKit({ hooks: everyHook((hook) => called.push(hook)) })
    const caller = { userId: await newUser() }
    unwrap(await createOrganization(kit.seatgate, { caller }, { name: 'New', slug: freshSlug() }))
    await kit.settled()
    expect(called.splice(0)).toEqual(['beforeCreateOrganization', 'afterCreateOrganization'])
    const founding = unwrap(
      await prepareOrganization(kit.seatgate, { caller }, { name: 'New', slug: freshSlug() })
    )
    expect(called).toEqual(['beforeCreateOrganization'])
    const { id } = unwrap(await commitTogether(kit.seatgate, founding))
    await kit.settled()
    expect(called.splice(0)).toEqual(['beforeCreateOrganization', 'afterCreateOrganization'])

    const userId = await newUser()
    const scope = { caller, organization: id }
    unwrap(await addMember(kit.seatgate, scope, { userId, role: 'member' }))
    await kit.settled()
    expect(called.splice(0)).toEqual(['beforeAddMember', 'afterAddMember'])
    const joining = unwrap(
      await prepareMember(kit.seatgate, scope, { userId: await newUser(), role: 'member' })
    )
    expect(called).toEqual(['beforeAddMember'])
    unwrap(await commitTogether(kit.seatgate, joining))
    await kit.settled()
    expect(called).toEqual(['beforeAddMember', 'afterAddMember'])
  })

  const creations = [
    ['createOrganization', createOrganization],
    [
      'prepareOrganization',
      async (...[seatgate, scope, input]: Parameters<typeof prepareOrganization>) => {
        const founding = await prepareOrganization(seatgate, scope, input)
        return founding.ok ? commitTogether(seatgate, founding.value) : founding
      },
    ],
  ] as const

  it.each(creations)(
    'has a draft looked at that is not valid: %s [HOOK-4]',
    async (_name, make) => {
      const caller = { userId: await newUser() }
      const slug = freshSlug()
      const drafts: unknown[] = []
      let put: { name: unknown; slug?: unknown } | null = null
      const { seatgate } = createKit({
        hooks: {
          beforeCreateOrganization({ draft, caller: by }) {
            drafts.push({ draft, by })
            return put ? { ok: true, draft: put } : allow()
          },
        },
      })
      const counts = await rowCounts()
      const create = (input: unknown) => make(seatgate, { caller }, input as never)
      const fields = async (input: unknown) => {
        const answer = await create(input)
        return answer.ok || answer.error.code !== 'validation_error'
          ? codeOf(answer)
          : Object.keys(answer.error.errors)
      }
      expect(await fields({ name: 7, slug: '!' })).toEqual(['name', 'slug'])
      expect(await fields('text')).not.toBe('ok')
      expect(drafts).toEqual([
        { draft: { name: 7, slug: '!' }, by: caller },
        { draft: { name: undefined, slug: undefined }, by: caller },
      ])
      put = { name: '', slug }
      expect(await fields({ name: 'Fine', slug: freshSlug() })).toEqual(['name'])
      expect(await rowCounts()).toEqual(counts)
      put = { name: 'Mended', slug }
      expect(await create({ name: 7, slug: '!' })).toMatchObject({
        ok: true,
        value: { name: 'Mended', slug },
      })
    }
  )
})

describe('before a deletion', () => {
  it('the hook is asked after the identity proof, and may refuse [HOOK-5]', async () => {
    const log: string[] = []
    const organization = await createKit().organization()
    const { seatgate } = createKit({
      verifyPassword(_userId, password) {
        log.push('proof')
        return password === PASSWORD
      },
      hooks: {
        beforeDeleteOrganization({ organization: shown, caller }) {
          log.push(`hook ${shown.id} ${JSON.stringify(caller)}`)
          return refuse('under contract')
        },
      },
    })
    const remove = (password: string, confirmName = 'Test') =>
      softDeleteOrganization(seatgate, organization.as(organization.owner), {
        confirmName,
        password,
      })
    expect(codeOf(await remove(PASSWORD, 'Other'))).toBe('validation_error')
    expect(log).toEqual([])
    expect(codeOf(await remove('wrong'))).toBe('invalid_password')
    expect(log.splice(0)).toEqual(['proof'])
    expect(await remove(PASSWORD)).toEqual({
      ok: false,
      error: { code: 'hook_refused', reason: 'under contract' },
    })
    expect(log).toEqual(['proof', `hook ${organization.id} {"userId":"${organization.owner}"}`])
  })
})

describe('before a departure', () => {
  it('a policy may refuse, except when a user is deleted [HOOK-15]', async () => {
    const team = await newTeam()
    const { organization, owner, member, second } = team
    let asked = 0
    const { seatgate } = kitWithHooks({
      hooks: {
        beforeMemberRemove() {
          asked += 1
          return refuse('notice period')
        },
      },
    })
    const refusal = { ok: false, error: { code: 'hook_refused', reason: 'notice period' } }
    expect(await removeMember(seatgate, organization.as(owner), member)).toEqual(refusal)
    expect(
      await leaveOrganization(seatgate, {
        caller: { userId: member },
        organization: organization.id,
      })
    ).toEqual(refusal)
    expect(asked).toBe(2)
    unwrap(await deleteUser(seatgate, { caller: { userId: second } }, { password: PASSWORD }))
    expect(asked).toBe(2)
  })

  it.each(enforcing)('seats and limits never refuse one: %s [HOOK-14]', async (provider) => {
    const calm = createKit({ provider })
    const organization = await calm.organization({ seats: 5, members: 2 })
    const [removed, leaver] = [await join(calm, organization), await join(calm, organization)]
    const { id } = organization
    const scope = organization.as(organization.owner)
    unwrap(await setSeatLimit(calm.seatgate, organization.asOperator, { limit: 1 }))
    await calm.settled()
    const usage = async () => unwrap(await seatUsage(calm.seatgate, scope))
    expect(await usage()).toMatchObject({ held: 4, overLimit: true })
    unwrap(await removeMember(calm.seatgate, scope, removed))
    expect(await usage()).toMatchObject({ held: 3, overLimit: true })
    // The limit is not known any more.
    await testEnv.DB.prepare(
      `UPDATE seatgate_entitlements SET limit_kind = 'unknown', limit_seats = NULL, version = version + 1
       WHERE organization_id = ?`
    )
      .bind(id)
      .run()
    const left = { caller: { userId: leaver }, organization: id }
    unwrap(await leaveOrganization(calm.seatgate, left))
    expect(await usage()).toMatchObject({ held: 2 })
  })

  it('neither does a ledger that is down [HOOK-14]', async () => {
    const calm = createKit()
    const organization = await calm.organization({ seats: 3 })
    const [first, second] = [await join(calm, organization), await join(calm, organization)]
    unwrap(await setSeatLimit(calm.seatgate, organization.asOperator, { limit: 1 }))
    const down = createKit({ around: losing('ledger') })
    const scope = organization.as(organization.owner)
    expect(codeOf(await removeMember(down.seatgate, scope, first))).toBe('ok')
    const left = { caller: { userId: second }, organization: organization.id }
    expect(codeOf(await leaveOrganization(down.seatgate, left))).toBe('ok')
    expect(codeOf(await changeRole(down.seatgate, scope, first, { role: 'admin' }))).toBe(
      'not_found'
    )
  })
})

describe('a host without hooks', () => {
  it.each(shareOf(EVERY_CHANGE, 4).map((mutator) => [mutator.name, mutator] as const))(
    'is not asked and not informed: %s [HOOK-11]',
    async (name, { act }) => {
      const team = await newTeam()
      // A user's end needs a hook that ends the row itself.
      const kit = name.includes('UserDeletion') || name === 'deleteUser' ? hookless() : createKit()
      const jobs = (await rowCounts())['seatgate_jobs']
      expect(codeOf(await act(kit.seatgate, team))).toBe('ok')
      await kit.settled()
      expect((await rowCounts())['seatgate_jobs']).toBe(jobs)
    }
  )
})

const hookless = () => kitWithHooks({ hooks: {} })

describe('the batch of a change', () => {
  it('knows of every hook whether it belongs to it [HOOK-12]', async () => {
    const lifecycle = ['onRegister', 'onPasswordChange', 'onEmailChange', 'onDelete']
    expect(HOOKS).toEqual(
      Object.fromEntries([
        ...Object.keys(everyHook(() => {})).map((hook) => [hook, { inBatch: false }]),
        ...lifecycle.map((hook) => [hook, { inBatch: true }]),
      ])
    )
  })

  it.each(enforcing)('has the check of the seat in it: %s [HOOK-12]', async (provider) => {
    const kit = createKit({ provider })
    const organization = await kit.organization({ seats: 2 })
    const scope = { caller: { userId: organization.owner }, organization: organization.id }
    const userId = await newUser()
    const joining = unwrap(await prepareMember(kit.seatgate, scope, { userId, role: 'member' }))
    // The batch comes so late that somebody else has the seat.
    if (provider === 'ledger') await muchLater(organization.id)
    const other = await join(kit, organization)
    const answer = await commitTogether(kit.seatgate, joining)
    expect(codeOf(answer)).toBe(provider === 'd1' ? 'seat_limit_reached' : 'operation_in_progress')
    const { members } = await readState(organization.id)
    expect(members.map(({ user_id }) => user_id).sort()).toEqual([organization.owner, other].sort())
  })

  it.each(
    EVERY_CHANGE.filter(({ told }) => told).map((mutator) => [mutator.name, mutator] as const)
  )(
    'runs without a hook between its start and its end: %s [HOOK-13 HOOK-8]',
    async (_name, { act }) => {
      const team = await newTeam()
      const log: string[] = []
      const kit = kitWithHooks(
        {
          async around({ store, asked }, run) {
            if (store !== 'd1' || !isChange(asked)) return run()
            log.push('start')
            const answer = await run()
            log.push('end')
            return answer
          },
        },
        (hook) => log.push(hook.replace(/[A-Z].*/, ''))
      )
      expect(codeOf(await act(kit.seatgate, team))).toBe('ok')
      await kit.settled()
      // Several of a kind count once: what matters is which come before the batch and which behind.
      const order = log.filter((what, index) => what !== log[index - 1])
      expect(order).toEqual([expect.stringMatching(/^(before|on)$/), 'start', 'end', 'after'])
    }
  )
})
