import { describe, expect, it } from 'vitest'
import {
  explainSeats,
  listMembers,
  restoreMember,
  seatUsage,
  setSeatLimit,
  suspendMember,
  type Metric,
} from '../../../../src/index.ts'
import {
  createKit,
  invite,
  violations,
  testEnv,
  add,
  unwrap,
  codeOf,
  enforcingOr,
  join,
  leave,
  newUser,
  type TestOrganization,
  type Kit,
} from '../../../kit/index.ts'

interface SeatEvent {
  readonly action: string
  readonly outcome: string
  readonly actor: string
  readonly metadata: Readonly<Record<string, unknown>>
}

/** What the trail says of an organization's seats. */
async function seatEvents({ id }: TestOrganization): Promise<readonly SeatEvent[]> {
  const { results } = await testEnv.DB.prepare(
    `SELECT action, outcome, actor_id AS actor, metadata FROM seatgate_audit_events
     WHERE organization_id = ? AND action LIKE 'seat.%' ORDER BY sequence`
  )
    .bind(id)
    .all<SeatEvent & { metadata: string }>()
  return results.map((row) => ({ ...row, metadata: JSON.parse(row.metadata) }))
}

/** Each event with how seats stood: held, reserved and limit. */
const standings = async (organization: TestOrganization) =>
  (await seatEvents(organization)).map(({ action, metadata }) => [
    action.replace('seat.', ''),
    metadata['held'],
    metadata['reserved'],
    metadata['limit'],
  ])

async function limitTo({ seatgate, settled }: Kit, to: TestOrganization, limit: number) {
  unwrap(await setSeatLimit(seatgate, to.asOperator, { limit }))
  await settled()
}

