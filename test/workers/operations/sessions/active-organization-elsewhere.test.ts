import { describe, expect, it } from 'vitest'
import {
  loadActiveOrganization as load,
  putActiveOrganization as put,
  type Report,
  type Session,
  type SessionStore,
} from '../../../../src/index.ts'
import {
  isChange,
  pointerOf,
  askWhere,
  stalePointer,
  belonging,
  listening,
  losingTrips,
  losses,
  moveBy,
  movesOf,
  sessionRow,
  sessionsElsewhere,
  unwrap,
  codeOf,
  createKit,
  newUser,
  type KitOptions,
} from '../../../kit/index.ts'

/** A world whose sessions are not in D1. */
function elsewhere(store: SessionStore, options: KitOptions = {}) {
  const reports: Report[] = []
  const { trips, around } = listening(options.around)
  const { seatgate } = createKit({
    provider: 'unlimited',
    ...options,
    around,
    sessions: store,
    report: (report) => reports.push(report),
  })
  return { seatgate, trips, reports }
}

/** A user of two organizations with a session in a store that is elsewhere, at the first. */
async function commuter() {
  const userId = await newUser()
  const [from, to] = await belonging(userId, 2)
  const session: Session = { id: crypto.randomUUID(), activeOrganizationId: from!.id }
  return { userId, session, from: from!, to: to!, caller: { userId, session } }
}

const throwing: SessionStore = {
  updateActiveOrganization: () => Promise.reject(new Error('KV is down')),
  endActiveOrganization: () => Promise.reject(new Error('KV is down')),
}

describe('a store that is not in D1', () => {
  it('is called with the id, however the organization was named [PIPE-2 PIPE-12]', async () => {
    const { userId, session, from, to, caller } = await commuter()
    const { store, updates, pointers } = sessionsElsewhere(session)
    const { seatgate, trips } = elsewhere(store)
    const active = unwrap(await put(seatgate, { caller }, to.slug))
    expect(active).toMatchObject({
      session: { id: session.id, activeOrganizationId: to.id },
      organization: { id: to.id },
      membership: { userId, organizationId: to.id },
    })
    expect(updates).toEqual([[session.id, to.id]])
    expect(pointers.get(session.id)).toBe(to.id)
    expect(trips).toHaveLength(2)
    expect(await movesOf(to.id)).toEqual([moveBy(userId, to.id, 'active_switched', from.id, to.id)])
  })

  it('is called with null to clear, and no membership is looked at [PIPE-6]', async () => {
    const { userId, session, from, caller } = await commuter()
    const { store, updates } = sessionsElsewhere(session)
    const { seatgate, trips } = elsewhere(store)
    expect(unwrap(await put(seatgate, { caller }, null))).toEqual({
      session: { id: session.id, activeOrganizationId: null },
      organization: null,
      membership: null,
      permissions: [],
    })
    expect(updates).toEqual([[session.id, null]])
    expect(trips.flat().filter((asked) => /membership/.test(asked))).toEqual([])
    expect(await movesOf(from.id)).toEqual([
      moveBy(userId, from.id, 'active_switched', from.id, null),
    ])
  })

  it('is recorded only if the pointer moves [PIPE-12]', async () => {
    const { session, from, caller } = await commuter()
    const { store } = sessionsElsewhere(session)
    const { seatgate, trips } = elsewhere(store)
    unwrap(await put(seatgate, { caller }, from.id))
    expect(trips).toHaveLength(1)
    expect(await movesOf(from.id)).toEqual([])
  })

  it('answers the session as the store reports it', async () => {
    const { session, to, caller } = await commuter()
    const { store } = sessionsElsewhere(session)
    const renamed: SessionStore = {
      ...store,
      updateActiveOrganization: async () => ({
        ok: true,
        value: { id: 'rotated', activeOrganizationId: to.id },
      }),
    }
    const active = unwrap(await put(elsewhere(renamed).seatgate, { caller }, to.id))
    expect(active.session).toEqual({ id: 'rotated', activeOrganizationId: to.id })
  })

  it('makes a switch unavailable if it throws, with no recorded event [PIPE-10]', async () => {
    const { to, caller } = await commuter()
    const { seatgate, reports } = elsewhere(throwing)
    expect(codeOf(await put(seatgate, { caller }, to.id))).toBe('unavailable')
    expect(reports).toMatchObject([{ error: new Error('KV is down') }])
    expect(await movesOf(to.id)).toEqual([])
  })

  it('is not asked where D1 does not answer', async () => {
    const { session, to, caller } = await commuter()
    const { store, updates } = sessionsElsewhere(session)
    const { seatgate } = elsewhere(store, { around: losingTrips([1]) })
    expect(codeOf(await put(seatgate, { caller }, to.id))).toBe('unavailable')
    expect(updates).toEqual([])
  })
})

