import { ACTIONS, isLibraryAction } from '../../../../src/engine/audit/actions.ts'
import type { AuditEvent } from '../../../../src/engine/audit/event.ts'
import { redacted } from '../../../../src/engine/delivery/sink.ts'

/** Every action that there is, and one of a host. */
export const EVERY_ACTION = [...Object.keys(ACTIONS), 'billing.plan_changed']

const FIELDS =
  'outcome actorType actorId effectiveUserId targetType targetId metadata requestId traceId insertedAt schemaVersion personal'.split(
    ' '
  )

/** An event as a sink gets it, about what the catalogue says. */
export const eventOf = (action: string, change: Partial<AuditEvent> = {}): AuditEvent => ({
  id: '84df6816-f9fe-43af-ad49-ba6eba36ccaf',
  organizationId: 'acme',
  sequence: 3,
  action,
  outcome: 'success',
  actorType: 'user',
  actorId: 'ada',
  effectiveUserId: 'ada',
  targetType: isLibraryAction(action) ? ACTIONS[action].target : 'user',
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

/** The same event in each way in which it may reach a sink: by whomever, and with fields kept back. */
export function variantsOf(action: string): readonly AuditEvent[] {
  const actors = 'user operator service_account webhook job system anonymous'.split(' ')
  const event = eventOf(action)
  return [
    ...actors.map((actorType) => ({
      ...event,
      actorType,
      actorId: actorType === 'system' || actorType === 'anonymous' ? null : 'ada',
    })),
    { ...event, targetType: null, targetId: null, personal: null, requestId: null, metadata: {} },
    ...FIELDS.flatMap((field) => [
      redacted(event, { exclude: [field] }),
      redacted(event, { mask: [field] }),
    ]),
  ]
}
