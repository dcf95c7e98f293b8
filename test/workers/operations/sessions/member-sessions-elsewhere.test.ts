import { describe, expect, it } from 'vitest'
import {
  getOrganization,
  listMembers,
  loadActiveOrganization,
  removeMember,
  suspendMember,
  type Pointers,
  type Result,
  type Seatgate,
  type SessionStore,
} from '../../../../src/index.ts'
import { sweepHandler } from '../../../../src/worker/index.ts'
import {
  fullTeam,
  seatgateWith,
  type Person,
  sessionsElsewhere,
  testEnv,
  unwrap,
  codeOf,
  createKit,
  join,
  type TestOrganization,
} from '../../../kit/index.ts'

const START = Date.UTC(2030, 0, 1)

/** A store of sessions in another place, which fails so many times before it does as it is told. */
function failingStore(failures: number, fail: () => Promise<void>) {
  const asked: Pointers[] = []
  const store: SessionStore = {
    ...sessionsElsewhere().store,
    async endActiveOrganization(_db, pointers) {
      asked.push(pointers)
      if (asked.length <= failures) await fail()
    },
  }
  return { store, asked }
}

async function intentsOf(organizationId: string) {
  const { results } = await testEnv.DB.prepare(
    `SELECT kind, payload, attempts, (due_at - ?2) / 1000.0 AS seconds, last_error
     FROM seatgate_jobs WHERE organization_id = ?1`
  )
    .bind(organizationId, START)
    .all<{ payload: string }>()
  return results.map(({ payload, ...rest }) => ({
    ...rest,
    payload: JSON.parse(payload) as unknown,
  }))
}

type End = (
  seatgate: Seatgate,
  organization: TestOrganization,
  userId: string
) => Promise<Result<unknown>>

const ENDS: Readonly<Record<string, End>> = {
  removed: (by, { as, owner }, userId) => removeMember(by, as(owner), userId),
  'gone by themselves': (by, { as }, userId) => removeMember(by, as(userId), userId),
  suspended: (by, { as, owner }, userId) => suspendMember(by, as(owner), userId),
}

describe('a store of sessions that cannot be reached', () => {
  it.each(
    Object.entries(ENDS).flatMap(([what, end]) =>
      [
        ['throws', () => Promise.reject(new RangeError('KV is down: key 7'))] as const,
        [
          'throws at once',
          () => {
            throw new RangeError('KV is down: key 7')
          },
        ] as const,
      ].map(([how, fail]) => [what, how, end, fail] as const)
    )
  )(
    'keeps no session of a user who was %s, and is called until it succeeds: it %s [ORG-92]',
    async (_what, _how, end, fail) => {
      const calm = createKit()
      const organization = await calm.organization()
      const userId = await join(calm, organization)
      const session = { id: 'in another place', activeOrganizationId: organization.id }
      const caller = { userId, session }
      const { store, asked } = failingStore(2, fail)
      let time = START
      const reports: string[] = []
      const { seatgate, settled } = createKit({
        sessions: store,
        now: () => new Date(time),
        random: () => 0,
        report: ({ event }) => reports.push(event),
      })
      const sweepAt = async (seconds: number) => {
        time = START + seconds * 1000
        await sweepHandler(seatgate)()
      }
      const inside = async () => [
        codeOf(await getOrganization(seatgate, { caller, organization: organization.id })),
        codeOf(await listMembers(seatgate, { caller, organization: organization.slug })),
        (await loadActiveOrganization(seatgate, { caller })).organization?.id ?? null,
      ]
      expect(await inside()).toEqual(['ok', 'ok', organization.id])

      unwrap(await end(seatgate, organization, userId))
      const out = ['organization_not_found', 'organization_not_found', null]
      expect(await inside(), 'whatever the store says').toEqual(out)
      await settled()
      const told = { organizationId: organization.id, userId }
      const row = { kind: 'end_sessions', payload: told, last_error: 'RangeError' }
      expect(asked).toEqual([told])
      expect(await intentsOf(organization.id)).toEqual([{ ...row, attempts: 1, seconds: 1 }])

      await sweepAt(0.999)
      expect(asked, 'not before its time').toHaveLength(1)
      await sweepAt(1)
      expect(asked).toHaveLength(2)
      expect(await intentsOf(organization.id)).toEqual([{ ...row, attempts: 2, seconds: 3 }])
      await sweepAt(2.999)
      expect(asked).toHaveLength(2)
      await sweepAt(3)
      expect(asked).toEqual([told, told, told])
      expect(await intentsOf(organization.id)).toEqual([])
      await sweepAt(3600)
      expect(asked, 'done is done').toHaveLength(3)
      expect(await inside()).toEqual(out)
      const failed = reports.filter((event) => event === 'end_sessions_failed')
      expect(failed).toHaveLength(2)
    }
  )

  it('that never answers holds up no answer [ORG-92]', async () => {
    const calm = createKit()
    const organization = await calm.organization()
    const userId = await join(calm, organization)
    const { store, asked } = failingStore(1, () => new Promise(() => {}))
    const { seatgate } = createKit({ sessions: store })
    unwrap(await removeMember(seatgate, organization.as(organization.owner), userId))
    expect(asked).toHaveLength(1)
    expect(codeOf(await listMembers(seatgate, organization.as(userId)))).toBe(
      'organization_not_found'
    )
    // On record for whoever comes later.
    expect(await intentsOf(organization.id)).toMatchObject([{ kind: 'end_sessions', attempts: 1 }])
  })

  it('is called for each of two removals [ORG-92]', async () => {
    const { owner, admin, member, organization } = await fullTeam()
    const { store, asked } = failingStore(2, () => Promise.reject(new Error('KV is down')))
    let time = START
    const seatgate = seatgateWith({ sessions: store, now: () => new Date(time), random: () => 0 })
    const scope = { caller: { userId: owner.userId }, organization: organization.id }
    for (const { userId } of [admin, member]) unwrap(await removeMember(seatgate, scope, userId))
    expect(await intentsOf(organization.id)).toHaveLength(2)
    time += 60_000
    await sweepHandler(seatgate)()
    const of = ({ userId }: Person) => ({ organizationId: organization.id, userId })
    // The sweep finds what other organizations are owed too.
    const here = asked.filter(({ organizationId }) => organizationId === organization.id)
    expect(here.slice(0, 2)).toEqual([of(admin), of(member)])
    expect(here.slice(2)).toEqual(expect.arrayContaining([of(admin), of(member)]))
    expect(here).toHaveLength(4)
    expect(await intentsOf(organization.id)).toEqual([])
  })
})
