import { beforeEach, describe, expect, it } from 'vitest'
import { HOOKS, type AfterStates } from '../../../../src/engine/model/hooks.ts'
import {
  addMember,
  allow,
  createInvitations,
  deleteUser,
  joinOrganization,
  refuse,
  removeMember,
  restoreMembers,
  setDomainMode,
  suspendMember,
  type Hooks,
} from '../../../../src/index.ts'
import { sweepJobs } from '../../../../src/worker/handlers.ts'
import {
  newAddress,
  userWith,
  approve,
  joinByDomain,
  createJoiningKit,
  joinAs,
  neighbourOf,
  openOrganization,
  requestsOf,
  everyHook,
  everything,
  kitWithHooks,
  EVERY_CHANGE,
  newTeam,
  softDeleted,
  freshStores,
  testEnv,
  unwrap,
  codeOf,
  createKit,
  join,
  newUsers,
} from '../../../kit/index.ts'

beforeEach(freshStores)

type Call = readonly [hook: string, state: Record<string, unknown>]

/** Every hook, and what each was given. */
function listening() {
  const calls: Call[] = []
  const hooks = everyHook((hook, state) => calls.push([hook, state as Call[1]]))
  return { calls, hooks, names: () => calls.splice(0).map(([hook]) => hook) }
}

const pages = import.meta.glob(['../../../../docs/hooks.md'], {
  query: '?raw',
  import: 'default',
  eager: true,
})
const documentation = pages['../../../../docs/hooks.md'] ?? ''

const outside = Object.entries(HOOKS).flatMap(([hook, { inBatch }]) => (inBatch ? [] : [hook]))

describe('the line', () => {
  it('has its hooks, into it and out of it [C1]', async () => {
    const { calls, hooks, names } = listening()
    const kit = createJoiningKit({ hooks })
    const organization = await openOrganization(kit, 'auto', 2)
    const leaver = await join(kit, organization)
    names()
    const first = await joinByDomain(kit, organization)
    // Who is put in line tries at once whether there is a seat after all.
    expect(names()).toEqual(['beforeJoinRequestQueue', 'afterJoinRequestQueue', 'beforeAddMember'])
    const second = await joinByDomain(kit, organization)
    await testEnv.DB.prepare('DELETE FROM users WHERE id = ?').bind(second.userId).run()
    await joinByDomain(kit, organization)
    names()
    unwrap(await removeMember(kit.seatgate, organization.as(organization.owner), leaver))
    await kit.settled()
    expect(calls.map(([hook, { path }]) => [hook, path])).toEqual([
      ['beforeMemberRemove', 'removed'],
      ['afterMemberRemove', 'removed'],
      ['beforeAddMember', 'waiting_line'],
      ['afterAddMember', 'waiting_line'],
      ['afterJoinRequestClose', 'user_deleted'],
      ['beforeAddMember', 'waiting_line'],
    ])
    const { membership, requestId } = calls[3]![1] as unknown as AfterStates['afterAddMember']
    expect(membership.userId).toBe(first.userId)
    expect(requestId).toEqual(expect.any(String))
  })

  it('is entered on approval, where all approved users wait, and closed for a member [C1]', async () => {
    const { hooks, names } = listening()
    const kit = createJoiningKit({ hooks })
    const organization = await openOrganization(kit, 'request', 1)
    const [one, two] = [await neighbourOf(organization), await neighbourOf(organization)]
    const requests = []
    for (const userId of [one, two]) {
      const asked = unwrap(await joinAs(kit, organization, userId))
      requests.push(asked.status === 'joined' ? '' : asked.request.id)
    }
    await kit.settled()
    names()
    unwrap(await approve(kit, organization, requests[0]!))
    await kit.settled()
    expect(names()).toEqual([
      'beforeJoinRequestApprove',
      'beforeJoinRequestQueue',
      'afterJoinRequestApprove',
      'afterJoinRequestQueue',
      'beforeAddMember',
    ])
    const calm = createKit({ provider: 'unlimited' })
    await join(calm, organization, 'member', two)
    unwrap(await approve(kit, organization, requests[1]!))
    await kit.settled()
    expect(names()).toEqual(['beforeJoinRequestApprove', 'afterJoinRequestClose'])
  })

  it('is refused by a hook, and so is a request [C1]', async () => {
    for (const [mode, hook] of [
      ['auto', 'beforeJoinRequestQueue'],
      ['request', 'beforeJoinRequestCreate'],
    ] as const) {
      const kit = createJoiningKit({ hooks: { [hook]: () => refuse('closed') } })
      const organization = await openOrganization(createJoiningKit(), mode, 1)
      const answer = await joinAs(kit, organization, await neighbourOf(organization))
      expect(codeOf(answer)).toBe('hook_refused')
      expect(await requestsOf(organization)).toEqual([])
    }
  })

  it('reports each request that ends with the organization, in one statement [C1]', async () => {
    const { calls, hooks } = listening()
    let time = Date.now()
    const batches: number[] = []
    const kit = createJoiningKit({
      provider: 'd1',
      hooks,
      now: () => new Date(time),
      around({ asked }, run) {
        batches.push(asked.length)
        return run()
      },
    })
    const few = await openOrganization(kit, 'request')
    const many = await openOrganization(kit, 'request')
    const asking = async (organization: typeof few, count: number) => {
      const users = await newUsers(count)
      await testEnv.DB.prepare(
        `INSERT INTO seatgate_join_requests (id, organization_id, user_id, role, path, state, created_at, updated_at)
         SELECT 'r-' || value, ?1, value, 'member', 'request', 'open', 1, 1 FROM json_each(?2)`
      )
        .bind(organization.id, JSON.stringify(users))
        .run()
      return users
    }
    await asking(few, 1)
    const users = await asking(many, 150)
    await kit.settled()
    const largest = async (organization: typeof few) => {
      batches.length = 0
      await softDeleted(kit.seatgate, organization)
      await kit.settled()
      return Math.max(...batches)
    }
    expect(await largest(many)).toBe(await largest(few))
    calls.length = 0
    for (let round = 0; round < 3; round++) {
      time += 3_600_000
      await sweepJobs(kit.seatgate)
    }
    const told = calls.filter(([hook]) => hook === 'afterJoinRequestClose')
    expect(told).toHaveLength(151)
    expect(new Set(told.map(([, { eventId }]) => eventId)).size).toBe(151)
    const ofMany = told
      .map(([, state]) => state as unknown as AfterStates['afterJoinRequestClose'])
      .filter(({ request }) => request.organizationId === many.id)
    expect(new Set(ofMany.map(({ request }) => request.userId))).toEqual(new Set(users))
    expect(ofMany[0]).toMatchObject({
      request: { state: 'closed', role: 'member', createdAt: '1970-01-01T00:00:00.001Z' },
      path: 'organization_deleted',
      actor: { type: 'user', id: many.owner },
    })
  })
})

