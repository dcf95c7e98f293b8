import { describe, expect, it } from 'vitest'
import { users } from '../../../../host/identity/schema.ts'
import {
  type AfterStates,
  addMember,
  changeRole,
  commitTogether,
  deleteUser,
  leaveOrganization,
  prepareMember,
  refuse,
  removeMember,
  type Hooks,
} from '../../../../src/index.ts'
import { sweepHandler } from '../../../../src/worker/index.ts'
import {
  shareOf,
  everyHook,
  kitWithHooks,
  isChange,
  EVERY_CHANGE,
  newTeam,
  type Team,
  testEnv,
  unwrap,
  codeOf,
  createKit,
  newUser,
  PASSWORD,
  type TestOrganization,
  type Kit,
  type KitOptions,
} from '../../../kit/index.ts'

type After = keyof AfterStates

const START = Date.UTC(2030, 0, 1)

/** A world whose time goes by only when it is told to. */
function clockedWorld(options: KitOptions = {}) {
  let time = START
  const reports: string[] = []
  const kit: Kit = createKit({
    now: () => new Date(time),
    random: () => 0,
    report: ({ event }) => reports.push(event),
    ...options,
  })
  return {
    kit,
    reports,
    async sweepAt(secondsSinceStart: number) {
      time = START + secondsSinceStart * 1000
      await sweepHandler(kit.seatgate)()
    },
  }
}

interface IntentState {
  readonly kind: string
  readonly payload: string
  readonly attempts: number
  readonly due_at: number
  readonly last_error: string | null
}

async function intentsOf({ id }: TestOrganization) {
  const { results } = await testEnv.DB.prepare(
    'SELECT kind, payload, attempts, due_at, last_error FROM seatgate_jobs WHERE organization_id = ?'
  )
    .bind(id)
    .all<IntentState>()
  return results.map(({ payload, due_at, ...rest }) => ({
    ...rest,
    payload: JSON.parse(payload) as unknown,
    seconds: (due_at - START) / 1000,
  }))
}

const idOf = ({ id }: TestOrganization, action: string) =>
  testEnv.DB.prepare(
    'SELECT id FROM seatgate_audit_events WHERE organization_id = ? AND action = ?'
  )
    .bind(id, action)
    .first<string>('id')

const adding = async ({ seatgate }: Kit, organization: TestOrganization, userId?: string) =>
  addMember(seatgate, organization.as(organization.owner), {
    userId: userId ?? (await newUser()),
    role: 'member',
  })

const actor = (id: string) => ({ type: 'user', id })
const inside = ({ organization }: Team) => ({ organizationId: organization.id })

/** What each function has its hook told, besides what is its own. */
const TOLD: Record<string, [After, (team: Team) => object]> = {
  createOrganization: [
    'afterCreateOrganization',
    ({ owner }) => ({ organization: { name: 'New' }, actor: actor(owner) }),
  ],
  softDeleteOrganization: [
    'afterDeleteOrganization',
    ({ owner, organization: { id } }) => ({
      organization: { id, name: 'Test' },
      actor: actor(owner),
    }),
  ],
  addMember: [
    'afterAddMember',
    (team) => ({
      membership: { ...inside(team), userId: team.newcomer, role: 'member', status: 'active' },
      actor: actor(team.owner),
    }),
  ],
  changeRole: [
    'afterRoleChange',
    (team) => ({
      membership: { ...inside(team), userId: team.member, role: 'admin' },
      oldRole: 'member',
      actor: actor(team.owner),
    }),
  ],
  removeMember: [
    'afterMemberRemove',
    (team) => ({
      membership: { ...inside(team), userId: team.member, role: 'member' },
      reason: null,
      path: 'removed',
      actor: actor(team.owner),
    }),
  ],
  leaveOrganization: [
    'afterMemberRemove',
    (team) => ({
      membership: { ...inside(team), userId: team.owner, role: 'owner' },
      reason: 'left',
      path: 'left',
      actor: actor(team.owner),
    }),
  ],
  transferOwnership: [
    'afterTransfer',
    (team) => ({
      from: { ...inside(team), userId: team.owner, role: 'admin' },
      to: { ...inside(team), userId: team.member, role: 'owner' },
      actor: actor(team.owner),
    }),
  ],
  acceptInvitation: [
    'afterAddMember',
    (team) => ({
      membership: { ...inside(team), userId: team.invitee, role: 'member', status: 'active' },
      path: 'invitation',
      actor: actor(team.invitee),
    }),
  ],
  acceptInvitationWithSignup: [
    'afterAddMember',
    (team) => ({
      membership: { ...inside(team), role: 'member', status: 'active' },
      path: 'signup',
      actor: { type: 'user' },
    }),
  ],
  'joinOrganization, by its domain': [
    'afterAddMember',
    (team) => ({
      membership: { ...inside(team), userId: team.joining.neighbour, role: 'member' },
      path: 'domain',
      actor: actor(team.joining.neighbour),
    }),
  ],
  approveJoinRequest: [
    'afterAddMember',
    (team) => ({
      membership: { ...inside(team), userId: team.joining.requester, role: 'member' },
      path: 'request',
      actor: actor(team.owner),
    }),
  ],
  'prepareOrganization and commitTogether': [
    'afterCreateOrganization',
    ({ owner }) => ({ organization: { name: 'New' }, actor: actor(owner) }),
  ],
  'prepareMember and commitTogether': [
    'afterAddMember',
    (team) => ({
      membership: { ...inside(team), userId: team.newcomer, role: 'member' },
      actor: actor(team.owner),
    }),
  ],
  'prepareUserDeletion and commitTogether': [
    'afterMemberRemove',
    (team) => ({
      membership: { ...inside(team), userId: team.second, role: 'owner' },
      reason: 'user_deleted',
      path: 'user_deleted',
      actor: { type: 'system', id: null },
    }),
  ],
  deleteUser: [
    'afterMemberRemove',
    (team) => ({
      membership: { ...inside(team), userId: team.second, role: 'owner' },
      reason: 'user_deleted',
      path: 'user_deleted',
      actor: actor(team.second),
    }),
  ],
}

