import { beforeEach, describe, expect, it } from 'vitest'
import {
  billing,
  generateLogKey,
  platformHealth,
  type HealthReason,
  type PlatformHealth,
  type Sink,
} from '../../../../src/index.ts'
import { auditQueueHandler, sweepHandler } from '../../../../src/worker/index.ts'
import { createKit, freshStores, inD1, unwrap, type KitOptions } from '../../../kit/index.ts'

const host = { caller: { type: 'system' } } as const
const sink: Sink = { id: 'siem', deliver: async () => ({ outcome: 'retry', reason: 'down' }) }
const { privateKey } = await generateLogKey('audit.example.com')

const HOUR_MS = 3_600_000

beforeEach(freshStores)

function worldOf(options: KitOptions = {}) {
  let time = Date.now()
  const kit = createKit({ now: () => new Date(time), ...options })
  const later = (hours: number) => void (time += hours * HOUR_MS)
  const health = async (): Promise<PlatformHealth> =>
    unwrap(await platformHealth(kit.seatgate, host))
  const codes = async () => (await health()).reasons.map(({ code, status }) => [code, status])
  return { kit, later, health, codes, now: () => time }
}

describe('platformHealth', () => {
  it('is ok after a sweep, with a number for each part that is configured', async () => {
    const { kit, health } = worldOf({
      provider: 'ledger',
      sinks: [{ ...sink, deliver: async () => ({ outcome: 'delivered' }) }],
      auditLogKey: privateKey,
      billing: billing({ plans: {} }),
    })
    await kit.organization()
    await kit.settled()
    await sweepHandler(kit.seatgate)()
    const { checkedAt, schema, ...rest } = await health()
    expect(Date.parse(checkedAt)).toBeGreaterThan(0)
    expect(schema.found).toBe(schema.needed)
    expect(rest).toMatchObject({
      status: 'ok',
      reasons: [],
      sinks: [{ id: 'siem', lagSeconds: 0, paused: 0, deadLetters: 0 }],
      ledger: { lagSeconds: 0 },
      log: { lagSeconds: 0 },
      jobs: { due: 0, lateSeconds: 0 },
      mails: { failing: 0, failingSeconds: 0 },
      billing: { webhooks: { due: 0, lateSeconds: 0, dead: 0 } },
      sweep: { secondsAgo: 0 },
    })
  })

  it('has null or no entry for parts that are not configured, and reads in one round trip', async () => {
    const { kit, health } = worldOf({ provider: 'd1' })
    const before = kit.trips()
    expect(await health()).toMatchObject({ sinks: [], ledger: null, log: null, billing: null })
    // A caller that a query finds costs one more.
    expect(kit.trips() - before).toBe(1)
  })

  it('reports a sweep that has never run, or not for an hour', async () => {
    const { kit, later, codes } = worldOf({ provider: 'd1' })
    expect(await codes()).toEqual([['sweep_missing', 'degraded']])
    await sweepHandler(kit.seatgate)()
    expect(await codes()).toEqual([])
    later(1)
    expect(await codes()).toEqual([['sweep_late', 'degraded']])
    later(23)
    expect(await codes()).toEqual([['sweep_late', 'failing']])
  })

  it('reports a sink that is behind, is paused, or has dead letters', async () => {
    const { kit, later, health } = worldOf({ provider: 'd1', sinks: [sink] })
    await kit.organization()
    await auditQueueHandler(kit.seatgate)({
      messages: kit.wakeUps.map((body) => ({ body, ack: () => {}, retry: () => {} })),
    } as never)
    later(2)
    await sweepHandler(kit.seatgate)()
    await inD1("UPDATE seatgate_sink_cursors SET paused_reason = 'no'")
    await inD1(`INSERT INTO seatgate_sink_dead_letters
      SELECT organization_id, 'siem', 1, 'id', 'organization.create', 'dead', 'no', 1, 0, 0
      FROM seatgate_sink_cursors`)
    const { sinks, reasons, status } = await health()
    expect(sinks).toEqual([{ id: 'siem', lagSeconds: 7200, paused: 1, deadLetters: 1 }])
    expect(reasons.map(({ code, sink: of }) => [code, of])).toEqual([
      ['sink_late', 'siem'],
      ['sink_paused', 'siem'],
      ['dead_letters', 'siem'],
    ])
    expect(reasons.every(({ action }) => action.endsWith('.'))).toBe(true)
    expect(status).toBe('degraded')
  })

  it('reports a ledger and a log that are behind', async () => {
    const { kit, later, codes } = worldOf({ provider: 'ledger', auditLogKey: privateKey })
    await kit.organization()
    await sweepHandler(kit.seatgate)()
    await inD1(`INSERT INTO seatgate_audit_outbox SELECT organization_id, 0
      FROM seatgate_audit_events WHERE true ON CONFLICT DO NOTHING`)
    await inD1('DELETE FROM seatgate_audit_checkpoints')
    await inD1("DELETE FROM seatgate_sink_cursors WHERE sink_id = 'seat_ledger'")
    later(30)
    expect(await codes()).toEqual([
      ['sweep_late', 'failing'],
      ['ledger_late', 'failing'],
      ['log_late', 'failing'],
    ])
  })

  it('reports late jobs and failing mails, and counts up to a hundred', async () => {
    const { kit, later, health, now } = worldOf({ provider: 'd1' })
    await sweepHandler(kit.seatgate)()
    const rows = (kind: string, error: string | null, from: number) => `INSERT INTO seatgate_jobs
      SELECT '${kind}' || value, 'o', '${kind}', '{}', 1, ${now()}, ${error}, ${now()}
      FROM json_each('${JSON.stringify([...Array(150).keys()].map((key) => key + from))}')`
    await inD1(rows('send_invitation', "'Error'", 0))
    // A mail that waits has not failed.
    await inD1(rows('send_limit_notice', "'Held'", 1000))
    await inD1(rows('afterAddMember', 'null', 2000))
    later(0.5)
    expect((await health()).status).toBe('ok')
    later(0.5)
    const { jobs, mails, reasons } = await health()
    expect(jobs).toEqual({ due: 100, lateSeconds: 3600 })
    expect(mails).toEqual({ failing: 100, failingSeconds: 3600 })
    expect(reasons.map(({ code }: HealthReason) => code)).toEqual([
      'sweep_late',
      'jobs_late',
      'mails_failing',
    ])
    await inD1("DELETE FROM seatgate_jobs WHERE kind = 'send_invitation'")
    expect((await health()).mails).toEqual({ failing: 0, failingSeconds: 0 })
  })

  it('reports webhooks that wait or were given up', async () => {
    const { kit, later, codes, now } = worldOf({
      provider: 'd1',
      billing: billing({ plans: {} }),
    })
    await sweepHandler(kit.seatgate)()
    const row = (id: string, status: string, due: number | null, finished: number | null) =>
      inD1(`INSERT INTO seatgate_billing_inbox
        (provider, account, mode, event_id, type, status, due_at, received_at, finished_at)
        VALUES ('stripe', 'a', 'live', '${id}', 't', '${status}', ${due}, ${now()}, ${finished})`)
    await row('waits', 'received', now(), null)
    await row('dead', 'dead', null, now())
    await row('done', 'succeeded', null, now())
    later(2)
    expect(await codes()).toEqual([
      ['sweep_late', 'degraded'],
      ['webhooks_late', 'degraded'],
      ['webhooks_dead', 'degraded'],
    ])
  })

  it('is for operators and the host itself', async () => {
    const { kit } = worldOf({ provider: 'd1' })
    const asked = async (caller: object) => {
      const answer = await platformHealth(kit.seatgate, { caller } as never)
      return answer.ok ? answer.value.status : answer.error.code
    }
    expect(await asked({ userId: 'ops', operator: true })).toBe('degraded')
    expect(await asked({ userId: 'ada' })).toBe('insufficient_role')
    expect(await asked({ type: 'anonymous' })).toMatch(/insufficient_role|unauthenticated/)
  })
})
