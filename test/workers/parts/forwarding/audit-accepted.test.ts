import { describe, expect, it } from 'vitest'
import { replaySink, setSeatLimit, type Sink } from '../../../../src/index.ts'
import { sweepHandler } from '../../../../src/worker/index.ts'
import {
  byOperator,
  isInOutbox,
  sinkOf,
  keys,
  testEnv,
  add,
  unwrap,
  createKit,
  join,
  leave,
  type TestOrganization,
  type Kit,
  type KitOptions,
} from '../../../kit/index.ts'

/** A world with an organization of two members, whose trail every consumer has read. */
async function quiet(options: KitOptions) {
  const kit = createKit(options)
  const organization = await kit.organization({ seats: 5, members: 1 })
  const member = await join(kit, organization)
  await testEnv.DB.exec('DELETE FROM seatgate_audit_outbox')
  const woken = kit.wakeUps.length
  return {
    kit,
    organization,
    member,
    /** Whether the organization was marked and a message was sent, since then. */
    async awakened() {
      await kit.settled()
      return [await isInOutbox(organization.id), kit.wakeUps.length > woken]
    },
  }
}

const only = (action: string): Sink => ({ ...sinkOf('only'), include: [action] })

const addOne = async ({ kit, organization }: { kit: Kit; organization: TestOrganization }) =>
  unwrap(await add(kit, organization))

describe('a change with events that no consumer accepts', () => {
  it.each([
    ['d1 seats and no sink', { provider: 'd1' }],
    ['ledger seats and no sink', { provider: 'ledger' }],
    ['a sink for other actions', { provider: 'd1', sinks: [only('organization.rename')] }],
  ] as const)('marks no organization and sends no message: %s', async (_name, options) => {
    const scene = await quiet(options)
    await addOne(scene)
    expect(await scene.awakened()).toEqual([false, false])
  })
})

describe('a change with an event that a consumer accepts', () => {
  it.each([
    ['a sink for the action', { provider: 'd1', sinks: [only('organization.member_add')] }],
    ['a sink for the seat', { provider: 'd1', sinks: [only('seat.*')] }],
    ['the log', { provider: 'd1', auditLogKey: keys.privateKey }],
    [
      'a sink that throws when it is asked',
      {
        provider: 'd1',
        sinks: [
          {
            ...sinkOf('throws'),
            accepts() {
              throw new Error('bug')
            },
          },
        ],
      },
    ],
  ] as [string, KitOptions][])(
    'marks the organization and sends a message: %s',
    async (_name, options) => {
      const scene = await quiet(options)
      await addOne(scene)
      expect(await scene.awakened()).toEqual([true, true])
    }
  )

  it('wakes the ledger for a released seat', async () => {
    const scene = await quiet({ provider: 'ledger' })
    const { kit, organization, member } = scene
    unwrap(await leave(kit, organization, member))
    expect(await scene.awakened()).toEqual([true, true])
  })

  it.each([
    ['seat.over_limit_entered', 1],
    ['seat.over_limit_cleared', 5],
  ])('counts %s, which only the batch knows', async (action, limit) => {
    const scene = await quiet({ provider: 'd1', sinks: [only(action)] })
    const { kit, organization } = scene
    unwrap(await setSeatLimit(kit.seatgate, organization.asOperator, { limit }))
    expect(await scene.awakened()).toEqual([true, true])
  })

  it('is a replay for every sink', async () => {
    const scene = await quiet({ provider: 'd1', sinks: [only('organization.rename')] })
    const { kit, organization } = scene
    const scope = byOperator(organization.id)
    unwrap(await replaySink(kit.seatgate, scope, 'only', { fromSequence: 1 }))
    expect(await scene.awakened()).toEqual([true, true])
  })
})

it('brings the cursor of a sink up to events that it does not accept with the next sweep', async () => {
  const sink = only('organization.rename')
  const kit = createKit({ provider: 'd1', sinks: [sink] })
  const organization = await kit.organization()
  unwrap(await add(kit, organization))
  await kit.settled()
  await sweepHandler({ ...kit.seatgate, queue: null })()
  await kit.settled()
  const { results } = await testEnv.DB.prepare(
    `SELECT sequence >= (SELECT max(sequence) FROM seatgate_audit_events WHERE organization_id = ?1) AS through
     FROM seatgate_sink_cursors WHERE organization_id = ?1`
  )
    .bind(organization.id)
    .all()
  expect(results).toEqual([{ through: 1 }])
})