const by = (hook: After, state: (team: Team) => object): [After, (team: Team) => object] => [
  hook,
  (team) => ({ ...state(team), actor: actor(team.owner) }),
]
const of = (team: Team, id: string) => ({ id, organizationId: team.organization.id })

Object.assign(TOLD, {
  restoreOrganization: [
    'afterRestoreOrganization',
    ({ deleted: { id } }: Team) => ({
      organization: { id },
      actor: { type: 'operator', id: 'operator' },
    }),
  ],
  suspendMember: by('afterMemberSuspend', (team) => ({
    membership: { ...inside(team), userId: team.member, status: 'suspended' },
    path: 'admin',
  })),
  restoreMember: by('afterAddMember', (team) => ({
    membership: { ...inside(team), userId: team.suspended, status: 'active' },
    path: 'restore',
  })),
  restoreMembers: by('afterAddMember', (team) => ({
    membership: { ...inside(team), userId: team.suspended, status: 'active' },
    path: 'restore',
  })),
  createInvitation: by('afterInvitationCreate', (team) => ({
    invitation: { ...inside(team), role: 'member', status: 'pending', invitedBy: team.owner },
  })),
  'createInvitation, of somebody who is invited': by('afterInvitationRevoke', (team) => ({
    invitation: { ...of(team, team.invited.id), status: 'revoked' },
    path: 'superseded',
  })),
  createInvitations: by('afterInvitationRevoke', (team) => ({
    invitation: { ...of(team, team.invited.id), status: 'revoked' },
    path: 'superseded',
  })),
  resendInvitation: by('afterInvitationResend', (team) => ({
    invitation: of(team, team.invited.id),
  })),
  changeInvitationRole: by('afterInvitationRoleChange', (team) => ({
    invitation: { ...of(team, team.invited.id), role: 'admin' },
    oldRole: 'member',
  })),
  revokeInvitation: by('afterInvitationRevoke', (team) => ({
    invitation: { ...of(team, team.invited.id), status: 'revoked' },
    path: 'revoked',
  })),
  declineInvitation: [
    'afterInvitationDecline',
    (team: Team) => ({
      invitation: { ...of(team, team.invited.id), status: 'declined' },
      actor: { type: 'anonymous', id: null },
    }),
  ],
  'acceptInvitation, of a member': [
    'afterInvitationAccept',
    (team: Team) => ({
      invitation: { ...of(team, team.overtaken.id), status: 'accepted' },
      membership: { userId: team.present },
      created: false,
      path: 'invitation',
      actor: actor(team.present),
    }),
  ],
  addDomain: by('afterDomainAdd', (team) => ({ domain: { ...inside(team), mode: 'off' } })),
  verifyDomain: by('afterDomainVerify', (team) => ({
    domain: { ...of(team, team.joining.unverified), verified: true },
  })),
  setDomainMode: by('afterDomainChange', (team) => ({
    domain: { ...of(team, team.joining.auto), mode: 'off' },
    oldMode: 'auto',
  })),
  removeDomain: by('afterDomainRemove', (team) => ({ domain: of(team, team.joining.auto) })),
  'joinOrganization, on request': [
    'afterJoinRequestCreate',
    (team: Team) => ({
      request: { ...inside(team), userId: team.joining.asker, state: 'open' },
      actor: actor(team.joining.asker),
    }),
  ],
  declineJoinRequest: by('afterJoinRequestDecline', (team) => ({
    request: { ...of(team, team.joining.requested), state: 'declined' },
    path: 'declined',
  })),
  withdrawJoinRequest: [
    'afterJoinRequestWithdraw',
    (team: Team) => ({
      request: { ...of(team, team.joining.requested), state: 'withdrawn' },
      actor: actor(team.joining.requester),
    }),
  ],
})

