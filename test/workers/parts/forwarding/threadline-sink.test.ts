import { describe, expect, it } from 'vitest'
import {
  threadlineSink,
  type Entry,
  type ThreadlineClient,
} from '../../../../examples/threadline-sink.ts'
import {
  declineInvitation,
  forwardOrganization,
  replaySink,
  type AuditEvent,
} from '../../../../src/index.ts'
import { eventOf } from '../../../unit/engine/audit/sample-event.ts'
import {
  attemptsOf,
  byOperator,
  clocked,
  lettersOf,
  organizationWith,
  createKit,
  invite,
  unwrap,
  join,
} from '../../../kit/index.ts'

/** A service that stores one entry for each key, and answers the first requests as it is told to. */
function threadline(...answers: (Awaited<ReturnType<ThreadlineClient['upsert']>> | Error)[]) {
  const entries = new Map<string, Entry>()
  let requests = 0
  const sink = threadlineSink({
    async upsert(key, entry) {
      requests += 1
      const answer = answers.shift() ?? 'stored'
      if (answer instanceof Error) throw answer
      if (answer === 'stored') entries.set(key, entry)
      return answer
    },
  })
  return { sink, entries, requests: () => requests }
}

const event = eventOf('organization.member_add')

describe('a sink with a vocabulary of its own', () => {
  it('has each event once, after a retry and a replay [FWD-17]', async () => {
    const { sink, entries, requests } = threadline('busy', new Error('reset'))
    const kit = createKit({ sinks: [sink] })
    const organization = await kit.organization()
    const member = await join(kit, organization)
    await kit.settled()
    const { seatgate, later } = clocked([sink])
    const forward = () => {
      later(60)
      return forwardOrganization(seatgate, organization.id)
    }
    for (let runs = 1; runs <= 3; runs++) await forward()
    const told = () => [...entries.values()].map(({ verb, about }) => [verb, about])
    const stored = [
      ['team.opened', organization.id],
      ['team.joined', member],
    ]
    expect(told()).toEqual(stored)
    const before = requests()
    unwrap(
      await replaySink(seatgate, byOperator(organization.id), 'threadline', { fromSequence: 1 })
    )
    await forward()
    expect(requests()).toBeGreaterThanOrEqual(before + stored.length)
    expect(told()).toEqual(stored)
  })

  it('passes over actions that it has no verb for, and makes no dead letter of them', async () => {
    const { sink, entries } = threadline()
    const { seatgate } = clocked([sink])
    const id = await organizationWith(seatgate, 2)
    await forwardOrganization(seatgate, id)
    expect([...entries.values()].map(({ verb }) => verb)).toEqual(['team.opened'])
    expect(await attemptsOf(seatgate, id, 'threadline')).toEqual([[1, 4, 'delivered', null, 1]])
    expect(await lettersOf(seatgate, id, 'threadline')).toEqual([])
  })

  it('makes a dead letter of an unknown actor, with the reason, and continues [FWD-34]', async () => {
    const { sink, entries } = threadline()
    const kit = createKit({ sinks: [] })
    const organization = await kit.organization()
    const invitation = await invite(kit, organization)
    unwrap(await declineInvitation(kit.seatgate, { caller: { type: 'anonymous' } }, invitation))
    const member = await join(kit, organization)
    await kit.settled()
    const { seatgate } = clocked([sink])
    await forwardOrganization(seatgate, organization.id)
    const letters = await lettersOf(seatgate, organization.id, 'threadline')
    expect(letters.map(([, ...letter]) => letter)).toEqual([
      ['dead', 'unknown: actor anonymous', 1],
    ])
    expect([...entries.values()].at(-1)).toMatchObject({ verb: 'team.joined', about: member })
  })

  it.each([
    ['user', 'person'],
    ['operator', 'staff'],
    ['service_account', 'program'],
    ['webhook', 'program'],
    ['job', 'host'],
    ['system', 'host'],
  ])('knows %s as %s [FWD-19]', async (actorType, kind) => {
    const { sink, entries } = threadline()
    const actorId = actorType === 'system' ? null : 'ada'
    expect(await sink.deliver({ ...event, actorType, actorId })).toEqual({ outcome: 'delivered' })
    expect(entries.get(event.id)?.by).toEqual({ kind, id: actorId })
  })

  it.each([
    ['success', 'done'],
    ['failure', 'denied'],
    ['error', 'failed'],
  ] as const)('reports %s as %s, at the time on record [FWD-19]', async (outcome, result) => {
    const { sink, entries } = threadline()
    await sink.deliver({ ...event, outcome })
    expect(entries.get(event.id)).toEqual({
      thread: 'acme',
      verb: 'team.joined',
      result,
      by: { kind: 'person', id: 'ada' },
      about: 'bob',
      at: event.occurredAt,
      fields: { ...event.metadata, sequence: 3 },
    })
  })

  it.each<[string, Partial<AuditEvent>]>([
    ['actor anonymous', { actorType: 'anonymous', actorId: null }],
    ['actor toString', { actorType: 'toString' }],
    ['action billing.paid', { action: 'billing.paid' }],
    ['action toString', { action: 'toString' }],
    ['version 2', { schemaVersion: 2 }],
  ])('refuses an unknown %s for good, and sends no request [FWD-34]', async (what, changed) => {
    const { sink, requests } = threadline()
    const answer = { outcome: 'permanent', reason: `unknown: ${what}` }
    expect(await sink.deliver({ ...event, ...changed })).toEqual(answer)
    expect(requests()).toBe(0)
  })

  it('takes no for an answer', async () => {
    const { sink } = threadline('refused')
    expect(await sink.deliver(event)).toEqual({ outcome: 'permanent', reason: 'unknown: entry' })
  })
})
