import { describe, expect, it } from 'vitest'
import {
  createInvitation,
  createInvitations,
  declineJoinRequest,
  listJoinRequests,
  refuse,
  removeMember,
  restoreMember,
  revokeInvitation,
  setSeatLimit,
  suspendMember,
  withdrawJoinRequest,
} from '../../../../src/index.ts'
import { sweepHandler } from '../../../../src/worker/index.ts'
import {
  testEnv,
  invite,
  newAddress,
  muchLater,
  readState,
  violations,
  approve,
  joinByDomain,
  createJoiningKit,
  joinAs,
  membersOf,
  neighbourOf,
  openOrganization,
  requestsOf,
  actionsOf,
  softDeleted,
  add,
  unwrap,
  codeOf,
  createKit,
  enforcingOr,
  join,
  shareOf,
} from '../../../kit/index.ts'

const quiet = { quiet: true }

describe.each(enforcingOr('ledger'))('the line, %s seats', (provider) => {
  const kit = createJoiningKit({ provider })
  const { seatgate } = kit

  /** A full organization, some of whose people are in and some in line. */
  async function fullWith(waiting: number, limit = 2) {
    const organization = await openOrganization(kit, 'auto', limit)
    const inside: string[] = []
    for (let seat = 1; seat < limit; seat++) inside.push(await join(kit, organization))
    const line = []
    for (let place = 0; place < waiting; place++) line.push(await joinByDomain(kit, organization))
    const [member] = inside
    return {
      organization,
      scope: organization.as(organization.owner),
      member: member!,
      line: line.map(({ userId }) => userId),
      statuses: line.map(({ status }) => status),
    }
  }

  it('takes users without a seat, in order, and holds no seat', async () => {
    const { organization, scope, statuses, line } = await fullWith(3)
    expect(statuses).toEqual(['waiting', 'waiting', 'waiting'])
    expect((await requestsOf(organization)).map(({ user_id }) => user_id)).toEqual(line)
    const { data } = unwrap(await listJoinRequests(seatgate, scope))
    expect(Object.fromEntries(data.map(({ userId, ahead }) => [userId, ahead]))).toEqual(
      Object.fromEntries(line.map((userId, index) => [userId, index]))
    )
    expect(await violations(organization.id, quiet)).toEqual([])
    // To come again changes no place.
    expect(unwrap(await joinAs(kit, organization, line[2]!)).status).toBe('waiting')
    expect(await requestsOf(organization)).toHaveLength(3)
  })

  it('gives a seat to the first when a user is removed, suspended or leaves [SEAT-42]', async () => {
    const { organization, scope, member, line } = await fullWith(3)
    const [first, second, third] = line as [string, string, string]
    unwrap(await removeMember(seatgate, scope, member))
    await kit.settled()
    expect(await membersOf(organization)).toEqual([member, first])
    unwrap(await suspendMember(seatgate, scope, first))
    await kit.settled()
    expect(await membersOf(organization)).toEqual([member, first, second])
    unwrap(await removeMember(seatgate, organization.as(second), second))
    await kit.settled()
    expect(await membersOf(organization)).toEqual([member, first, second, third])
    expect((await requestsOf(organization)).map(({ state }) => state)).toEqual([
      'joined',
      'joined',
      'joined',
    ])
    expect(await violations(organization.id, quiet)).toEqual([])
  })

  it('gives all the seats of a higher limit, and the users behind keep waiting [SEAT-42]', async () => {
    const { organization, member, line } = await fullWith(4)
    unwrap(await setSeatLimit(seatgate, organization.asOperator, { limit: 5 }))
    await kit.settled()
    expect(await membersOf(organization)).toEqual([member, ...line.slice(0, 3)])
    expect(await violations(organization.id, quiet)).toEqual([])
    unwrap(await setSeatLimit(seatgate, organization.asOperator, { limit: 'unlimited' }))
    await kit.settled()
    expect(await membersOf(organization)).toEqual([member, ...line])
  })

  it('gives the seat of an invitation that is revoked', async () => {
    const organization = await openOrganization(kit, 'auto', 2)
    const { id } = await invite(kit, organization)
    const { userId, status } = await joinByDomain(kit, organization)
    expect(status).toBe('waiting')
    unwrap(await revokeInvitation(seatgate, organization.as(organization.owner), id))
    await kit.settled()
    expect(await membersOf(organization)).toEqual([userId])
    expect(await violations(organization.id, quiet)).toEqual([])
  })

  it('gives the seat of an invitation that expires, by the sweep', async () => {
    const short = createJoiningKit({ provider, invitationTtlSeconds: 1 })
    const organization = await openOrganization(short, 'auto', 2)
    const { id } = await invite(short, organization)
    const { userId, status } = await joinByDomain(short, organization)
    expect(status).toBe('waiting')
    await testEnv.DB.prepare('UPDATE seatgate_invitations SET expires_at = ? WHERE id = ?')
      .bind(Date.now() - 120_000, id)
      .run()
    if (provider === 'ledger') await muchLater(organization.id)
    await sweepHandler(short.seatgate)()
    await short.settled()
    expect(await membersOf(organization)).toEqual([userId])
    expect(await violations(organization.id, quiet)).toEqual([])
  })

  it('is kept in order: a free seat goes to its first user [SEAT-42]', async () => {
    const organization = await openOrganization(kit, 'auto', 3)
    const scope = organization.as(organization.owner)
    const suspended = await join(kit, organization)
    unwrap(await suspendMember(seatgate, scope, suspended))
    await join(kit, organization)
    const member = await join(kit, organization)
    const first = await joinByDomain(kit, organization)
    expect(first.status).toBe('waiting')
    // Without anybody to let the first one in at once.
    const hasty = createKit({ provider })
    unwrap(await removeMember(hasty.seatgate, scope, member))
    await hasty.settled()
    expect((await readState(organization.id)).counts?.seats).toBe(2)
    const refusal = { ok: false, error: { code: 'seat_limit_reached', limit: 3, used: 2 } }
    expect(await add(hasty, organization)).toEqual(refusal)
    expect(
      await createInvitation(hasty.seatgate, scope, { email: newAddress(), role: 'member' })
    ).toEqual(refusal)
    expect(await restoreMember(hasty.seatgate, scope, suspended)).toEqual(refusal)
    await hasty.settled()
    // Whoever comes later is behind them, and lets them in.
    const late = await joinByDomain(kit, organization)
    expect(late.status).toBe('waiting')
    expect((await membersOf(organization)).at(-1)).toBe(first.userId)
    expect(await violations(organization.id, quiet)).toEqual([])
  })

  it('admits a user for whom there is a seat beside it', async () => {
    const { organization, line } = await fullWith(1, 2)
    const hasty = createKit({ provider })
    unwrap(await setSeatLimit(hasty.seatgate, organization.asOperator, { limit: 4 }))
    await hasty.settled()
    expect(codeOf(await add(hasty, organization))).toBe('ok')
    expect(codeOf(await add(hasty, organization))).toBe('seat_limit_reached')
    await hasty.settled()
    await sweepHandler(kit.seatgate)()
    await kit.settled()
    expect((await membersOf(organization)).at(-1)).toBe(line[0])
    expect(await violations(organization.id, quiet)).toEqual([])
  })

  it('keeps its seats from a list of invitations, of which each has its own outcome [INV-33 SEAT-42]', async () => {
    const { organization, scope } = await fullWith(2)
    const hasty = createKit({ provider })
    const listed = async (rows: number) => {
      const list = Array.from({ length: rows }, () => ({ email: newAddress(), role: 'member' }))
      const answer = await createInvitations(hasty.seatgate, scope, { invitations: list })
      await hasty.settled()
      return unwrap(answer).map((row) => (row.ok ? 'ok' : row.error))
    }
    const full = { code: 'seat_limit_reached', limit: 4, used: 2 }
    unwrap(await setSeatLimit(hasty.seatgate, organization.asOperator, { limit: 4 }))
    await hasty.settled()
    expect(await listed(3)).toEqual([full, full, full])
    unwrap(await setSeatLimit(hasty.seatgate, organization.asOperator, { limit: 6 }))
    await hasty.settled()
    const [first, second, ...others] = await listed(5)
    expect([first, second]).toEqual(['ok', 'ok'])
    expect(others).toEqual(others.map(() => ({ ...full, limit: 6, used: 2 })))
    expect(await violations(organization.id, { quiet: false })).toEqual([])
  })

  it('keeps no seat from others where the part of joining is gone', async () => {
    const { organization } = await fullWith(1)
    // Roles of its own, so that the kit adds no part of joining.
    const roles = ['owner', 'admin', 'member']
    const admins = { ownerRole: 'owner', invitationAdminRoles: ['owner', 'admin'] }
    const without = createKit({ provider, roles, ...admins })
    expect(without.seatgate.joining).toBeNull()
    unwrap(await setSeatLimit(without.seatgate, organization.asOperator, { limit: 3 }))
    await without.settled()
    await join(without, organization)
    expect((await requestsOf(organization)).map(({ state }) => state)).toEqual(['waiting'])
  })

  it('removes a user who withdraws, is declined, becomes a member in another way or is deleted', async () => {
    const { organization, scope, member, line } = await fullWith(5)
    const [left, declined, added, gone, last] = line as [string, string, string, string, string]
    const requests = unwrap(await listJoinRequests(seatgate, scope)).data
    const idOf = (who: string) => requests.find(({ userId }) => userId === who)!.id
    unwrap(await withdrawJoinRequest(seatgate, { caller: { userId: left } }, idOf(left)))
    unwrap(await declineJoinRequest(seatgate, scope, idOf(declined)))
    await testEnv.DB.prepare('DELETE FROM users WHERE id = ?').bind(gone).run()
    const hasty = createKit({ provider })
    unwrap(await setSeatLimit(hasty.seatgate, organization.asOperator, { limit: 10 }))
    await hasty.settled()
    await join(hasty, organization, 'admin', added)
    unwrap(await setSeatLimit(hasty.seatgate, organization.asOperator, { limit: 4 }))
    await hasty.settled()
    await sweepHandler(seatgate)()
    await kit.settled()
    expect(await membersOf(organization)).toEqual([member, added, last])
    expect((await requestsOf(organization)).map(({ state }) => state)).toEqual([
      'withdrawn',
      'declined',
      'closed',
      'closed',
      'joined',
    ])
    expect(await violations(organization.id, quiet)).toEqual([])
  })

  it('continues after a user whom a hook refuses', async () => {
    const { organization, scope, member, line } = await fullWith(2)
    const [unwelcome, next] = line as [string, string]
    const picky = createJoiningKit({
      provider,
      hooks: {
        beforeAddMember: ({ userId }) =>
          userId === unwelcome ? refuse('unwelcome') : { ok: true as const },
      },
    })
    unwrap(await removeMember(picky.seatgate, scope, member))
    await picky.settled()
    expect(await membersOf(organization)).toEqual([member, next])
    expect((await requestsOf(organization)).map(({ state }) => state)).toEqual([
      'declined',
      'joined',
    ])
    expect(await actionsOf(organization.id)).toContain('organization.join_request.declined')
  })

  it('is also for users whose request is approved', async () => {
    const organization = await openOrganization(kit, 'request', 2)
    const member = await join(kit, organization)
    const { userId, outcome } = await joinByDomain(kit, organization)
    if (outcome.status !== 'requested') throw new Error(outcome.status)
    const approved = unwrap(await approve(kit, organization, outcome.request.id))
    expect(approved).toMatchObject({ status: 'waiting', request: { userId } })
    expect(unwrap(await approve(kit, organization, outcome.request.id))).toEqual(approved)
    unwrap(await removeMember(seatgate, organization.as(organization.owner), member))
    await kit.settled()
    expect(await membersOf(organization)).toEqual([member, userId])
    expect((await actionsOf(organization.id)).slice(-8)).toEqual([
      'organization.join_request.created',
      'organization.join_request.approved',
      'organization.join_request.queued',
      'seat.limit_reached',
      'organization.member_remove',
      'seat.released',
      'organization.member_add',
      'seat.assigned',
    ])
  })

  it('is over with the organization', async () => {
    const { organization } = await fullWith(2)
    await softDeleted(seatgate, organization)
    await kit.settled()
    await sweepHandler(seatgate)()
    expect((await requestsOf(organization)).map(({ state }) => state)).toEqual(['closed', 'closed'])
  })

  it('is found by the sweep if the process that freed a seat died before it was assigned', async () => {
    const { organization, scope, member, line } = await fullWith(2)
    const dying = createJoiningKit({ provider, waitUntil() {} })
    unwrap(await removeMember(dying.seatgate, scope, member))
    expect((await requestsOf(organization)).map(({ state }) => state)).toContain('waiting')
    await new Promise((resolve) => setTimeout(resolve))
    await sweepHandler(seatgate)()
    await kit.settled()
    expect(await membersOf(organization)).toEqual([member, line[0]])
  })

  it.each(shareOf([0, 5], 1))(
    'lets fifty in at once as far as there are seats, the others one by one (%i ms)',
    async (delayMs) => {
      const rush = createJoiningKit({ provider, delayMs })
      const organization = await openOrganization(rush, 'auto', 10)
      const scope = organization.as(organization.owner)
      const people = await Promise.all(Array.from({ length: 50 }, () => neighbourOf(organization)))
      const answers = await Promise.all(people.map((userId) => joinAs(rush, organization, userId)))
      await rush.settled()
      await sweepHandler(rush.seatgate)()
      await rush.settled()
      expect(answers.map(codeOf).filter((code) => code !== 'ok')).toEqual([])
      expect(await membersOf(organization)).toHaveLength(9)
      const line = (await requestsOf(organization)).filter(({ state }) => state === 'waiting')
      expect(line).toHaveLength(41)
      expect(await violations(organization.id, quiet)).toEqual([])

      // Five leave while five more try to push in.
      const leavers = (await membersOf(organization)).slice(0, 5)
      const pushed = await Promise.all([
        ...leavers.map((userId) => removeMember(rush.seatgate, scope, userId)),
        ...Array.from({ length: 5 }, () => add(rush, organization)),
      ])
      await rush.settled()
      await sweepHandler(rush.seatgate)()
      await rush.settled()
      expect(pushed.slice(0, 5).map(codeOf)).toEqual(Array.from({ length: 5 }, () => 'ok'))
      expect(
        pushed
          .slice(5)
          .map(codeOf)
          .filter((code) => code === 'ok')
      ).toEqual([])
      expect((await membersOf(organization)).slice(9)).toEqual(
        line.slice(0, 5).map(({ user_id }) => user_id)
      )
      expect(await violations(organization.id, quiet)).toEqual([])
    }
  )
})