const telling = EVERY_CHANGE.filter(({ told }) => told).map((mutator) => {
  const told = TOLD[mutator.name]
  if (!told) throw new Error(`Nothing is said of ${mutator.name}.`)
  return { ...mutator, hook: told[0], state: told[1] }
})

describe('a hook that is called afterwards', () => {
  it.each(shareOf(telling, 6))(
    'receives each commit once: $name, $hook [HOOK-8 HOOK-7 HOOK-2]',
    async ({ act, hook, state }) => {
      const team = await newTeam()
      const heard: unknown[] = []
      let committed = false
      const kit = kitWithHooks({
        hooks: {
          [hook]: (told: unknown) => {
            heard.push(told)
            expect(committed).toBe(true)
          },
        } as Hooks,
        async around({ asked }, run) {
          const answer = await run()
          committed ||= isChange(asked)
          return answer
        },
      })
      const answer = await act(kit.seatgate, team)
      await kit.settled()
      expect(codeOf(answer)).toBe('ok')
      expect(heard).toHaveLength(1)
      expect(heard[0]).toMatchObject(state(team))
      // Plain JSON, and no more of it than the row would keep for a second time.
      expect(JSON.parse(JSON.stringify(heard[0]))).toEqual(heard[0])
      expect(await intentsOf(team.organization)).toEqual([])
    }
  )

  it('is the same for a removal, a leaving and the end of a user in every organization [HOOK-7]', async () => {
    const [first, other] = [await newTeam(), await createKit().organization()]
    const { organization, owner, member, second, suspended } = first
    const gone: unknown[] = []
    const kit = kitWithHooks({
      hooks: {
        afterMemberRemove({ membership, reason, actor: { id } }) {
          gone.push([membership.organizationId, membership.userId, reason, id])
        },
      },
    })
    unwrap(await adding(kit, other, second))
    unwrap(await removeMember(kit.seatgate, organization.as(owner), member))
    unwrap(
      await leaveOrganization(kit.seatgate, {
        caller: { userId: owner },
        organization: organization.id,
      })
    )
    await kit.settled()
    expect(gone.splice(0)).toEqual([
      [organization.id, member, null, owner],
      [organization.id, owner, 'left', owner],
    ])
    unwrap(
      await deleteUser(kit.seatgate, { caller: { userId: suspended } }, { password: PASSWORD })
    )
    await kit.settled()
    expect(gone.splice(0)).toEqual([[organization.id, suspended, 'user_deleted', suspended]])
    // One more owner, so that the second may go.
    unwrap(await adding(kit, { ...organization, owner: second }, owner))
    unwrap(await changeRole(kit.seatgate, organization.as(second), owner, { role: 'owner' }))
    unwrap(await deleteUser(kit.seatgate, { caller: { userId: second } }, { password: PASSWORD }))
    await kit.settled()
    expect(gone).toHaveLength(2)
    expect(gone).toEqual(
      expect.arrayContaining([
        [organization.id, second, 'user_deleted', second],
        [other.id, second, 'user_deleted', second],
      ])
    )
  })
})

