/**
 * The refusals of a trail whose beginning is purged, of its dead letters and of its export.
 *
 * @module
 */
import { purgeAuditEvents, sealOrganization } from '../../../src/index.ts'
import { testEnv } from '../../kit/index.ts'
import { ADVERSE, configured, unwritable } from '../../kit/openapi-application.ts'
import { scene, type Recorder, type Scene } from './scene.ts'

const DAYS_MS = 24 * 60 * 60 * 1000
const trail = '/organizations/:org/audit'
const requeue = `POST ${trail}/sinks/:sink/dead-letters/requeue`

export async function refuseTrails(record: Recorder) {
  const there = await scene(record, 'Trail')
  await refuseDeadLetters(record, there)
  await refuseAfterPurge(record, there)
}

async function refuseDeadLetters({ exchange }: Recorder, { as, param }: Scene) {
  const [, , , raced] = ADVERSE
  await exchange(`GET ${trail}/export`, { as, param }, raced)
  const sink = { as, param: { ...param, sink: 'siem' }, body: {} }
  await putLetters(param.org, 1, 'delivered')
  await exchange(requeue, { ...sink, body: { sequence: 1 } })
  await exchange(requeue, { ...sink, body: { sequence: 2 } })
  await putLetters(param.org, 10_002, 'dead')
  await exchange(requeue, sink)
  for (const app of [unwritable, raced])
    await exchange(requeue, { ...sink, body: { force: true } }, app)
}

/** Writes so many letters, but those that are there. */
async function putLetters(organizationId: string, count: number, state: 'dead' | 'delivered') {
  await testEnv.DB.prepare(
    `with recursive n (i) as (select 1 union all select i + 1 from n where i < ?2)
     insert into seatgate_sink_dead_letters
       (organization_id, sink_id, sequence, event_id, action, state, reason, attempts, died_at, updated_at)
     select ?1, 'siem', i, 'event ' || i, 'organization.create', ?3, 'gone', 1, 0, 0 from n
     where true on conflict do nothing`
  )
    .bind(organizationId, count, state)
    .run()
}

async function refuseAfterPurge({ exchange }: Recorder, { as, param, operator }: Scene) {
  const later = () => new Date(Date.now() + 40 * DAYS_MS)
  const seatgate = configured({ now: later, retention: [{ days: 1 }] })
  for (const organization of [param.org, 'system']) {
    await sealOrganization(seatgate, organization)
    await purgeAuditEvents(seatgate, { caller: { type: 'system' }, organization }, { force: true })
  }
  const query = { after_sequence: '0' }
  for (const path of [trail, `${trail}/count`, `${trail}/export`]) {
    await exchange(`GET ${path}`, { as, param, query })
  }
  await exchange(`GET /operator${trail}`, { as: operator, param, query })
  await exchange('GET /operator/audit', { as: operator, query })
  const sink = { as, param: { ...param, sink: 'siem' }, body: { fromSequence: 1 } }
  await exchange(`POST ${trail}/sinks/:sink/replay`, sink)
}
