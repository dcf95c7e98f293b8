import { describe, expect, it } from 'vitest'
import { loadActiveOrganization as load, removeMember, type Report } from '../../../../src/index.ts'
import {
  isChange,
  meanwhile,
  pointerOf,
  sessionOf,
  askWhere,
  stalePointer,
  belonging,
  callers,
  deleteSession,
  listening,
  losingTrips,
  losses,
  moveBy,
  movesOf,
  queryOf,
  type StalePointer,
  testEnv,
  unwrap,
  createKit,
  join,
  newUser,
  type KitOptions,
} from '../../../kit/index.ts'

const kit = createKit({ provider: 'unlimited' })
const { seatgate } = kit

/** A world that counts its trips and remembers what it reported. */
function watched(options: KitOptions = {}) {
  const reports: Report[] = []
  const { trips, around } = listening(options.around)
  const made = createKit({
    provider: 'unlimited',
    ...options,
    around,
    report: (report) => reports.push(report),
  })
  return { ...made, trips, reports, events: () => reports.map(({ event }) => event) }
}

const reassigned = ({ userId, lost }: StalePointer, to: string | null) =>
  moveBy(userId, lost.id, 'active_auto_reassigned', lost.id, to)

const nowhere = ({ userId, session }: StalePointer) => ({
  caller: { userId, session: { id: session.id, activeOrganizationId: null } },
  organization: null,
  membership: null,
  role: null,
  permissions: [],
})

describe.each(losses)('a pointer that became stale because %s', (loss) => {
  describe.each(Object.entries(callers))('the session of %s', (_kind, callerOf) => {
    it('moves to the only other organization, and is recorded once [PIPE-16 PIPE-18 PIPE-21]', async () => {
      const who = await stalePointer(loss, 1)
      const { userId, session, others } = who
      const { seatgate, trips, events } = watched()
      const home = others[0]!
      const { status, variables } = await askWhere(seatgate, callerOf(seatgate, who))
      expect(status).toBe(200)
      expect(variables).toMatchObject({
        caller: { userId, session: { id: session.id, activeOrganizationId: home.id } },
        organization: { id: home.id },
        membership: { organizationId: home.id, userId },
        role: 'member',
      })
      expect(await pointerOf(session)).toBe(home.id)
      expect(await movesOf(who.lost.id)).toEqual([reassigned(who, home.id)])
      expect(await movesOf(home.id)).toEqual([])
      expect(events()).toEqual([])
      const [first, list, change] = trips
      expect(trips).toHaveLength(3)
      expect(first!.every((asked) => asked.startsWith('select'))).toBe(true)
      expect(list, 'the list of organizations is read once').toHaveLength(1)
      expect(change!.filter((asked) => asked.startsWith('select'))).toEqual([])
      expect(isChange(change!)).toBe(true)

      const again = await askWhere(seatgate, queryOf(seatgate, session))
      expect(again.variables).toEqual(variables)
      expect(trips, 'from then on it is a pointer like any other').toHaveLength(4)
      expect(await movesOf(who.lost.id)).toHaveLength(1)
    })

    it.each([0, 2, 3])(
      'is cleared where there are %i others [PIPE-17 PIPE-18 PIPE-21]',
      async (others) => {
        const who = await stalePointer(loss, others)
        const { seatgate, trips } = watched()
        const { status, variables } = await askWhere(seatgate, callerOf(seatgate, who))
        expect(status).toBe(200)
        expect(variables).toEqual(nowhere(who))
        expect(await pointerOf(who.session)).toBeNull()
        expect(await movesOf(who.lost.id)).toEqual([reassigned(who, null)])
        expect(trips).toHaveLength(3)
        await askWhere(seatgate, queryOf(seatgate, who.session))
        expect(await movesOf(who.lost.id)).toHaveLength(1)
      }
    )
  })

  it('is never resumed [PIPE-19]', async () => {
    const who = await stalePointer(loss, 2)
    const { organization } = await load(seatgate, { caller: who.caller })
    expect(organization).toBeNull()
    expect(await pointerOf(who.session)).toBeNull()
    const later = await load(seatgate, { caller: queryOf(seatgate, who.session) })
    expect(later.organization).toBeNull()
  })

  it('does not move the user’s other sessions', async () => {
    const who = await stalePointer(loss, 2)
    const elsewhere = await sessionOf(who.userId, who.others[0]!.id)
    const alike = await sessionOf(who.userId, who.lost.id)
    await load(seatgate, { caller: who.caller })
    expect(await pointerOf(elsewhere)).toBe(who.others[0]!.id)
    expect(await pointerOf(alike)).toBe(who.lost.id)
  })
})