describe('a hook of a change that was not made', () => {
  it('and no hook is called [HOOK-8]', async () => {
    const team = await newTeam()
    const { organization, owner, member, newcomer } = team
    const called: string[] = []
    const { kit } = clockedWorld({
      hooks: {
        ...everyHook((hook) => called.push(hook)),
        beforeAddMember: () => refuse('no'),
      },
    })
    const scope = organization.as(owner)
    const { seatgate } = kit
    expect(codeOf(await adding(kit, organization, newcomer))).toBe('hook_refused')
    expect(codeOf(await adding(kit, organization, member))).toBe('ok')
    expect(codeOf(await changeRole(seatgate, scope, member, { role: 'member' }))).toBe('ok')
    expect(
      codeOf(await changeRole(seatgate, organization.as(member), owner, { role: 'admin' }))
    ).toBe('insufficient_role')
    expect(codeOf(await removeMember(seatgate, scope, newcomer))).toBe('not_found')
    await kit.settled()
    expect(called.filter((hook) => hook.startsWith('after'))).toEqual([])
    expect(await intentsOf(organization)).toEqual([])
  })

  it('nor is one when the batch was rolled back [HOOK-8]', async () => {
    const organization = await createKit().organization()
    const heard: unknown[] = []
    const { kit, sweepAt } = clockedWorld({
      hooks: { afterAddMember: (state) => heard.push(state) },
    })
    const userId = await newUser()
    const scope = { caller: { userId: organization.owner }, organization: organization.id }
    const joining = unwrap(await prepareMember(kit.seatgate, scope, { userId, role: 'member' }))
    const again = { id: userId, email: 'x', passwordHash: 'none', createdAt: new Date() }
    const answer = await commitTogether(kit.seatgate, joining, {
      after: [kit.seatgate.db.insert(users).values(again)],
    })
    expect(codeOf(answer)).toBe('host_conflict')
    await kit.settled()
    await sweepAt(3600)
    expect(heard).toEqual([])
    expect(await intentsOf(organization)).toEqual([])
  })
})

describe('a hook that fails', () => {
  it.each([
    [
      'throws',
      () => {
        throw new TypeError('the mail is down: secret')
      },
    ],
    ['rejects', () => Promise.reject(new TypeError('the mail is down: secret'))],
  ])('changes no answer, is on record and is called again: it %s [HOOK-9]', async (_how, fail) => {
    const organization = await createKit().organization()
    const heard: AfterStates['afterAddMember'][] = []
    const { kit, reports, sweepAt } = clockedWorld({
      hooks: {
        afterAddMember(state) {
          heard.push(state)
          return heard.length < 3 ? fail() : undefined
        },
      },
    })
    const { membership } = unwrap(await adding(kit, organization))
    await kit.settled()
    const state = {
      membership,
      path: 'direct',
      requestId: null,
      actor: actor(organization.owner),
      eventId: await idOf(organization, 'organization.member_add'),
    }
    const row = { kind: 'afterAddMember', payload: state, last_error: 'TypeError' }
    expect(await intentsOf(organization)).toEqual([{ ...row, attempts: 1, seconds: 1 }])
    expect(reports).toEqual(['afterAddMember_failed'])

    await sweepAt(0.999)
    expect(heard).toEqual([state])
    await sweepAt(1)
    expect(heard).toEqual([state, state])
    expect(await intentsOf(organization)).toEqual([{ ...row, attempts: 2, seconds: 3 }])
    await sweepAt(2.999)
    expect(heard).toHaveLength(2)
    await sweepAt(3)
    expect(heard).toEqual([state, state, state])
    expect(await intentsOf(organization)).toEqual([])
    await sweepAt(3600)
    expect(heard).toHaveLength(3)
  })

  it.each(shareOf(telling, 6))('changes no answer: $name [HOOK-9]', async ({ act, hook }) => {
    const team = await newTeam()
    const kit = kitWithHooks({
      hooks: {
        [hook]: () => {
          throw new Error('no')
        },
      } as Hooks,
    })
    const answer = await act(kit.seatgate, team)
    await kit.settled()
    expect(codeOf(answer)).toBe('ok')
    const { results } = await testEnv.DB.prepare(
      'SELECT kind, attempts, last_error FROM seatgate_jobs'
    ).all()
    expect(results).toEqual([{ kind: hook, attempts: 1, last_error: 'Error' }])
    await testEnv.DB.exec('DELETE FROM seatgate_jobs')
  })

  it('that was taken out of the configuration is not called [HOOK-9]', async () => {
    const organization = await createKit().organization()
    let called = 0
    const { kit } = clockedWorld({
      hooks: {
        afterAddMember() {
          called += 1
          throw new Error('no')
        },
      },
    })
    unwrap(await adding(kit, organization))
    await kit.settled()
    const later = clockedWorld()
    await later.sweepAt(0.5)
    expect(await intentsOf(organization)).toHaveLength(1)
    await later.sweepAt(1)
    expect(await intentsOf(organization)).toEqual([])
    expect([called, later.reports]).toEqual([1, []])
  })
})

