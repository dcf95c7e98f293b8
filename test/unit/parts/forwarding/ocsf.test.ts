import { describe, expect, it } from 'vitest'
import type { AuditEvent } from '../../../../src/index.ts'
import { OCSF_ACTIVITIES, OCSF_CLASSES, ocsfEvent } from '../../../../src/parts/forwarding/ocsf.ts'
import { webhookSink } from '../../../../src/parts/forwarding/webhook-sink.ts'
import { EVERY_ACTION, eventOf, variantsOf } from '../../engine/audit/sample-event.ts'
import { CLASSES, EVERY_CLASS, flaws } from './ocsf-schema.ts'

const source = { product: 'Acme', vendor: 'Acme Inc.' }
const mapped = (action: string, change?: Partial<AuditEvent>) =>
  ocsfEvent(eventOf(action, change), source)

describe('an event of OCSF', () => {
  it.each(EVERY_ACTION)(
    '%s has the members that its class and its objects require, for any actor and any withheld member',
    (action) => {
      for (const each of variantsOf(action)) {
        const event = JSON.parse(JSON.stringify(ocsfEvent(each, source)))
        const { required, activities } = CLASSES[event.class_uid]!
        for (const attribute of [...EVERY_CLASS, ...required]) {
          expect(event[attribute] ?? null, attribute).not.toBeNull()
        }
        expect(activities).toContain(event.activity_id)
        expect(event.type_uid).toBe(event.class_uid * 100 + event.activity_id)
        expect(event.category_uid).toBe(Math.floor(event.class_uid / 1000))
        expect(event.metadata).toMatchObject({ version: '1.8.0', product: { name: 'Acme' } })
        expect(flaws(event)).toEqual([])
      }
    }
  )

  it.each<[string, object, string]>([
    ['a required attribute', { metadata: { version: '1.8.0' } }, 'metadata lacks product'],
    ['all of which one is due', { actor: { user: { type_id: 1 } } }, 'user has none of account'],
    ['a name', { group: { uid: 'acme', colour: 'red' } }, 'group knows no colour'],
    ['a value', { user: { uid: null } }, 'user.uid is empty'],
    ['a number', { user: { uid: 'ada', type_id: 7 } }, 'user.type_id is no 7'],
  ])('is found out where it has %s wrong', (_what, event, flaw) => {
    expect(flaws(event).some((found) => found.includes(flaw))).toBe(true)
  })

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
  ])('%s has the name of the schema', (action, change, expected) => {
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
  ])('of the actor %s identifies it', (actorType, actorId, expected) => {
    expect(mapped('a.b', { actorType, actorId })['actor']).toMatchObject(expected)
  })

  it('has times in milliseconds, its origin, and the members without a place in the schema', () => {
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

  it('is posted by a webhook that is configured for it', async () => {
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
    [{ ocsf: source, redact: { mask: ['occurredAt'] } }, 'occurredAt'],
    [{ ocsf: source, redact: { exclude: ['occurredAt'] } }, 'occurredAt'],
    [{ ocsf: { product: '' } }, 'product'],
    [{ ocsf: source, cloudEvents: { source: 'https://x.example' } }, 'either'],
  ])('is refused at start of %j', (options, message) => {
    const made = () => webhookSink({ url: 'https://siem.example.com/', secret: null, ...options })
    expect(made).toThrow(message)
  })
})