describe('recovery from a stale pointer', () => {
  it('treats an organization of which they were never a member like a lost one [PIPE-16 PIPE-19]', async () => {
    const userId = await newUser()
    const [home] = await belonging(userId, 1)
    for (const pointer of [(await kit.organization()).id, crypto.randomUUID(), 'garbage']) {
      const session = await sessionOf(userId, pointer)
      const { organization, role } = await load(seatgate, { caller: { userId, session } })
      expect(organization?.id).toBe(home!.id)
      expect(role).toBe('member')
      expect(await pointerOf(session)).toBe(home!.id)
    }
  })

  it('records the request, and the operator who acts as the user [PIPE-21]', async () => {
    const { userId, session, lost } = await stalePointer('the membership is gone', 0)
    const caller = { userId, impersonatedBy: 'root', session }
    await load(seatgate, { caller, requestId: 'ray-7' })
    expect(await movesOf(lost.id)).toMatchObject([
      { actor_type: 'operator', actor_id: 'root', effective_user_id: userId },
    ])
    expect(await requestOf(lost.id)).toBe('ray-7')
  })

  it('leaves a user without a session without an organization, and records no event [PIPE-20 PIPE-22]', async () => {
    for (const others of [0, 1, 2]) {
      const who = await stalePointer('the organization is deleted', others)
      const { seatgate, events } = watched({ around: meanwhile(() => deleteSession(who.session)) })
      const { status, variables } = await askWhere(seatgate, who.caller)
      expect(status).toBe(200)
      expect(variables).toEqual(nowhere(who))
      expect(await movesOf(who.lost.id)).toEqual([])
      expect(events()).toEqual([])
    }
  })

  it.each([
    ['the list is', 2],
    ['the change is', 3],
  ])(
    'leaves them nowhere and reports it where %s lost on its way [PIPE-20 PIPE-22]',
    async (_what, trip) => {
      for (const others of [0, 1, 2]) {
        const who = await stalePointer('the membership is gone', others)
        const { seatgate, reports } = watched({ around: losingTrips([trip]) })
        const { status, variables } = await askWhere(seatgate, who.caller)
        expect(status).toBe(200)
        expect(variables).toEqual(nowhere(who))
        expect(reports).toEqual([
          {
            event: 'active_organization_recovery_failed',
            organizationId: who.lost.id,
            error: expect.any(Error),
          },
        ])
        expect(String(reports[0]!.error)).not.toContain('StoreUnavailable')
        expect(await pointerOf(who.session), 'the next request mends it').toBe(who.lost.id)
        expect(await movesOf(who.lost.id)).toEqual([])
      }
    }
  )

  it('has changed both or neither where the answer of the change is lost [PIPE-21]', async () => {
    for (const others of [0, 1, 2]) {
      const who = await stalePointer('the membership is gone', others)
      const to = others === 1 ? who.others[0]!.id : null
      const { seatgate, events } = watched({ around: losingTrips([3], 'after') })
      expect((await askWhere(seatgate, who.caller)).variables).toEqual(nowhere(who))
      expect(events()).toEqual(['active_organization_recovery_failed'])
      expect(await pointerOf(who.session)).toBe(to)
      expect(await movesOf(who.lost.id)).toEqual([reassigned(who, to)])
      const { organization } = await load(seatgate, { caller: queryOf(seatgate, who.session) })
      expect(organization?.id ?? null).toBe(to)
      expect(await movesOf(who.lost.id)).toHaveLength(1)
    }
  })

  it('writes no row if their only other organization was lost since the read [PIPE-20]', async () => {
    const who = await stalePointer('the membership is gone', 1)
    const home = who.others[0]!
    const around = meanwhile(async () =>
      unwrap(await removeMember(seatgate, home.as(who.userId), who.userId))
    )
    const { seatgate: racing, events } = watched({ around })
    expect((await askWhere(racing, who.caller)).variables).toEqual(nowhere(who))
    expect(await pointerOf(who.session)).toBe(who.lost.id)
    expect(await movesOf(who.lost.id)).toEqual([])
    expect(events()).toEqual([])
    await load(racing, { caller: queryOf(racing, who.session) })
    expect(await pointerOf(who.session)).toBeNull()
    expect(await movesOf(who.lost.id)).toEqual([reassigned(who, null)])
  })

  // The list of organizations comes a trip later: by then they may be in again.
  it('records no event if they became a member again since the read', async () => {
    const who = await stalePointer('the membership is gone', 0)
    let trips = 0
    const { seatgate: racing } = watched({
      async around(_trip, run) {
        if (++trips === 2) await join(kit, who.lost, 'member', who.userId)
        return run()
      },
    })
    const { organization, role } = await load(racing, { caller: who.caller })
    expect([organization?.id, role]).toEqual([who.lost.id, 'member'])
    expect(await pointerOf(who.session)).toBe(who.lost.id)
    expect(await movesOf(who.lost.id)).toEqual([])
  })

  it('never costs a live pointer where the host’s query does not disclose the pointer beforehand', async () => {
    const userId = await newUser()
    const [, home] = await belonging(userId, 2)
    const session = await sessionOf(userId, home!.id)
    const { userId: id, statement, principal } = queryOf(seatgate, session)
    await load(seatgate, { caller: { userId: id, statement, principal } }).catch(() => {})
    expect(await pointerOf(session)).toBe(home!.id)
    expect(await movesOf(home!.id)).toEqual([])
  })
})

/** The request that the newest event of an organization belongs to. */
function requestOf(organizationId: string): Promise<string | null> {
  return testEnv.DB.prepare(
    'SELECT request_id FROM seatgate_audit_events WHERE organization_id = ? ORDER BY sequence DESC LIMIT 1'
  )
    .bind(organizationId)
    .first('request_id')
}
