import { describe, expect, it } from 'vitest'
import {
  activateAtLogin,
  selectActiveOrganization as select,
  suspendMember,
  type SessionStore,
} from '../../../../src/index.ts'
import {
  pointerOf,
  sessionOf,
  softDeleted,
  belonging,
  deleteSession,
  listening,
  losingTrips,
  movesOf,
  sessionRow,
  sessionsElsewhere,
  unwrap,
  createKit,
  join,
  newUser,
} from '../../../kit/index.ts'

const kit = createKit({ provider: 'unlimited' })
const { seatgate } = kit

describe('selectActiveOrganization()', () => {
  it('chooses no organization for a user without one, no matter where they worked before [PIPE-47]', async () => {
    const userId = await newUser()
    const foreign = await kit.organization()
    for (const previous of [undefined, null, foreign.id, 'unknown']) {
      expect(await select(seatgate, userId, previous === undefined ? {} : { previous })).toEqual({
        kind: 'none',
      })
    }
  })

  it('chooses the only one with its membership, even if they worked in another before [PIPE-47 PIPE-49]', async () => {
    const userId = await newUser()
    const [home] = await belonging(userId, 1)
    const foreign = await kit.organization()
    for (const previous of [undefined, null, home!.id, foreign.id, 'unknown']) {
      expect(
        await select(seatgate, userId, previous === undefined ? {} : { previous })
      ).toMatchObject({
        kind: 'one',
        organization: { id: home!.id, slug: home!.slug },
        membership: { organizationId: home!.id, userId, role: 'member' },
      })
    }
  })

  it('answers several as a choice, the newest organization first [PIPE-48]', async () => {
    const userId = await newUser()
    const homes = await belonging(userId, 3)
    const newestFirst = homes.map(({ id }) => id).toReversed()
    for (const previous of [null, (await kit.organization()).id, 'unknown']) {
      const selection = await select(seatgate, userId, { previous })
      if (selection.kind !== 'multiple') throw new Error(selection.kind)
      expect(selection.organizations.map(({ id }) => id)).toEqual(newestFirst)
      expect(Object.keys(selection)).toEqual(['kind', 'organizations'])
    }
  })

  it('resumes the organization that they worked in before, with its membership [PIPE-48 PIPE-49]', async () => {
    const userId = await newUser()
    for (const { id } of await belonging(userId, 3)) {
      expect(await select(seatgate, userId, { previous: id })).toMatchObject({
        kind: 'one',
        organization: { id },
        membership: { organizationId: id, userId },
      })
    }
  })

  it('resumes no organization that is deleted, or in which they are suspended [PIPE-48]', async () => {
    const userId = await newUser()
    const [first, second, third] = await belonging(userId, 3)
    await softDeleted(seatgate, third!)
    expect(await select(seatgate, userId, { previous: third!.id })).toMatchObject({
      kind: 'multiple',
      organizations: [{ id: second!.id }, { id: first!.id }],
    })
    unwrap(await suspendMember(seatgate, second!.as(second!.owner), userId))
    expect(await select(seatgate, userId, { previous: second!.id })).toMatchObject({
      kind: 'one',
      organization: { id: first!.id },
    })
  })

  it('takes one query, which writes no row [PIPE-49 PIPE-50]', async () => {
    const userId = await newUser()
    const { trips, around } = listening()
    const heard = createKit({ provider: 'unlimited', around }).seatgate
    for (const count of [0, 1, 2]) {
      if (count > 0) await join(kit, await kit.organization(), 'member', userId)
      trips.length = 0
      await select(heard, userId)
      expect(trips).toEqual([[expect.stringMatching(/^select /)]])
    }
  })
})

describe('activateAtLogin()', () => {
  it('leaves the session unchanged in a host without sessions here, and asks no store [PIPE-51]', async () => {
    const userId = await newUser()
    await belonging(userId, 1)
    const session = await sessionOf(userId)
    const { trips, around } = listening()
    const none = createKit({ provider: 'unlimited', sessions: 'none', around }).seatgate
    expect(await activateAtLogin(none, userId, session)).toBe(session)
    expect(trips).toEqual([])
    expect(await pointerOf(session)).toBeNull()
  })

  it.each([0, 2, 3])(
    'points the session of a member of %i organizations nowhere [PIPE-52]',
    async (count) => {
      const userId = await newUser()
      await belonging(userId, count)
      const session = await sessionOf(userId)
      expect(await activateAtLogin(seatgate, userId, session)).toEqual(session)
      expect(
        await activateAtLogin(seatgate, userId, session, {
          previous: (await kit.organization()).id,
        })
      ).toEqual(session)
      expect(await pointerOf(session)).toBeNull()
      const { store, updates } = sessionsElsewhere(session)
      const elsewhere = createKit({ provider: 'unlimited', sessions: store }).seatgate
      await activateAtLogin(elsewhere, userId, session)
      expect(updates).toEqual([])
    }
  )

  it('points the session of a member of one at it, and touches no other row [PIPE-52]', async () => {
    const userId = await newUser()
    const [home] = await belonging(userId, 1)
    const session = await sessionOf(userId)
    const before = await sessionRow(session)
    expect(await activateAtLogin(seatgate, userId, session, { previous: 'unknown' })).toEqual({
      id: session.id,
      activeOrganizationId: home!.id,
    })
    expect(await sessionRow(session)).toEqual({ ...before, active_organization_id: home!.id })
    expect(await movesOf(home!.id), 'signing in is no switch').toEqual([])
  })

  it('resumes the organization that they worked in before [PIPE-52]', async () => {
    const userId = await newUser()
    const homes = await belonging(userId, 3)
    const session = await sessionOf(userId)
    const previous = homes[1]!.id
    const resumed = await activateAtLogin(seatgate, userId, session, { previous })
    expect(resumed.activeOrganizationId).toBe(previous)
    expect(await pointerOf(session)).toBe(previous)
  })

  it.each([
    ['the choice', 1],
    ['the pointer', 2],
  ])(
    'signs in without an organization, and reports it, where D1 loses %s [PIPE-53]',
    async (_what, trip) => {
      const userId = await newUser()
      await belonging(userId, 1)
      const session = await sessionOf(userId)
      const reports: string[] = []
      const lossy = createKit({
        provider: 'unlimited',
        around: losingTrips([trip]),
        report: ({ event }) => reports.push(event),
      }).seatgate
      expect(await activateAtLogin(lossy, userId, session)).toEqual(session)
      expect(reports).toEqual(['activation_at_login_failed'])
      expect(await pointerOf(session)).toBeNull()
    }
  )

  it('signs in without an organization, and reports it, where the store throws [PIPE-53]', async () => {
    const userId = await newUser()
    await belonging(userId, 1)
    const session = { id: 'elsewhere', activeOrganizationId: null }
    const broken = (): never => {
      throw new Error('KV is down')
    }
    const reports: unknown[] = []
    const store: SessionStore = {
      updateActiveOrganization: broken,
      async endActiveOrganization() {},
    }
    const failing = createKit({
      provider: 'unlimited',
      sessions: store,
      report: (report) => reports.push(report),
    }).seatgate
    expect(await activateAtLogin(failing, userId, session)).toEqual(session)
    expect(reports).toEqual([
      { event: 'activation_at_login_failed', error: new Error('KV is down') },
    ])
  })

  it('signs in without an organization if the session has ended [PIPE-53]', async () => {
    const userId = await newUser()
    await belonging(userId, 1)
    const session = await sessionOf(userId)
    await deleteSession(session)
    expect(await activateAtLogin(seatgate, userId, session)).toEqual(session)
  })
})
