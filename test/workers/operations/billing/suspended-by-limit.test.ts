import { describe, expect, it } from 'vitest'
import {
  addMember,
  billing,
  createInvitation,
  listAuditEvents,
  refuse,
  removeMember,
  seatUsage,
  setEntitlement,
  suspendMember,
} from '../../../../src/index.ts'
import { sweepHandler } from '../../../../src/worker/index.ts'
import {
  createJoiningKit,
  createKit,
  enforcingOr,
  joinByDomain,
  newAddress,
  newOrganization,
  organizationWithMembers,
  newUsers,
  openOrganization,
  softDeleted,
  testEnv,
  unwrap,
  violations,
  type Kit,
  type KitOptions,
  type TestOrganization,
} from '../../../kit/index.ts'

const DAY = 24 * 60 * 60 * 1000
const START = Date.parse('2026-03-01T00:00:00Z')
const rules = billing({ plans: {}, baseSeats: 200, whenOver: 'suspend_excess' })

async function set({ seatgate, settled }: Kit, organization: TestOrganization, included: number) {
  unwrap(await setEntitlement(seatgate, organization.asOperator, { included, reason: 'test' }))
  await settled()
}

/** Organizations whose excess is suspended, with a clock that the test moves. */
function clocked(options: KitOptions) {
  let time = START
  const kit = createKit({ billing: rules, now: () => new Date(time), ...options })
  return {
    kit,
    async sweepAt(days: number) {
      time = START + days * DAY
      await sweepHandler(kit.seatgate)()
      await kit.settled()
    },
    /** An organization with members, the oldest first. */
    team: (size: number) => organizationWithMembers(kit, size, () => (time += 1000)),
  }
}

async function suspendedIn({ id }: TestOrganization): Promise<string[]> {
  const { results } = await testEnv.DB.prepare(
    `SELECT user_id FROM seatgate_memberships WHERE organization_id = ?
     AND suspended_by = 'over_limit' ORDER BY created_at, id`
  )
    .bind(id)
    .all<{ user_id: string }>()
  return results.map(({ user_id }) => user_id)
}

const events = async ({ seatgate }: Kit, organization: TestOrganization, action: string) =>
  unwrap(await listAuditEvents(seatgate, organization.as(organization.owner), { action })).data

