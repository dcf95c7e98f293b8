import { describe, expect, it } from 'vitest'
import { ACTIONS } from '../../src/audit/actions.ts'
import type { AuditEvent } from '../../src/audit/event.ts'
import { OCSF_ACTIVITIES, OCSF_CLASSES } from '../../src/audit/ocsf-classes.ts'
import { ocsfEvent } from '../../src/audit/ocsf.ts'
import { webhookSink } from '../../src/audit/webhook-sink.ts'

const source = { product: 'Acme', vendor: 'Acme Inc.' }
const eventOf = (action: string, change: Partial<AuditEvent> = {}): AuditEvent => ({
  id: '84df6816-f9fe-43af-ad49-ba6eba36ccaf',
  organizationId: 'acme',
  sequence: 3,
  action,
  outcome: 'success',
  actorType: 'user',
  actorId: 'ada',
  effectiveUserId: 'ada',
  targetType: 'user',
  targetId: 'bob',
  metadata: { user_id: 'bob', role: 'member' },
  requestId: 'r1',
  traceId: null,
  causeEventId: null,
  idempotencyKey: null,
  schemaVersion: 1,
  occurredAt: '2030-01-02T03:04:05.678Z',
  insertedAt: '2030-01-02T03:04:05.679Z',
  personalDigest: null,
  personal: { salt: 'x', ipAddress: '203.0.113.9', userAgent: 'curl/8' },
  ...change,
})
const mapped = (action: string, change?: Partial<AuditEvent>) =>
  ocsfEvent(eventOf(action, change), source)

/** What version 1.8.0 of the published schema requires, and which activities it has. */
const EVERY_CLASS = 'activity_id category_uid class_uid metadata severity_id time type_uid'.split(
  ' '
)
const PUBLISHED: Record<number, { required: string[]; activities: number[] }> = {
  3004: { required: ['entity'], activities: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 99] },
  3005: { required: ['user', 'privileges'], activities: [0, 1, 2, 99] },
  3006: { required: ['group'], activities: [0, 1, 2, 3, 4, 5, 6, 7, 8, 99] },
}