describe('several at once', () => {
  it('asks for each invitation: one that is refused leaves the others [C1]', async () => {
    const { hooks, calls } = listening()
    const [mine, theirs] = [newAddress(), `${crypto.randomUUID()}@rival.example`]
    const kit = createKit({
      hooks: {
        ...hooks,
        beforeInvitationCreate: ({ email }) =>
          email.endsWith('@rival.example') ? refuse('rival') : allow(),
      },
    })
    const organization = await kit.organization({ seats: 5 })
    const rows = [theirs, mine].map((email) => ({ email, role: 'member' }))
    const scope = organization.as(organization.owner)
    const outcomes = unwrap(await createInvitations(kit.seatgate, scope, { invitations: rows }))
    expect(outcomes.map(codeOf)).toEqual(['hook_refused', 'ok'])
    await kit.settled()
    const made = calls.filter(([hook]) => hook === 'afterInvitationCreate')
    expect(made).toMatchObject([['afterInvitationCreate', { invitation: { email: mine } }]])
    expect(JSON.stringify(calls)).not.toContain('"token"')
  })

  it('restores all or, if a hook refuses one, no user [C1]', async () => {
    const calm = createKit()
    const organization = await calm.organization({ seats: 5 })
    const scope = organization.as(organization.owner)
    const userIds = [await join(calm, organization), await join(calm, organization)]
    for (const userId of userIds) unwrap(await suspendMember(calm.seatgate, scope, userId))
    await calm.settled()
    const kit = createKit({
      hooks: {
        beforeAddMember: ({ userId, path }) =>
          path === 'restore' && userId === userIds[1] ? refuse('banned') : allow(),
      },
    })
    const rows = await everything()
    expect(codeOf(await restoreMembers(kit.seatgate, scope, { userIds }))).toBe('hook_refused')
    await kit.settled()
    expect(await everything()).toEqual(rows)
  })
})

