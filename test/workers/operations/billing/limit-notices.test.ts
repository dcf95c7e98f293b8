import { describe, expect, it } from 'vitest'
import {
  billing,
  listAuditEvents,
  setSeatLimit,
  type AfterStates,
  type NoticeMail,
} from '../../../../src/index.ts'
import { sweepHandler } from '../../../../src/worker/index.ts'
import { createMeter } from '../../../../bench/meter.ts'
import {
  createKit,
  enforcing,
  enforcingOr,
  newUsers,
  testEnv,
  unwrap,
  type KitOptions,
  type KitOrganization,
} from '../../../kit/index.ts'

const DAY = 24 * 60 * 60 * 1000
const START = Date.parse('2026-03-01T00:00:00Z')

type Policy = 'block_change' | 'allow_with_grace'

/** Organizations with billing, the calls of the hook and the mails. */
function noticing(
  provider: (typeof enforcing)[number],
  {
    whenOver = 'block_change',
    overGraceDays = 14,
    ...options
  }: KitOptions & { whenOver?: Policy; overGraceDays?: number } = {}
) {
  let time = START
  const calls: AfterStates['afterLimitNotice'][] = []
  const mails: NoticeMail[] = []
  let refusals = 0
  const kit = createKit({
    provider,
    now: () => new Date(time),
    hooks: { afterLimitNotice: (state) => void calls.push(state) },
    billing: billing({
      plans: {},
      baseSeats: 10,
      whenOver,
      overGraceDays,
      mailer: {
        async send(mail) {
          if (refusals > 0) {
            refusals -= 1
            throw new Error('later')
          }
          mails.push(mail)
          return { outcome: 'sent' }
        },
      },
    }),
    ...options,
  })
  /** The notices of an organization, oldest first. */
  const notices = async (organization: KitOrganization) => {
    const scope = organization.as(organization.owner)
    const { data } = unwrap(
      await listAuditEvents(kit.seatgate, scope, { action: 'seat.limit_notice' })
    )
    return data.map(({ metadata }) => metadata).toReversed()
  }
  return {
    kit,
    notices,
    calls,
    mails,
    refuse: (times: number) => (refusals = times),
    async sweepAt(days: number) {
      time = START + days * DAY
      await sweepHandler(kit.seatgate)()
      await kit.settled()
    },
    async levels(organization: KitOrganization) {
      return (await notices(organization)).map(({ level }) => level)
    },
  }
}