describe('an event of OCSF', () => {
  it.each([...Object.keys(ACTIONS), 'billing.plan_changed'])(
    '%s has what its class requires, and an activity that its class has',
    (action) => {
      const event = mapped(action)
      const { required, activities } = PUBLISHED[event.class_uid]!
      for (const attribute of [...EVERY_CLASS, ...required]) {
        expect(event[attribute], attribute).toBeDefined()
        expect(event[attribute], attribute).not.toBeNull()
      }
      expect(activities).toContain(event.activity_id)
      expect(event.type_uid).toBe(event.class_uid * 100 + event.activity_id)
      expect(event.metadata).toMatchObject({ version: '1.8.0', product: { name: 'Acme' } })
      expect(event.category_uid).toBe(Math.floor(event.class_uid / 1000))
    }
  )

  it('names classes and activities in numbers that the table has', () => {
    for (const [of, activityId] of Object.values(OCSF_ACTIVITIES)) {
      expect(Object.keys(OCSF_CLASSES[of].activities).map(Number)).toContain(activityId)
    }
  })

  it.each<[string, Partial<AuditEvent>, object]>([
    [
      'organization.member_add',
      {},
      {
        class_uid: 3006,
        activity_name: 'Add User',
        type_name: 'Group Management: Add User',
        group: { uid: 'acme', type: 'organization' },
        user: { uid: 'bob', type_id: 1 },
      },
    ],
    [
      'organization.member_remove',
      {},
      { class_uid: 3006, activity_id: 4, activity_name: 'Remove User', user: { uid: 'bob' } },
    ],
    [
      'organization.member_role_change',
      { metadata: { user_id: 'bob', old_role: 'member', new_role: 'admin' } },
      {
        class_uid: 3005,
        activity_id: 1,
        user: { uid: 'bob' },
        privileges: ['admin'],
        resources: [{ uid: 'acme', type: 'organization' }],
      },
    ],
    ['organization.ownership_transfer', {}, { class_uid: 3005, privileges: ['ownership'] }],
    [
      'organization.member_suspend',
      {},
      { class_uid: 3004, activity_name: 'Suspend', entity: { uid: 'bob', type: 'membership' } },
    ],
    [
      'organization.create',
      { targetType: 'organization', targetId: 'acme' },
      { class_uid: 3006, activity_name: 'Create', group: { uid: 'acme' } },
    ],
    [
      'organization.invitation.created',
      { targetType: 'invitation', targetId: 'i1' },
      { class_uid: 3004, activity_name: 'Create', entity: { uid: 'i1', type: 'invitation' } },
    ],
  ])('%s is what the schema calls it', (action, change, expected) => {
    expect(mapped(action, change)).toMatchObject(expected)
  })

  it.each(['billing.plan_changed', 'organization.restore', 'audit.export', 'toString.x'])(
    '%s, which has no activity there, says so',
    (action) => {
      expect(mapped(action, { targetType: null, targetId: null })).toMatchObject({
        class_uid: 3004,
        activity_id: 99,
        activity_name: action,
        type_uid: 300_499,
        entity: { uid: 'acme', type: 'organization' },
        unmapped: { action },
      })
    }
  )

  it.each<[AuditEvent['outcome'], number]>([
    ['success', 1],
    ['failure', 2],
    ['error', 99],
  ])('that ended as %s has the status %i', (outcome, statusId) => {
    expect(mapped('a.b', { outcome })['status_id']).toBe(statusId)
  })

  it.each<[string, string | null, object]>([
    ['user', 'ada', { user: { uid: 'ada', type_id: 1 } }],
    ['operator', 'ops', { user: { uid: 'ops', type_id: 2 } }],
    ['service_account', 'ci', { user: { uid: 'ci', type_id: 4 } }],
    ['anonymous', null, { user: { name: 'anonymous', type_id: 0 } }],
    ['system', null, { app_name: 'Acme system' }],
    ['webhook', 'stripe', { app_name: 'Acme webhook', app_uid: 'stripe' }],
  ])('of the actor %s says who it was', (actorType, actorId, expected) => {
    expect(mapped('a.b', { actorType, actorId })['actor']).toMatchObject(expected)
  })

  it('has times in milliseconds, where it came from, and what there is no place for', () => {
    const event = mapped('organization.member_add', { effectiveUserId: 'eve' })
    expect(event).toMatchObject({
      time: Date.UTC(2030, 0, 2, 3, 4, 5, 678),
      src_endpoint: { ip: '203.0.113.9' },
      http_request: { user_agent: 'curl/8' },
      unmapped: { effective_user_id: 'eve', metadata: { role: 'member' } },
    })
    expect(event.metadata).toMatchObject({
      uid: '84df6816-f9fe-43af-ad49-ba6eba36ccaf',
      sequence: 3,
      correlation_uid: 'r1',
      logged_time: event.time + 1,
    })
  })

  it('has no address where a sink has masked or erased it', () => {
    const masked = { salt: 'x', ipAddress: '[redacted]', userAgent: null }
    expect(mapped('a.b', { personal: masked })).not.toHaveProperty('src_endpoint')
    expect(mapped('a.b', { personal: null })).not.toHaveProperty('src_endpoint')
    expect(mapped('a.b', { personal: masked })).not.toHaveProperty('http_request')
  })

  it('is what a webhook posts that was told so', async () => {
    const posted: unknown[] = []
    const sink = webhookSink({
      url: 'https://siem.example.com/',
      secret: null,
      ocsf: source,
      fetch: async (_url, init) => {
        posted.push(JSON.parse(String(init?.body)))
        return new Response()
      },
    })
    await sink.deliver(eventOf('organization.member_add'))
    expect(posted).toEqual([JSON.parse(JSON.stringify(mapped('organization.member_add')))])
  })

  it.each([
    [{ ocsf: { product: '' } }, 'product'],
    [{ ocsf: source, cloudEvents: { source: 'https://x.example' } }, 'either'],
  ])('is refused at start of %j', (options, message) => {
    const made = () => webhookSink({ url: 'https://siem.example.com/', secret: null, ...options })
    expect(made).toThrow(message)
  })
})