describe('a path', () => {
  it('names the operation by which a member was added [C1]', async () => {
    const { calls, hooks, names } = listening()
    const kit = createJoiningKit({ hooks })
    const organization = await openOrganization(kit, 'request')
    const userId = await neighbourOf(organization)
    const asked = unwrap(await joinAs(kit, organization, userId))
    const scope = organization.as(organization.owner)
    unwrap(await setDomainMode(kit.seatgate, scope, organization.domain.id, { mode: 'auto' }))
    await kit.settled()
    names()
    const refuser = createKit({
      hooks: { beforeAddMember: ({ path }) => (path === 'domain' ? refuse(path) : allow()) },
    })
    const input = { organizationId: organization.id }
    const joined = await joinOrganization(refuser.seatgate, { caller: { userId } }, input)
    expect(joined).toMatchObject({ error: { code: 'hook_refused', reason: 'domain' } })
    unwrap(await addMember(refuser.seatgate, scope, { userId, role: 'member' }))
    // The request that waited is told of where it is what the person came by.
    const other = await userWith(`${crypto.randomUUID()}@${organization.domain.domain}`)
    const open = createKit({ hooks })
    unwrap(await joinOrganization(open.seatgate, { caller: { userId: other } }, input))
    await open.settled()
    expect(calls.at(-1)).toMatchObject(['afterAddMember', { path: 'domain', requestId: null }])
    expect(asked.status).toBe('requested')
  })

  it('of a deleted user is theirs, and no hook of an organization is asked [C1]', async () => {
    const team = await newTeam('d1')
    const calls: Call[] = []
    const kit = kitWithHooks({ provider: 'd1' }, (hook, state) =>
      calls.push([hook, state as Call[1]])
    )
    const caller = { userId: team.second }
    unwrap(await deleteUser(kit.seatgate, { caller }, { password: 'correct horse' }))
    await kit.settled()
    expect(calls.map(([hook]) => hook)).toEqual(['onDelete', 'afterMemberRemove'])
    expect(calls[1]![1]).toMatchObject({ path: 'user_deleted', reason: 'user_deleted' })
  })
})

describe('the documentation', () => {
  const rows = documentation
    .slice(documentation.indexOf('## The hooks'), documentation.indexOf('| hook '))
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => line.split('|').map((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, n]) => n!)))
  const documented = new Map(
    rows.flatMap(([, , before = [], asked = [], after = [], told = []]) =>
      [
        [before[0], [...asked, 'caller']],
        [after[0], [...told, 'actor', 'eventId']],
      ].filter(([name]) => name !== undefined)
    ) as [string, string[]][]
  )

  it('lists every hook [C1]', () => {
    expect([...documented.keys()].toSorted()).toEqual(outside.toSorted())
  })

  it('names all that each is given, and each is given all that it names [C1]', async () => {
    const seen = new Map<string, string[]>()
    for (const { act } of EVERY_CHANGE) {
      const team = await newTeam('d1')
      const kit = kitWithHooks({ provider: 'd1' }, (hook, state) => {
        if (state !== undefined) seen.set(hook, Object.keys(state as object).toSorted())
      })
      await act(kit.seatgate, team)
      await kit.settled()
    }
    for (const [hook, keys] of seen)
      expect([hook, keys]).toEqual([hook, documented.get(hook)?.toSorted()])
    // Those of the waitlist are in the tests above.
    expect(outside.filter((hook) => !seen.has(hook))).toEqual([
      'beforeJoinRequestQueue',
      'afterJoinRequestQueue',
      'afterJoinRequestClose',
      // In billing/limit-notices.test.ts.
      'afterLimitNotice',
    ])
  })
})

describe('a hook that is not set', () => {
  it('costs no statement and no row [C1]', async () => {
    for (const { act, name } of EVERY_CHANGE) {
      if (name === 'deleteUser') continue
      const count = async (hooks: Hooks) => {
        const team = await newTeam('d1')
        const batches: number[] = []
        const kinds: string[] = []
        const kit = createKit({
          provider: 'd1',
          hooks,
          around({ asked }, run) {
            batches.push(asked.length)
            kinds.push(...asked.filter((sql) => sql.includes('"seatgate_jobs"')))
            return run()
          },
        })
        await act(kit.seatgate, team)
        await kit.settled()
        return { batches, kinds }
      }
      const without = await count({})
      expect([name, without.kinds]).toEqual([name, []])
      const befores = Object.fromEntries(
        outside.filter((hook) => hook.startsWith('before')).map((hook) => [hook, () => allow()])
      )
      // Those that ask cost no trip either, but for the draft, which is read for before it is shown.
      if (!name.includes('createOrganization')) {
        expect([name, (await count(befores)).batches]).toEqual([name, without.batches])
      }
    }
  })
})
