import { describe, expect, it } from 'vitest'
import { sweepJobs } from '../../../../src/worker/handlers.ts'
import {
  changeRole,
  leaveOrganization,
  listMembers,
  loadActiveOrganization as load,
  removeMember,
  restoreMember,
  seatUsage,
  suspendMember,
  type Pointers,
  type Result,
  type Seatgate,
  type SessionStore,
} from '../../../../src/index.ts'
import {
  isChange,
  pointerOf,
  sessionOf,
  softDeleted,
  belonging,
  callers,
  queryOf,
  sessionsElsewhere,
  testEnv,
  unwrap,
  createKit,
  join,
  newUser,
  type TestOrganization,
} from '../../../kit/index.ts'

const kit = createKit()
const { seatgate } = kit

type End = (
  seatgate: Seatgate,
  organization: TestOrganization,
  userId: string
) => Promise<Result<unknown>>

const ENDS: Record<string, End> = {
  'ORG-87 removeMember': (by, { as, owner }, userId) => removeMember(by, as(owner), userId),
  'ORG-87 removeMember, of oneself,': (by, { as }, userId) => removeMember(by, as(userId), userId),
  leaveOrganization: (by, { id }, userId) =>
    leaveOrganization(by, { caller: { userId }, organization: id }),
  'ORG-98 suspendMember': (by, { as, owner }, userId) => suspendMember(by, as(owner), userId),
}

/** Somebody with two sessions here, one in another organization and one nowhere. */
async function busyMember() {
  const here = await kit.organization()
  const userId = await join(kit, here)
  const there = await kit.organization()
  await join(kit, there, 'member', userId)
  const sessions = [
    await sessionOf(userId, here.id),
    await sessionOf(userId, here.id),
    await sessionOf(userId, there.id),
    await sessionOf(userId),
    await sessionOf(here.owner, here.id),
  ] as const
  const pointers = () => Promise.all(sessions.map(pointerOf))
  return { here, there, userId, sessions, pointers }
}

describe.each(Object.entries(ENDS))('%s', (_name, end) => {
  it('ends their sessions’ pointers here, and leaves every other one', async () => {
    const { here, there, userId, pointers } = await busyMember()
    unwrap(await end(seatgate, here, userId))
    expect(await pointers()).toEqual([null, null, there.id, null, here.id])
  })

  it('ends them in the very batch of the change, or not at all', async () => {
    const { here, there, userId, pointers } = await busyMember()
    const lossy = createKit({
      async around({ asked }, run) {
        if (isChange(asked)) throw new Error('Network connection lost.')
        return run()
      },
    }).seatgate
    expect((await end(lossy, here, userId)).ok).toBe(false)
    expect(await pointers()).toEqual([here.id, here.id, there.id, null, here.id])
  })

  it('is recorded in D1 until a store elsewhere has received it', async () => {
    const { here, userId } = await busyMember()
    const heard: Pointers[] = []
    let working = false
    const store: SessionStore = {
      ...sessionsElsewhere().store,
      async endActiveOrganization(_db, pointers) {
        if (!working) throw new Error('KV is down')
        heard.push(pointers)
      },
    }
    const clock = { now: Date.now() }
    const elsewhere = createKit({ sessions: store, now: () => new Date(clock.now) })
    unwrap(await end(elsewhere.seatgate, here, userId))
    await elsewhere.settled()
    expect(heard).toEqual([])
    expect(await intentsOf(here.id)).toMatchObject([{ kind: 'end_sessions', attempts: 1 }])
    working = true
    clock.now += 24 * 60 * 60 * 1000
    await sweepJobs(elsewhere.seatgate)
    expect(heard).toEqual([{ organizationId: here.id, userId }])
    expect(await intentsOf(here.id)).toEqual([])
  })

  it('ends access with the next request, for any state of the session store', async () => {
    const { here, there, userId } = await busyMember()
    const session = { id: 'elsewhere', activeOrganizationId: here.id }
    const { store } = sessionsElsewhere(session)
    const elsewhere = createKit({ sessions: store }).seatgate
    const caller = { userId, session }
    expect((await load(elsewhere, { caller })).organization?.id).toBe(here.id)
    unwrap(await end(elsewhere, here, userId))
    expect((await load(elsewhere, { caller })).organization?.id).toBe(there.id)
  })
})

describe('softDeleteOrganization', () => {
  it('ends every user’s pointers there, and leaves every other one', async () => {
    const { here, there, pointers } = await busyMember()
    await softDeleted(seatgate, here)
    expect(await pointers()).toEqual([null, null, there.id, null, null])
  })

  it('asks a store that is elsewhere to end every user’s', async () => {
    const { here } = await busyMember()
    const { store, ends } = sessionsElsewhere()
    const elsewhere = createKit({ sessions: store })
    await softDeleted(elsewhere.seatgate, here)
    await elsewhere.settled()
    expect(ends).toEqual([{ organizationId: here.id, userId: null }])
    expect(await intentsOf(here.id)).toEqual([])
  })
})

describe('suspendMember', () => {
  it('keeps the row, frees the seat and ends the sessions, and access ends at once [ORG-98]', async () => {
    const { here, there, userId, sessions } = await busyMember()
    const before = unwrap(await seatUsage(seatgate, here.as(here.owner)))
    unwrap(await suspendMember(seatgate, here.as(here.owner), userId))
    await kit.settled()
    const after = unwrap(await seatUsage(seatgate, here.as(here.owner)))
    expect(after.held).toBe(before.held - 1)
    const members = unwrap(await listMembers(seatgate, here.as(here.owner)))
    expect(members.data.find((member) => member.userId === userId)).toMatchObject({
      status: 'suspended',
      lastActiveAt: null,
    })
    const { caller, organization } = await load(seatgate, {
      caller: queryOf(seatgate, sessions[0]),
    })
    expect([caller, organization]).toEqual([
      { userId, session: { id: sessions[0].id, activeOrganizationId: null } },
      null,
    ])
    expect(
      (await load(seatgate, { caller: queryOf(seatgate, sessions[2]) })).organization?.id
    ).toBe(there.id)
    unwrap(await restoreMember(seatgate, here.as(here.owner), userId))
    expect(await pointerOf(sessions[0]), 'no session is put back where it was').toBeNull()
  })
})

describe('changeRole', () => {
  it.each(Object.entries(callers))(
    'is the role of the very next request of %s, with the same session [ORG-95]',
    async (_kind, callerOf) => {
      const userId = await newUser()
      const [home] = await belonging(userId, 1)
      const session = await sessionOf(userId, home!.id)
      const roleNow = async () =>
        (await load(seatgate, { caller: callerOf(seatgate, { userId, session }) })).role
      expect(await roleNow()).toBe('member')
      unwrap(await changeRole(seatgate, home!.as(home!.owner), userId, { role: 'admin' }))
      expect(await roleNow()).toBe('admin')
      expect(await pointerOf(session)).toBe(home!.id)
    }
  )
})

async function intentsOf(organizationId: string) {
  const { results } = await testEnv.DB.prepare(
    'SELECT kind, attempts FROM seatgate_jobs WHERE organization_id = ?'
  )
    .bind(organizationId)
    .all()
  return results
}
