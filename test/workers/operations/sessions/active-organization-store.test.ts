import { describe, expect, it } from 'vitest'
import { batch } from '../../../../src/database/batch.ts'
import { commit } from '../../../../src/database/commit.ts'
import { createSeatgate, d1Sessions, unlimitedSeats } from '../../../../src/index.ts'
import {
  db,
  pointerOf,
  sessionOf,
  deleteSession,
  listening,
  sessionRow,
  createKit,
  newUser,
} from '../../../kit/index.ts'

const store = d1Sessions()

describe('updateActiveOrganization() of d1Sessions()', () => {
  it('answers the session that points there already, and writes no row [PIPE-1]', async () => {
    const { trips, around } = listening()
    const { seatgate } = createKit({ around })
    for (const pointer of ['acme', null]) {
      const session = await sessionOf(await newUser(), pointer)
      const before = await sessionRow(session)
      expect(await store.updateActiveOrganization(seatgate.db, session, pointer)).toEqual({
        ok: true,
        value: session,
      })
      expect(await sessionRow(session)).toEqual(before)
    }
    expect(trips).toEqual([])
  })

  it('answers not_found for a session that has ended [PIPE-1]', async () => {
    const session = await sessionOf(await newUser(), 'acme')
    await deleteSession(session)
    for (const to of ['other', null]) {
      expect(await store.updateActiveOrganization(db, session, to)).toEqual({
        ok: false,
        error: { code: 'not_found' },
      })
    }
    expect(await sessionRow(session)).toBeNull()
  })

  it.each([
    ['from nowhere', null, 'acme'],
    ['elsewhere', 'acme', 'other'],
    ['to nowhere', 'acme', null],
  ])(
    'points a session %s, answers it refreshed, and touches no other row [PIPE-1 PIPE-11]',
    async (_way, from, to) => {
      const [session, another] = [
        await sessionOf(await newUser(), from),
        await sessionOf(await newUser(), from),
      ]
      const before = await sessionRow(session)
      expect(await store.updateActiveOrganization(db, session, to)).toEqual({
        ok: true,
        value: { id: session.id, activeOrganizationId: to },
      })
      expect(await sessionRow(session)).toEqual({ ...before, active_organization_id: to })
      expect(await pointerOf(another)).toBe(from)
    }
  )

  it('is a statement of the batch that aborts it if the session has ended or points elsewhere', async () => {
    const session = await sessionOf(await newUser(), 'acme')
    const move = (from: string | null, to: string | null) =>
      commit(db, store.statements!.update(db, { ...session, activeOrganizationId: from }, to))
    expect(await move('other', 'new')).toMatchObject({ committed: false, code: 'stale' })
    expect(await move(null, 'new')).toMatchObject({ committed: false, code: 'stale' })
    expect(await pointerOf(session)).toBe('acme')
    expect(await move('acme', null)).toMatchObject({ committed: true })
    expect(await move('acme', 'new')).toMatchObject({ committed: false, code: 'stale' })
    expect(await move(null, 'new')).toMatchObject({ committed: true })
    expect(await pointerOf(session)).toBe('new')
    await deleteSession(session)
    expect(await move('new', null)).toMatchObject({ committed: false, code: 'session_gone' })
  })
})

describe('endActiveOrganization() of d1Sessions()', () => {
  it.each(['at once', 'as a statement'] as const)(
    'ends one user’s pointers there, or every user’s, and no others, %s',
    async (how) => {
      const [ann, ben] = [await newUser(), await newUser()]
      const here = [await sessionOf(ann, 'here'), await sessionOf(ann, 'here')]
      const there = await sessionOf(ann, 'there')
      const bens = await sessionOf(ben, 'here')
      const end = async (userId: string | null) => {
        const pointers = { organizationId: 'here', userId }
        if (how === 'at once') return store.endActiveOrganization(db, pointers)
        await batch(db, Object.fromEntries(store.statements!.end(db, [pointers]).entries()))
      }
      const all = () => Promise.all([...here, there, bens].map(pointerOf))
      await end(ann)
      expect(await all()).toEqual([null, null, 'there', 'here'])
      await end(null)
      expect(await all()).toEqual([null, null, 'there', null])
    }
  )
})

describe('the option sessions', () => {
  it.each([
    ['is missing', undefined],
    ['is null', null],
    ['is another word', 'd1'],
    ['cannot end pointers', { updateActiveOrganization() {} }],
    ['cannot move pointers', { endActiveOrganization() {} }],
  ])('throws at start and is named where it %s', (_how, sessions) => {
    const options = { database: db, seats: unlimitedSeats(), sessions: sessions as never }
    expect(() => createSeatgate(options)).toThrow(/createSeatgate: sessions must be/)
  })
})
