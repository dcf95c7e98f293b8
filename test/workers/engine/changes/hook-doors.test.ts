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
import { newAddress, userWith } from '../../../kit/invitations.ts'
import {
  approve,
  comeIn,
  createJoiningWorld,
  joinAs,
  neighbourOf,
  openOrganization,
  requestsOf,
} from '../../../kit/joining.ts'
import {
  everyHook,
  everything,
  hookedWorld,
  MUTATORS,
  newTeam,
  softDeleted,
} from '../../../kit/every-change.ts'
import { freshStores, testEnv } from '../../../kit/environment.ts'
import { answered, codeOf, createWorld, join, newOrganization, newUsers } from '../../../kit/kit.ts'

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
  it('C1 has its hooks, into it and out of it', async () => {
    const { calls, hooks, names } = listening()
    const world = createJoiningWorld({ hooks })
    const organization = await openOrganization(world, 'auto', 2)
    const leaver = await join(world, organization)
    names()
    const first = await comeIn(world, organization)
    // Who is put in line tries at once whether there is a seat after all.
    expect(names()).toEqual(['beforeJoinRequestQueue', 'afterJoinRequestQueue', 'beforeAddMember'])
    const second = await comeIn(world, organization)
    await testEnv.DB.prepare('DELETE FROM users WHERE id = ?').bind(second.userId).run()
    await comeIn(world, organization)
    names()
    answered(await removeMember(world.seatgate, organization.as(organization.owner), leaver))
    await world.settled()
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

  it('C1 is entered on approval, where all who are approved wait, and closed for who is in', async () => {
    const { hooks, names } = listening()
    const world = createJoiningWorld({ hooks })
    const organization = await openOrganization(world, 'request', 1)
    const [one, two] = [await neighbourOf(organization), await neighbourOf(organization)]
    const requests = []
    for (const userId of [one, two]) {
      const asked = answered(await joinAs(world, organization, userId))
      requests.push(asked.status === 'joined' ? '' : asked.request.id)
    }
    await world.settled()
    names()
    answered(await approve(world, organization, requests[0]!))
    await world.settled()
    expect(names()).toEqual([
      'beforeJoinRequestApprove',
      'beforeJoinRequestQueue',
      'afterJoinRequestApprove',
      'afterJoinRequestQueue',
      'beforeAddMember',
    ])
    const calm = createWorld({ provider: 'unlimited' })
    await join(calm, organization, 'member', two)
    answered(await approve(world, organization, requests[1]!))
    await world.settled()
    expect(names()).toEqual(['beforeJoinRequestApprove', 'afterJoinRequestClose'])
  })

  it('C1 is refused by a hook, and so is a request', async () => {
    for (const [mode, hook] of [
      ['auto', 'beforeJoinRequestQueue'],
      ['request', 'beforeJoinRequestCreate'],
    ] as const) {
      const world = createJoiningWorld({ hooks: { [hook]: () => refuse('closed') } })
      const organization = await openOrganization(createJoiningWorld(), mode, 1)
      const answer = await joinAs(world, organization, await neighbourOf(organization))
      expect(codeOf(answer)).toBe('hook_refused')
      expect(await requestsOf(organization)).toEqual([])
    }
  })

  it('C1 tells of each request that ends with the organization, in one statement', async () => {
    const { calls, hooks } = listening()
    let time = Date.now()
    const batches: number[] = []
    const world = createJoiningWorld({
      provider: 'd1',
      hooks,
      now: () => new Date(time),
      around({ asked }, run) {
        batches.push(asked.length)
        return run()
      },
    })
    const few = await openOrganization(world, 'request')
    const many = await openOrganization(world, 'request')
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
    await world.settled()
    const largest = async (organization: typeof few) => {
      batches.length = 0
      await softDeleted(world.seatgate, organization)
      await world.settled()
      return Math.max(...batches)
    }
    expect(await largest(many)).toBe(await largest(few))
    calls.length = 0
    for (let round = 0; round < 3; round++) {
      time += 3_600_000
      await sweepJobs(world.seatgate)
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
  it('C1 asks for each invitation: one that is refused leaves the others', async () => {
    const { hooks, calls } = listening()
    const [mine, theirs] = [newAddress(), `${crypto.randomUUID()}@rival.example`]
    const world = createWorld({
      hooks: {
        ...hooks,
        beforeInvitationCreate: ({ email }) =>
          email.endsWith('@rival.example') ? refuse('rival') : allow(),
      },
    })
    const organization = await newOrganization(world, 5)
    const rows = [theirs, mine].map((email) => ({ email, role: 'member' }))
    const scope = organization.as(organization.owner)
    const outcomes = answered(await createInvitations(world.seatgate, scope, { invitations: rows }))
    expect(outcomes.map(codeOf)).toEqual(['hook_refused', 'ok'])
    await world.settled()
    const made = calls.filter(([hook]) => hook === 'afterInvitationCreate')
    expect(made).toMatchObject([['afterInvitationCreate', { invitation: { email: mine } }]])
    expect(JSON.stringify(calls)).not.toContain('"token"')
  })

  it('C1 restores all or, if a hook refuses one, nobody', async () => {
    const calm = createWorld()
    const organization = await newOrganization(calm, 5)
    const scope = organization.as(organization.owner)
    const userIds = [await join(calm, organization), await join(calm, organization)]
    for (const userId of userIds) answered(await suspendMember(calm.seatgate, scope, userId))
    await calm.settled()
    const world = createWorld({
      hooks: {
        beforeAddMember: ({ userId, path }) =>
          path === 'restore' && userId === userIds[1] ? refuse('banned') : allow(),
      },
    })
    const rows = await everything()
    expect(codeOf(await restoreMembers(world.seatgate, scope, { userIds }))).toBe('hook_refused')
    await world.settled()
    expect(await everything()).toEqual(rows)
  })
})

describe('a path', () => {
  it('C1 says which way a member came', async () => {
    const { calls, hooks, names } = listening()
    const world = createJoiningWorld({ hooks })
    const organization = await openOrganization(world, 'request')
    const userId = await neighbourOf(organization)
    const asked = answered(await joinAs(world, organization, userId))
    const scope = organization.as(organization.owner)
    answered(await setDomainMode(world.seatgate, scope, organization.domain.id, { mode: 'auto' }))
    await world.settled()
    names()
    const refuser = createWorld({
      hooks: { beforeAddMember: ({ path }) => (path === 'domain' ? refuse(path) : allow()) },
    })
    const input = { organizationId: organization.id }
    const joined = await joinOrganization(refuser.seatgate, { caller: { userId } }, input)
    expect(joined).toMatchObject({ error: { code: 'hook_refused', reason: 'domain' } })
    answered(await addMember(refuser.seatgate, scope, { userId, role: 'member' }))
    // The request that waited is told of where it is what the person came by.
    const other = await userWith(`${crypto.randomUUID()}@${organization.domain.domain}`)
    const open = createWorld({ hooks })
    answered(await joinOrganization(open.seatgate, { caller: { userId: other } }, input))
    await open.settled()
    expect(calls.at(-1)).toMatchObject(['afterAddMember', { path: 'domain', requestId: null }])
    expect(asked.status).toBe('requested')
  })

  it('C1 of a deleted user is theirs, and no hook of an organization is asked', async () => {
    const team = await newTeam('d1')
    const calls: Call[] = []
    const world = hookedWorld({ provider: 'd1' }, (hook, state) =>
      calls.push([hook, state as Call[1]])
    )
    const caller = { userId: team.second }
    answered(await deleteUser(world.seatgate, { caller }, { password: 'correct horse' }))
    await world.settled()
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

  it('C1 lists every hook', () => {
    expect([...documented.keys()].toSorted()).toEqual(outside.toSorted())
  })

  it('C1 names what each is given, and nothing else is', async () => {
    const seen = new Map<string, string[]>()
    for (const { act } of MUTATORS) {
      const team = await newTeam('d1')
      const world = hookedWorld({ provider: 'd1' }, (hook, state) => {
        if (state !== undefined) seen.set(hook, Object.keys(state as object).toSorted())
      })
      await act(world.seatgate, team)
      await world.settled()
    }
    for (const [hook, keys] of seen)
      expect([hook, keys]).toEqual([hook, documented.get(hook)?.toSorted()])
    // The line's own three are in the tests above.
    expect(outside.filter((hook) => !seen.has(hook))).toEqual([
      'beforeJoinRequestQueue',
      'afterJoinRequestQueue',
      'afterJoinRequestClose',
    ])
  })
})

describe('a hook that is not set', () => {
  it('C1 costs no statement and no row', async () => {
    for (const { act, name } of MUTATORS) {
      if (name === 'deleteUser') continue
      const count = async (hooks: Hooks) => {
        const team = await newTeam('d1')
        const batches: number[] = []
        const kinds: string[] = []
        const world = createWorld({
          provider: 'd1',
          hooks,
          around({ asked }, run) {
            batches.push(asked.length)
            kinds.push(...asked.filter((sql) => sql.includes('"seatgate_jobs"')))
            return run()
          },
        })
        await act(world.seatgate, team)
        await world.settled()
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