describe('a crash', () => {
  it('right after the commit leaves the hook to the sweep, a minute later [HOOK-8 HOOK-9]', async () => {
    const organization = await createKit().organization()
    const heard: string[] = []
    const { kit, sweepAt } = clockedWorld({
      hooks: { afterAddMember: ({ membership: { userId } }) => heard.push(userId) },
      async around({ asked }, run) {
        const answer = await run()
        if (isChange(asked)) throw new Error('Network connection lost.')
        return answer
      },
    })
    const userId = await newUser()
    expect(codeOf(await adding(kit, organization, userId))).toBe('seats_unavailable')
    await kit.settled()
    expect(heard).toEqual([])
    expect(await intentsOf(organization)).toMatchObject([
      { attempts: 1, seconds: 60, last_error: null },
    ])
    await sweepAt(59.999)
    expect(heard).toEqual([])
    await sweepAt(60)
    expect(heard).toEqual([userId])
    expect(await intentsOf(organization)).toEqual([])
  })

  it('before the commit leaves no work [HOOK-9]', async () => {
    const organization = await createKit().organization()
    const heard: unknown[] = []
    const { kit, sweepAt } = clockedWorld({
      hooks: { afterAddMember: (state) => heard.push(state) },
      async around({ asked }, run) {
        if (isChange(asked)) throw new Error('Network connection lost.')
        return run()
      },
    })
    expect(codeOf(await adding(kit, organization))).toBe('seats_unavailable')
    await sweepAt(3600)
    expect(heard).toEqual([])
  })

  it('before the row is deleted calls the hook again [HOOK-9]', async () => {
    const organization = await createKit().organization()
    const heard: unknown[] = []
    let lost = true
    const { kit, reports, sweepAt } = clockedWorld({
      hooks: { afterAddMember: ({ membership: { userId } }) => heard.push(userId) },
      async around({ asked }, run) {
        if (lost && asked.some((sql) => sql.startsWith('delete from "seatgate_jobs"'))) {
          throw new Error('Network connection lost.')
        }
        return run()
      },
    })
    const userId = await newUser()
    expect(codeOf(await adding(kit, organization, userId))).toBe('ok')
    await kit.settled()
    expect([heard, reports]).toEqual([[userId], ['background_failed']])
    lost = false
    await sweepAt(59.999)
    expect(heard).toEqual([userId])
    await sweepAt(60)
    expect(heard).toEqual([userId, userId])
    expect(await intentsOf(organization)).toEqual([])
  })

  it('while a hook runs does not call it again until its minute is over [HOOK-8 HOOK-9]', async () => {
    const organization = await createKit().organization()
    const finished = Promise.withResolvers<void>()
    let calls = 0
    const { kit, sweepAt } = clockedWorld({
      hooks: {
        async afterAddMember() {
          calls += 1
          if (calls === 1) await finished.promise
        },
      },
    })
    // The answer does not wait for the hook.
    expect(codeOf(await adding(kit, organization))).toBe('ok')
    await sweepAt(59.999)
    expect(calls).toBe(1)
    await sweepAt(60)
    expect(calls).toBe(2)
    // Two sweeps at once do not take it up twice: it is gone.
    await Promise.all([sweepAt(120), sweepAt(120)])
    expect(calls).toBe(2)
    finished.resolve()
    await kit.settled()
    expect(await intentsOf(organization)).toEqual([])
  })

  it('makes a second sweep skip the jobs that the first one runs [HOOK-9]', async () => {
    const organization = await createKit().organization()
    const reached = Promise.withResolvers<void>()
    const finished = Promise.withResolvers<void>()
    let calls = 0
    const { kit, sweepAt } = clockedWorld({
      hooks: {
        async afterAddMember() {
          calls += 1
          if (calls === 1) throw new Error('no')
          reached.resolve()
          await finished.promise
        },
      },
    })
    unwrap(await adding(kit, organization))
    await kit.settled()
    const first = sweepAt(1)
    await reached.promise
    await sweepAt(1)
    await sweepAt(60.999)
    expect(calls).toBe(2)
    finished.resolve()
    await first
    expect(await intentsOf(organization)).toEqual([])
  })
})