describe.each(losses)('recovery in a store that is not in D1, where %s', (loss) => {
  it.each([0, 1, 2])(
    'moves the pointer once and records it once, with %i others [PIPE-16 PIPE-17 PIPE-18 PIPE-21]',
    async (others) => {
      const who = await stalePointer(loss, others)
      const to = others === 1 ? who.others[0]!.id : null
      const { store, updates, pointers } = sessionsElsewhere(who.session)
      const { seatgate, trips, reports } = elsewhere(store)
      const row = await sessionRow(who.session)
      const { status, variables } = await askWhere(seatgate, who.caller)
      expect(status).toBe(200)
      expect(variables).toMatchObject({
        caller: { session: { id: who.session.id, activeOrganizationId: to } },
        organization: to === null ? null : { id: to },
        membership: to === null ? null : { organizationId: to, userId: who.userId },
        role: to === null ? null : 'member',
      })
      expect(updates).toEqual([[who.session.id, to]])
      expect(pointers.get(who.session.id)).toBe(to)
      expect(await movesOf(who.lost.id)).toEqual([
        moveBy(who.userId, who.lost.id, 'active_auto_reassigned', who.lost.id, to),
      ])
      expect(trips).toHaveLength(3)
      expect(reports).toEqual([])
      expect(await sessionRow(who.session), 'the table of sessions is not touched').toEqual(row)
    }
  )
})

describe('recovery in a store that is not in D1', () => {
  it.each([0, 1, 2])(
    'leaves them without an organization and records no event if the session has ended, with %i others [PIPE-20]',
    async (others) => {
      const who = await stalePointer('the membership is gone', others)
      const { store } = sessionsElsewhere()
      const { seatgate, reports } = elsewhere(store)
      const { status, variables } = await askWhere(seatgate, who.caller)
      expect(status).toBe(200)
      expect(variables).toMatchObject({ organization: null, membership: null, role: null })
      expect(await movesOf(who.lost.id)).toEqual([])
      expect(reports).toEqual([])
    }
  )

  it('leaves them nowhere and reports it where the store throws [PIPE-20 PIPE-22]', async () => {
    const who = await stalePointer('the membership is gone', 1)
    const { seatgate, reports } = elsewhere(throwing)
    const { status, variables } = await askWhere(seatgate, who.caller)
    expect(status).toBe(200)
    expect(variables.organization).toBeNull()
    expect(reports).toEqual([
      {
        event: 'active_organization_recovery_failed',
        organizationId: who.lost.id,
        error: new Error('KV is down'),
      },
    ])
    expect(await movesOf(who.lost.id)).toEqual([])
  })

  it('moves no pointer where the list of organizations is lost [PIPE-20]', async () => {
    const who = await stalePointer('the membership is gone', 1)
    const { store, updates } = sessionsElsewhere(who.session)
    const { seatgate } = elsewhere(store, { around: losingTrips([2]) })
    const { organization } = await load(seatgate, { caller: who.caller })
    expect(organization).toBeNull()
    expect(updates).toEqual([])
  })

  // Two stores, one after the other: the pointer is mended, its record can be lost.
  it('refuses no user and reports it where the record is lost [PIPE-22]', async () => {
    const who = await stalePointer('the membership is gone', 1)
    const { store, pointers } = sessionsElsewhere(who.session)
    const { seatgate, reports } = elsewhere(store, { around: losingTrips([3]) })
    const { status, variables } = await askWhere(seatgate, who.caller)
    expect(status).toBe(200)
    expect(variables.organization).toBeNull()
    expect(reports.map(({ event }) => event)).toEqual(['active_organization_recovery_failed'])
    expect(pointers.get(who.session.id)).toBe(who.others[0]!.id)
  })
})

describe('a host without sessions of its own', () => {
  it.each([0, 1, 2])(
    'follows no pointer that is stale, repairs no pointer, and records no event, with %i others [PIPE-13]',
    async (others) => {
      const who = await stalePointer('the membership is gone', others)
      const { trips, around } = listening()
      const reports: string[] = []
      const { seatgate } = createKit({
        provider: 'unlimited',
        sessions: 'none',
        around,
        report: ({ event }) => reports.push(event),
      })
      const { status, variables } = await askWhere(seatgate, who.caller)
      expect(status).toBe(200)
      expect(variables).toMatchObject({ organization: null, membership: null, role: null })
      expect(await pointerOf(who.session)).toBe(who.lost.id)
      expect(trips.filter(isChange)).toEqual([])
      expect(await movesOf(who.lost.id)).toEqual([])
      expect(reports).toEqual([])
    }
  )
})