describe.each(enforcingOr('d1'))('notices of the limit, with %s seats', (provider) => {
  it('are sent at 80 % and at 100 %, once each, as events, calls and mails [SEAT-53]', async () => {
    const { kit, calls, mails, sweepAt, notices } = noticing(provider)
    const organization = await kit.organization({ members: 7 })
    expect(await notices(organization)).toEqual([])
    await organization.join()
    expect(await notices(organization)).toEqual([
      { held: 8, reserved: 0, limit: 10, limit_version: 0, level: 'near', grace_end: null },
    ])
    await organization.join()
    await organization.join()
    expect((await organization.add()).ok).toBe(false)
    expect(await notices(organization)).toMatchObject([
      { level: 'near' },
      { level: 'full', held: 10, limit: 10 },
    ])
    expect([calls, mails]).toEqual([[], []])
    await sweepAt(0)
    // Jobs of one sweep run side by side.
    calls.sort((a, b) => a.held - b.held)
    mails.sort((a, b) => a.held - b.held)
    await sweepAt(1)
    expect(calls.map(({ level }) => level)).toEqual(['near', 'full'])
    expect(calls[0]).toEqual({
      eventId: expect.any(String),
      organizationId: organization.id,
      level: 'near',
      held: 8,
      reserved: 0,
      limit: 10,
      graceEnd: null,
      actor: { type: 'user', id: organization.owner },
    })
    expect(mails.map(({ level, to }) => [level, to])).toEqual([
      ['near', expect.stringContaining('@')],
      ['full', expect.stringContaining('@')],
    ])
    expect(mails[0]).toMatchObject({
      kind: 'limit_notice',
      subject: expect.stringContaining('8 of 10'),
    })
  })

  it('are sent again after the seats in use fell below a level, and rose again [SEAT-53]', async () => {
    const { kit, levels } = noticing(provider)
    const organization = await kit.organization({ members: 7 })
    const eighth = await organization.join()
    const ninth = await organization.join()
    unwrap(await organization.remove(ninth, organization.owner))
    await organization.join()
    expect(await levels(organization)).toEqual(['near'])
    unwrap(await organization.remove(eighth, organization.owner))
    const [last = ''] = await newUsers(1)
    const [other = ''] = await members(organization)
    unwrap(await organization.remove(other, organization.owner))
    unwrap(await organization.add(last))
    await organization.join()
    expect(await levels(organization)).toEqual(['near', 'near'])
  })

  it('are sent once for each level when ten members are added at once [SEAT-53]', async () => {
    const { kit, levels } = noticing(provider, { delayMs: 3 })
    const organization = await kit.organization()
    const users = await newUsers(14)
    const answers = await Promise.all(users.map((userId) => organization.add(userId)))
    expect(answers.filter(({ ok }) => ok)).toHaveLength(9)
    await kit.settled()
    expect(await levels(organization)).toEqual(['near', 'full'])
  })

  it('a lower limit has one notice, of the highest level it crosses [SEAT-53]', async () => {
    const { kit, levels, notices } = noticing(provider)
    const organization = await kit.organization({ members: 5 })
    unwrap(await setSeatLimit(kit.seatgate, organization.asOperator, { limit: 3 }))
    unwrap(await setSeatLimit(kit.seatgate, organization.asOperator, { limit: 2 }))
    expect(await levels(organization)).toEqual(['over'])
    unwrap(await setSeatLimit(kit.seatgate, organization.asOperator, { limit: 20 }))
    unwrap(await setSeatLimit(kit.seatgate, organization.asOperator, { limit: 5 }))
    expect(await notices(organization)).toMatchObject([{ level: 'over' }, { level: 'full' }])
  })

  it('the end of a grace is noticed three days before it, once [SEAT-48 SEAT-53]', async () => {
    const { kit, sweepAt, levels, notices, mails } = noticing(provider, {
      whenOver: 'allow_with_grace',
    })
    const organization = await kit.organization({ members: 5 })
    unwrap(await setSeatLimit(kit.seatgate, organization.asOperator, { limit: 3 }))
    await sweepAt(10.9)
    expect(await levels(organization)).toEqual(['over'])
    await sweepAt(11)
    await sweepAt(12)
    const grace_end = new Date(START + 14 * DAY).toISOString()
    expect(await notices(organization)).toMatchObject([
      { level: 'over', grace_end },
      { level: 'grace_ending', grace_end, held: 5, limit: 3 },
    ])
    await sweepAt(14)
    expect(await levels(organization)).toEqual(['over', 'grace_ending'])
    expect(mails.at(-1)?.text).toContain('suspended on Sun, 15 Mar 2026')
    expect((await organization.seats()).held).toBe(3)
  })

  it('the end of a short grace is noticed in its middle [SEAT-48 SEAT-53]', async () => {
    const { kit, sweepAt, levels } = noticing(provider, {
      whenOver: 'allow_with_grace',
      overGraceDays: 2,
    })
    const organization = await kit.organization({ members: 5 })
    unwrap(await setSeatLimit(kit.seatgate, organization.asOperator, { limit: 3 }))
    await sweepAt(0.9)
    expect(await levels(organization)).toEqual(['over'])
    await sweepAt(1)
    expect(await levels(organization)).toEqual(['over', 'grace_ending'])
    await sweepAt(2)
    expect((await organization.seats()).held).toBe(3)
  })

  it('a limit that is set again to the same number has no notice again [SEAT-53]', async () => {
    const { kit, levels, sweepAt } = noticing(provider)
    const organization = await kit.organization({ members: 5 })
    for (let times = 0; times < 2; times++) {
      unwrap(await setSeatLimit(kit.seatgate, organization.asOperator, { limit: 5 }))
    }
    await sweepAt(0)
    expect(await levels(organization)).toEqual(['full'])
  })

  it('a mailer that throws is called again with the same key [SEAT-53]', async () => {
    const { kit, sweepAt, mails, refuse } = noticing(provider)
    const organization = await kit.organization({ members: 8 })
    refuse(1)
    await sweepAt(0)
    expect(mails).toEqual([])
    await sweepAt(1)
    expect(mails.map(({ level }) => level)).toEqual(['near'])
    expect(mails[0]?.idempotencyKey).toContain(organization.owner)
    await sweepAt(2)
    expect(mails).toHaveLength(1)
  })

  it('a change that crosses no level adds no trips and no written rows [SEAT-53]', async () => {
    const cost = async (options: KitOptions) => {
      const meter = createMeter()
      const kit = createKit({ provider, around: meter.around, ...options })
      const organization = await kit.organization({ members: 3 })
      const [userId = ''] = await newUsers(1)
      unwrap(await setSeatLimit(kit.seatgate, organization.asOperator, { limit: 10 }))
      await kit.settled()
      const [answer, spent] = await meter.measure(() => organization.add(userId), kit.settled)
      unwrap(answer)
      return spent
    }
    const plain = await cost({})
    const noticed = await cost({
      billing: billing({ plans: {}, baseSeats: 10 }),
      hooks: { afterLimitNotice: () => {} },
    })
    const { inSequence, d1Trips, ledgerCalls, rowsWritten } = plain
    expect(noticed).toMatchObject({ inSequence, d1Trips, ledgerCalls, rowsWritten })
    expect(noticed.rowsRead - plain.rowsRead).toBeLessThanOrEqual(12)
  })
})

it('a mailer has a function, and needs the users [SEAT-53]', () => {
  const mailer = { send: async () => ({ outcome: 'sent' }) as const }
  expect(() => billing({ plans: {}, mailer: {} as never })).toThrow('mailer must have')
  expect(() =>
    createKit({
      billing: billing({ plans: {}, mailer }),
      users: undefined as never,
      registerUser: undefined as never,
    })
  ).toThrow('billing: mailer needs identity.users')
})

async function members({ id, owner }: KitOrganization): Promise<string[]> {
  const { results } = await testEnv.DB.prepare(
    'SELECT user_id FROM seatgate_memberships WHERE organization_id = ? AND user_id <> ?'
  )
    .bind(id, owner)
    .all<{ user_id: string }>()
  return results.map(({ user_id }) => user_id)
}
