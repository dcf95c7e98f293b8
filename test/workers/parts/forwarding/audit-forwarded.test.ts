import { createExecutionContext, createMessageBatch, getQueueResult } from 'cloudflare:test'
import { describe, expect, it } from 'vitest'
import {
  forwardOrganization,
  logEvent,
  prepareOrganization,
  commitTogether,
  renameOrganization,
  tendOrganization,
  type AuditEvent,
  type Seatgate,
  type Sink,
} from '../../../../src/index.ts'
import { auditQueueHandler } from '../../../../src/worker/index.ts'
import {
  attemptsOf,
  clocked,
  cursorOf,
  delivered,
  organizationWith,
  owners,
  rename,
  retry,
  sinkOf,
  upTo,
  invite,
  createKit,
  testEnv,
  unwrap,
  join,
  leave,
} from '../../../kit/index.ts'
import { guards } from '../../../../src/database/schema.ts'

/** The consumer of the queue gets one wake-up. */
async function consume(seatgate: Seatgate, organizationId: string) {
  const message = { id: 'm', timestamp: new Date(0), attempts: 1, body: { organizationId } }
  const batch = createMessageBatch('audit', [message])
  const context = createExecutionContext()
  await auditQueueHandler(seatgate)(batch)
  return getQueueResult(batch, context)
}

describe('forwarded events', () => {
  it('organizations, memberships, invitations and seats, several of one batch [FWD-15]', async () => {
    const sink = sinkOf('log')
    const kit = createKit({ sinks: [sink] })
    const organization = await kit.organization({ seats: 9 })
    await invite(kit, organization)
    const member = await join(kit, organization)
    unwrap(await leave(kit, organization, member))
    await kit.settled()
    await forwardOrganization(kit.seatgate, organization.id)
    expect(sink.taken.map(({ action }) => action)).toEqual([
      'organization.create',
      'seat.assigned',
      'seat.limit_changed',
      'organization.invitation.created',
      'seat.reserved',
      'organization.member_add',
      'seat.assigned',
      'organization.member_remove',
      'seat.released',
    ])
  })

  it('never events of a rolled back batch [FWD-12]', async () => {
    const sink = sinkOf('log')
    const { seatgate } = clocked([sink])
    const caller = { userId: crypto.randomUUID() }
    const slug = `t${crypto.randomUUID()}`
    const founding = unwrap(
      await prepareOrganization(seatgate, { caller }, { name: 'Never', slug })
    )
    const { id } = founding.value
    // The last statement of the batch breaks it, when all the others are in.
    const breaking = seatgate.db.insert(guards).values({ code: 'broken' })
    await commitTogether(seatgate, founding, { after: [breaking] })
    await tendOrganization(seatgate, id)
    expect(sink.attempts).toEqual([])
  })

  it('keeps the recorded outcome, actor and time [FWD-19]', async () => {
    const sink = sinkOf('log')
    const { seatgate, later, clock } = clocked([sink])
    const id = await organizationWith(seatgate)
    const recordedAt = new Date(clock.now).toISOString()
    for (const [outcome, caller] of [
      ['error', { type: 'system' }],
      ['failure', { userId: 'ada' }],
    ] as const) {
      const event = { action: 'billing.charged', outcome }
      unwrap(await logEvent(seatgate, { caller, organization: id }, event))
    }
    later(86_400)
    await forwardOrganization(seatgate, id)
    expect(sink.taken.slice(2)).toMatchObject([
      { outcome: 'error', actorType: 'system', actorId: null, occurredAt: recordedAt },
      { outcome: 'failure', actorType: 'user', actorId: 'ada', occurredAt: recordedAt },
    ])
  })

  it('has the request and the trace that it came from, in the queue’s consumer too [AUD-20]', async () => {
    const sink = sinkOf('log')
    const { seatgate } = clocked([sink])
    const id = await organizationWith(seatgate)
    const traceId = '0af7651916cd43dd8448eb211c80319c'
    const scope = { caller: { userId: owners.get(id)! }, organization: id }
    const marks = { requestId: '8f2d-VIE', origin: { traceId } }
    unwrap(await renameOrganization(seatgate, { ...scope, ...marks }, { name: 'New' }))
    await consume(seatgate, id)
    expect(sink.taken.at(-1)).toMatchObject({ requestId: '8f2d-VIE', traceId })
  })
})

describe('a sink', () => {
  it('has its own options in every attempt, by the queue as in process [FWD-21]', async () => {
    const seen: string[] = []
    const own = { endpoint: 'https://siem.example.com', region: 'eu' }
    const sink: Sink & typeof own = {
      id: 'siem',
      ...own,
      dispatch: 'sync',
      redact: { exclude: ['actorId'] },
      async deliver(event) {
        seen.push(`${this.endpoint} ${this.region} ${'actorId' in event}`)
        return seen.length === 1 ? retry : delivered
      },
    }
    const { seatgate, later } = clocked([sink])
    const id = await organizationWith(seatgate)
    later(1)
    await consume(seatgate, id)
    expect(seen).toHaveLength(3)
    expect(new Set(seen)).toEqual(new Set(['https://siem.example.com eu false']))
  })

  it('that calls the forwarder itself is retried later, without recursion [FWD-23]', async () => {
    const answers: (number | null)[] = []
    const sink = sinkOf('loop', async ({ organizationId }) => {
      answers.push(await forwardOrganization(seatgate, organizationId))
      return delivered
    })
    const { seatgate } = clocked([sink])
    const id = await organizationWith(seatgate)
    expect(await forwardOrganization(seatgate, id)).toBeNull()
    expect(sink.attempts).toEqual([1, 2])
    expect(answers).toEqual([1, 1])
  })

  it('that has thrown gets the same event again, and the next [FWD-31]', async () => {
    const sink = sinkOf('flaky', (_event, attempt) =>
      attempt <= 2 ? Promise.reject(new Error('boom')) : delivered
    )
    const { seatgate, later } = clocked([sink])
    const id = await organizationWith(seatgate, 1)
    for (let run = 0; run < 3; run++) {
      await forwardOrganization(seatgate, id)
      later(2)
    }
    expect(sink.attempts).toEqual([1, 1, 1, 2, 3])
    await rename(seatgate, id, 'Next')
    await forwardOrganization(seatgate, id)
    expect(sink.sequences()).toEqual(upTo(4))
    expect((await attemptsOf(seatgate, id, 'flaky')).slice(0, 2)).toEqual([
      [1, 1, 'retry', 'error', 1],
      [1, 1, 'retry', 'error', 2],
    ])
  })

  it('that is down for a day changes no answer and no row, and gets all of it [FWD-11 FWD-25]', async () => {
    let up = false
    const taken: AuditEvent[] = []
    const sink = sinkOf('down', (event) => {
      if (!up) throw new Error('down')
      taken.push(event)
      return delivered
    })
    const { seatgate, later } = clocked([sink])
    const id = await organizationWith(seatgate)
    const rows = () =>
      testEnv.DB.prepare(
        'SELECT * FROM seatgate_audit_events WHERE organization_id = ? ORDER BY sequence'
      )
        .bind(id)
        .all()
    for (let hour = 0; hour < 24; hour++) {
      await rename(seatgate, id, `Hour ${hour}`)
      const before = (await rows()).results
      await tendOrganization(seatgate, id)
      expect((await rows()).results).toEqual(before)
      later(3600)
    }
    up = true
    later(12 * 3600)
    await tendOrganization(seatgate, id)
    expect(taken.map(({ sequence }) => sequence)).toEqual(upTo(26))
    expect(await cursorOf(id, 'down')).toMatchObject({ sequence: 26 })
  })
})