describe.each(enforcingOr('ledger'))('members whom a limit has suspended, %s seats', (provider) => {
  it('return all with a raise, however many they are [SEAT-49]', async () => {
    const { kit, sweepAt, team } = clocked({ provider })
    const { organization } = await team(60)
    await set(kit, organization, 3)
    for (const day of [1, 2]) await sweepAt(day)
    expect(await suspendedIn(organization)).toHaveLength(58)
    await set(kit, organization, 200)
    expect(await suspendedIn(organization)).toEqual([])
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it('return with the next sweep if the raise was interrupted after its commit [SEAT-49]', async () => {
    const { kit, sweepAt, team } = clocked({ provider })
    const { organization } = await team(3)
    await set(kit, organization, 2)
    await sweepAt(1)
    expect(await suspendedIn(organization)).toHaveLength(2)
    const interrupted = { ...kit.seatgate, listeners: [] }
    const input = { included: 3, reason: 'test' }
    unwrap(await setEntitlement(interrupted, organization.asOperator, input))
    expect(await suspendedIn(organization)).toHaveLength(2)
    await sweepAt(1.01)
    expect(await suspendedIn(organization)).toHaveLength(1)
  })

  it('return when an invitation expires, which has no event [SEAT-47]', async () => {
    const { kit, sweepAt, team } = clocked({ provider: 'd1' })
    const { organization, members } = await team(3)
    const scope = organization.as(organization.owner)
    const input = { email: newAddress(), role: 'member' }
    unwrap(await createInvitation(kit.seatgate, scope, input))
    await set(kit, organization, 2)
    await sweepAt(1)
    await set(kit, organization, 3)
    expect(await suspendedIn(organization)).toEqual(members.slice(1))
    await sweepAt(8)
    expect(await suspendedIn(organization)).toEqual(members.slice(2))
  })

  it.each(['hook', 'constraint'] as const)(
    'of whom one is refused by a %s of the host: the next ones return [SEAT-47]',
    async (cause) => {
      const barred = { userId: '' }
      const { kit, sweepAt, team } = clocked({
        provider,
        hooks: {
          beforeAddMember: ({ userId }) =>
            userId === barred.userId && cause === 'hook' ? refuse('barred') : { ok: true },
        },
      })
      const { organization, members } = await team(4)
      await set(kit, organization, 2)
      await sweepAt(1)
      const [first = '', second = '', third = '', fourth = ''] = members
      expect(await suspendedIn(organization)).toEqual([second, third, fourth])
      barred.userId = second
      if (cause === 'constraint') {
        await testEnv.DB.exec(
          `CREATE TRIGGER barred BEFORE UPDATE ON seatgate_memberships WHEN NEW.user_id = '${second}'
           AND NEW.status = 'active' BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: barred'); END`.replaceAll(
            '\n',
            ' '
          )
        )
      }
      await set(kit, organization, 4)
      expect(await suspendedIn(organization)).toEqual([second])
      const scope = organization.as(organization.owner)
      unwrap(await removeMember(kit.seatgate, scope, first))
      barred.userId = ''
      await testEnv.DB.exec('DROP TRIGGER IF EXISTS barred')
      await sweepAt(1.01)
      expect(await suspendedIn(organization)).toEqual([])
    }
  )

  it('stay out of a raise if an admin has suspended them since [SEAT-49]', async () => {
    const now: { act: (() => Promise<void>) | null } = { act: null }
    const { kit, sweepAt, team } = clocked({
      provider,
      async around({ asked }, run) {
        const isRestoring = (text: string) => text.startsWith('update "seatgate_memberships" set')
        const { act } = now
        if (act === null || !asked.some(isRestoring)) return run()
        now.act = null
        await act()
        return run()
      },
    })
    const { organization, members } = await team(3)
    await set(kit, organization, 2)
    await sweepAt(1)
    const [, second = '', third = ''] = members
    expect(await suspendedIn(organization)).toEqual([second, third])
    const scope = organization.as(organization.owner)
    unwrap(await suspendMember(kit.seatgate, scope, second))
    // The other one while the raise is about to restore them.
    now.act = async () => {
      unwrap(await suspendMember(kit.seatgate, scope, third))
    }
    await set(kit, organization, 20)
    expect(now.act).toBe(null)
    const usage = unwrap(await seatUsage(kit.seatgate, scope))
    expect([await suspendedIn(organization), usage.held]).toEqual([[], 2])
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it('are passed over without a claim while there is no seat for them [SEAT-18]', async () => {
    const { kit, sweepAt, team } = clocked({ provider })
    const { organization } = await team(3)
    await set(kit, organization, 2)
    for (const day of [1, 1.01, 1.02]) await sweepAt(day)
    expect(await suspendedIn(organization)).toHaveLength(2)
    expect(await events(kit, organization, 'seat.limit_reached')).toEqual([])
  })

  it('return after the users who wait, with the seats that these leave [SEAT-42]', async () => {
    const kit = createJoiningKit({ provider, billing: rules })
    const organization = await openOrganization(kit, 'auto', 200)
    await set(kit, organization, 5)
    const scope = organization.as(organization.owner)
    for (const userId of await newUsers(4)) {
      unwrap(await addMember(kit.seatgate, scope, { userId, role: 'member' }))
    }
    await set(kit, organization, 3)
    await sweepHandler(kit.seatgate)()
    await kit.settled()
    expect((await joinByDomain(kit, organization)).status).toBe('waiting')
    await set(kit, organization, 5)
    await sweepHandler(kit.seatgate)()
    await kit.settled()
    const { held, limit } = unwrap(await seatUsage(kit.seatgate, scope))
    expect([held, limit]).toEqual([5, 5])
    expect(await suspendedIn(organization)).toHaveLength(1)
  })
})

describe('a deleted organization', () => {
  it('keeps no other one from the change of its limit by the clock, and is swept once [BILL-49]', async () => {
    const reports: string[] = []
    const { kit, sweepAt } = clocked({ provider: 'd1', report: ({ event }) => reports.push(event) })
    const until = (days: number) => new Date(START + days * DAY).toISOString()
    const ending = async (days: number) => {
      const organization = await newOrganization(kit)
      const input = { included: 5, until: until(days), reason: 'test' }
      unwrap(await setEntitlement(kit.seatgate, organization.asOperator, input))
      return organization
    }
    for (let count = 0; count < 25; count++) await softDeleted(kit.seatgate, await ending(1))
    const live = await ending(2)
    for (const day of [3, 3.01, 3.02]) await sweepAt(day)
    const scope = live.as(live.owner)
    expect(unwrap(await seatUsage(kit.seatgate, scope)).limit).toBe(200)
    expect(reports).not.toContain('entitlement_sweep_failed')
  })
})