describe.each(enforcingOr('ledger'))('recorded seats, %s seats', (provider) => {
  it('reserved, assigned, released and limit_changed record the counts of all seats [FWD-51]', async () => {
    const kit = createKit({ provider })
    const organization = await kit.organization({ seats: 4 })
    const { email } = await invite(kit, organization)
    // Whoever is invited again keeps the seat: that is nothing new about it.
    await invite(kit, organization, email)
    await kit.settled()
    const member = await join(kit, organization)
    unwrap(await leave(kit, organization, member))
    await kit.settled()
    const [assigned, ...more] = await standings(organization)
    expect(assigned).toEqual(['assigned', 1, 0, 'unlimited'])
    // A ledger counts a seat that is about to be taken as reserved.
    const taken = provider === 'ledger' ? [1, 2] : [2, 1]
    expect(more).toEqual([
      ['limit_changed', 1, 0, 4],
      ['reserved', 1, 1, 4],
      ['assigned', ...taken, 4],
      ['released', 1, 1, 4],
    ])
  })

  it('over_limit_entered and over_limit_cleared are recorded once each, for any cause [FWD-51]', async () => {
    const metrics: Metric[] = []
    const kit = createKit({ provider, measure: (metric) => void metrics.push(metric) })
    const organization = await kit.organization({ seats: 5, members: 3 })
    const before = (await standings(organization)).length
    await limitTo(kit, organization, 2)
    await limitTo(kit, organization, 1)
    const suspended = await newUser()
    expect(codeOf(await add(kit, organization, suspended))).toBe('seat_limit_reached')
    const scope = organization.as(organization.owner)
    const members = unwrap(await listMembers(kit.seatgate, scope)).data
    const [one, two] = members.map(({ userId }) => userId).filter((id) => id !== organization.owner)
    unwrap(await suspendMember(kit.seatgate, scope, one!))
    await limitTo(kit, organization, 2)
    await limitTo(kit, organization, 1)
    unwrap(await leave(kit, organization, two!))
    await kit.settled()
    await limitTo(kit, organization, 3)
    unwrap(await restoreMember(kit.seatgate, scope, one!))
    await kit.settled()
    expect((await standings(organization)).slice(before)).toEqual([
      ['limit_changed', 3, 0, 2],
      ['over_limit_entered', 3, 0, 2],
      ['limit_changed', 3, 0, 1],
      ['limit_reached', undefined, undefined, 1],
      ['released', 2, 0, 1],
      ['limit_changed', 2, 0, 2],
      ['over_limit_cleared', 2, 0, 2],
      ['limit_changed', 2, 0, 1],
      ['over_limit_entered', 2, 0, 1],
      ['released', 1, 0, 1],
      ['over_limit_cleared', 1, 0, 1],
      ['limit_changed', 1, 0, 3],
      ['assigned', ...(provider === 'ledger' ? [1, 1] : [2, 0]), 3],
    ])
    const turns = metrics.flatMap((metric) =>
      metric.name === 'audit.recorded' && metric.action.includes('over_limit')
        ? [metric.action]
        : []
    )
    const [entered, cleared] = ['seat.over_limit_entered', 'seat.over_limit_cleared']
    expect(turns).toEqual([entered, cleared, entered, cleared])
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it('refusals by the limit are recorded when it is first hit, and once a window with their number [AUD-23]', async () => {
    const clock = { now: Date.UTC(2030, 0, 1) }
    const metrics: string[] = []
    const options = {
      provider,
      now: () => new Date(clock.now),
      measure: (metric: Metric) => {
        if (metric.name === 'audit.recorded') metrics.push(metric.action)
      },
    }
    const [kit, elsewhere] = [createKit(options), createKit(options)]
    const organization = await kit.organization({ seats: 2, members: 2 })
    const refuse = async (by: Kit, times: number) => {
      for (let time = 0; time < times; time++) {
        expect(codeOf(await add(by, organization))).toBe('seat_limit_reached')
      }
      await by.settled()
    }
    const told = async () =>
      (await seatEvents(organization)).filter(({ action }) => action === 'seat.limit_reached')
    const { owner } = organization
    const reached = (refusals: number) => ({
      action: 'seat.limit_reached',
      outcome: 'failure',
      actor: owner,
      metadata: { refusals, used: 2, limit: 2 },
    })
    await refuse(kit, 1)
    expect(await told()).toEqual([reached(1)])
    await refuse(kit, 5)
    // Another isolate counts for itself, and does not write in a window that has its event.
    await refuse(elsewhere, 3)
    expect(await told()).toEqual([reached(1)])
    clock.now += 10 * 60_000
    await refuse(kit, 2)
    clock.now += 10 * 60_000
    await refuse(elsewhere, 1)
    expect(await told()).toEqual([reached(1), reached(6), reached(4)])
    clock.now += 10 * 60_000
    await refuse(kit, 1)
    expect((await told()).at(-1)).toEqual(reached(2))
    expect(metrics.filter((action) => action === 'seat.limit_reached')).toHaveLength(4)
  })

  it('a rush of refusals costs D1 one write more, and no answer waits for it [AUD-23]', async () => {
    const kit = createKit({ provider })
    const organization = await kit.organization({ seats: 1, members: 1 })
    const before = kit.trips()
    const answers = await Promise.all(Array.from({ length: 30 }, () => add(kit, organization)))
    expect(new Set(answers.map(codeOf))).toEqual(new Set(['seat_limit_reached']))
    await kit.settled()
    // Each refusal reads once, and with D1 alone tries its batch.
    expect(kit.trips() - before).toBe((provider === 'ledger' ? 30 : 60) + 1)
    const [reached, ...others] = (await seatEvents(organization)).slice(2)
    expect(reached).toMatchObject({ action: 'seat.limit_reached', metadata: { refusals: 1 } })
    expect(others).toEqual([])
  })

  it('a refusal that D1 did not take is counted with the next [AUD-23]', async () => {
    const clock = { now: Date.UTC(2030, 0, 1) }
    let down = false
    const kit = createKit({
      provider,
      now: () => new Date(clock.now),
      around: ({ asked }, run) => {
        const writes = asked.some((sql) => sql.startsWith('insert into "seatgate_audit_events"'))
        const refused = asked.some((sql) => sql.includes('memberships'))
        return down && writes && !refused ? Promise.reject(new Error('reset')) : run()
      },
    })
    const organization = await kit.organization({ seats: 1, members: 1 })
    down = true
    expect(codeOf(await add(kit, organization))).toBe('seat_limit_reached')
    await kit.settled()
    down = false
    clock.now += 10 * 60_000
    expect(codeOf(await add(kit, organization))).toBe('seat_limit_reached')
    await kit.settled()
    expect((await seatEvents(organization)).slice(2)).toMatchObject([
      { metadata: { refusals: 2, used: 1, limit: 1 } },
    ])
  })

  it('looking writes no row [AUD-23]', async () => {
    const kit = createKit({ provider })
    const organization = await kit.organization({ seats: 2, members: 1 })
    const before = await seatEvents(organization)
    const scope = organization.as(organization.owner)
    unwrap(await seatUsage(kit.seatgate, scope))
    unwrap(await explainSeats(kit.seatgate, scope))
    unwrap(await listMembers(kit.seatgate, scope))
    await kit.settled()
    expect(await seatEvents(organization)).toEqual(before)
  })
})
