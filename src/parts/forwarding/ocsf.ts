/**
 * Maps events to the Open Cybersecurity Schema Framework 1.8.0, category Identity & Access Management
 * (3). It is the last version in which User Access Management is not deprecated; 1.9 still has all
 * classes that are used here.
 *
 * Joining and leaving are Group Management (3006) with the organization as the group; a role is User
 * Access Management (3005); other changes are Entity Management (3004). An action without an activity
 * there, the host's own actions included, is Entity Management with the activity Other (99) and the
 * action as its name, so that no event claims to be what it is not. Account Change (3001) is not used,
 * since a membership is not an account.
 *
 * @see https://schema.ocsf.io/1.8.0/categories/iam
 * @see https://github.com/ocsf/ocsf-schema/tree/v1.8.0/events/iam
 * @module
 */
import { isLibraryAction, type AuditAction } from '../../engine/audit/actions.ts'
import type { Envelope } from './envelopes.ts'
import type { AuditEvent } from '../../engine/audit/event.ts'

/** The product that events come from, as OCSF names it. */
export interface OcsfSource {
  /** The name of the product. */
  readonly product: string
  readonly vendor?: string
}

/** An event of OCSF: the attributes that every class requires, and those of its own class. */
export interface OcsfEvent {
  readonly category_uid: 3
  readonly class_uid: number
  readonly activity_id: number
  /** The class and the activity in one number. */
  readonly type_uid: number
  readonly severity_id: number
  /** Milliseconds since 1970. */
  readonly time: number
  readonly metadata: Readonly<Record<string, unknown>>
  readonly [attribute: string]: unknown
}

const VERSION = '1.8.0'
const INFORMATIONAL = 1
// An error is neither a success nor a refusal.
const STATUSES = { success: [1, 'Success'], failure: [2, 'Failure'], error: [99, 'Error'] } as const
const UNTOLD = [0, 'Unknown'] as const
const USER_TYPES: Readonly<Record<string, number>> = { user: 1, operator: 2, service_account: 4 }

/**
 * Returns an event in the form of OCSF. Fields without a place in OCSF are in `unmapped`. The result has
 * the attributes that OCSF requires even if a sink excludes fields, except for `occurredAt`.
 *
 * @example
 * ```ts
 * const log: Sink = {
 *   id: 'siem',
 *   async deliver(event) {
 *     await siem.send(ocsfEvent(event, { product: 'Acme', vendor: 'Acme Inc.' }))
 *     return { outcome: 'delivered' }
 *   },
 * }
 * ```
 */
export function ocsfEvent(event: AuditEvent, source: OcsfSource): OcsfEvent {
  const { action, outcome, occurredAt, personal, metadata } = event
  const [of, activityId] = (isLibraryAction(action) ? OCSF_ACTIVITIES[action] : null) ?? UNMAPPED
  const { uid, caption, activities } = OCSF_CLASSES[of]
  const captions: Readonly<Record<number, string>> = activities
  const activity = activityId === 99 ? action : (captions[activityId] ?? action)
  const [statusId, status] = Object.hasOwn(STATUSES, outcome ?? '') ? STATUSES[outcome] : UNTOLD
  const ip = personal?.ipAddress ?? ''
  return {
    category_uid: 3,
    category_name: 'Identity & Access Management',
    class_uid: uid,
    class_name: caption,
    activity_id: activityId,
    activity_name: activity,
    type_uid: uid * 100 + activityId,
    type_name: `${caption}: ${captions[activityId] ?? activity}`,
    severity_id: INFORMATIONAL,
    severity: 'Informational',
    status_id: statusId,
    status,
    time: Date.parse(occurredAt),
    message: action,
    metadata: metadataOf(event, source),
    actor: actorOf(event, source),
    ...subjectOf(of, event),
    // A sink may have masked it.
    ...(/^[\da-f.:]+$/i.test(ip) && { src_endpoint: { ip } }),
    ...(personal?.userAgent && { http_request: { user_agent: personal.userAgent } }),
    unmapped: {
      action,
      organization_id: event.organizationId,
      effective_user_id: event.effectiveUserId,
      metadata,
    },
  }
}

/**
 * Returns the envelope of OCSF: each event as {@link ocsfEvent} maps it.
 *
 * @throws {TypeError} if the product has no name.
 */
export function ocsfEnvelope(source: OcsfSource): Envelope {
  if (typeof source.product !== 'string' || source.product === '') {
    throw new TypeError('webhookSink: ocsf needs the name of the product.')
  }
  return { contentType: 'application/json', body: (event) => ocsfEvent(event, source) }
}

function metadataOf(event: AuditEvent, { product, vendor }: OcsfSource) {
  return present({
    version: VERSION,
    product: present({ name: product, vendor_name: vendor }),
    uid: event.id,
    event_code: event.action,
    sequence: event.sequence,
    log_name: 'audit',
    log_provider: product,
    log_version: event.schemaVersion?.toString(),
    logged_time: Date.parse(event.insertedAt),
    original_time: event.occurredAt,
    correlation_uid: event.requestId,
  })
}

// The user of the product, or the service that caused the event.
function actorOf({ actorType, actorId }: AuditEvent, { product }: OcsfSource) {
  const typeId = USER_TYPES[actorType]
  if (typeId !== undefined) return { user: { ...named(actorId), type_id: typeId, type: actorType } }
  if (actorType === 'anonymous') return { user: { name: actorType, type_id: 0, type: 'Unknown' } }
  return present({ app_name: `${product} ${actorType ?? 'unknown'}`, app_uid: actorId })
}

function subjectOf(of: OcsfClass, event: AuditEvent): object {
  const { organizationId, targetType, targetId } = event
  const organization = { uid: organizationId, type: 'organization' }
  const user = { ...named(targetId), type_id: 1 }
  switch (of) {
    case 'group_management':
      return { group: organization, ...(targetType === 'user' && { user }) }
    case 'user_access': {
      // A transfer has no role in its metadata.
      const { new_role: role = 'ownership' } = event.metadata ?? {}
      return { user, privileges: [String(role)], resources: [organization] }
    }
    case 'entity_management': {
      const type = event.action.startsWith('organization.member_') ? 'membership' : targetType
      return { entity: { uid: targetId ?? organizationId, type: type ?? 'organization' } }
    }
  }
}

// OCSF requires a name or an id of every object.
function named(id: string | null | undefined) {
  return id ? { uid: id } : { name: 'Unknown' }
}

// A sink may exclude any field; an attribute is left out rather than empty.
function present(attributes: Readonly<Record<string, unknown>>) {
  return Object.fromEntries(
    Object.entries(attributes).filter(([, value]) => value != null && !Number.isNaN(value))
  )
}

/** A class of the category Identity & Access Management (3). */
export type OcsfClass = 'user_access' | 'group_management' | 'entity_management'

/** The class and the activity of an action. */
export type OcsfActivity = readonly [of: OcsfClass, activityId: number]

/** The uid and the caption of each class, and the captions of its used activities. */
export const OCSF_CLASSES = {
  entity_management: {
    uid: 3004,
    caption: 'Entity Management',
    activities: {
      1: 'Create',
      3: 'Update',
      4: 'Delete',
      5: 'Move',
      10: 'Activate',
      11: 'Deactivate',
      12: 'Suspend',
      13: 'Resume',
      99: 'Other',
    },
  },
  user_access: {
    uid: 3005,
    caption: 'User Access Management',
    activities: { 1: 'Assign Privileges' },
  },
  group_management: {
    uid: 3006,
    caption: 'Group Management',
    activities: { 3: 'Add User', 4: 'Remove User', 5: 'Delete', 6: 'Create' },
  },
} as const satisfies Record<
  OcsfClass,
  { uid: number; caption: string; activities: Readonly<Record<number, string>> }
>

/**
 * The activity of an action without a class: managed entities, with the action as the activity's name.
 */
const UNMAPPED: OcsfActivity = ['entity_management', 99]

const entity = (activityId: number): OcsfActivity => ['entity_management', activityId]
const group = (activityId: number): OcsfActivity => ['group_management', activityId]
const access = (activityId: number): OcsfActivity => ['user_access', activityId]

/** The actions that have a class. */
export const OCSF_ACTIVITIES: Readonly<Partial<Record<AuditAction, OcsfActivity>>> = {
  'organization.create': group(6),
  'organization.delete': group(5),
  'organization.update': entity(3),
  // Move is "move or rename".
  'organization.rename': entity(5),
  'organization.slug_change': entity(3),
  'organization.mfa_policy_change': entity(3),

  'organization.member_add': group(3),
  'organization.member_remove': group(4),
  'organization.member_suspend': entity(12),
  'organization.member_restore': entity(13),
  'organization.member_role_change': access(1),
  'organization.ownership_transfer': access(1),

  'organization.invitation.created': entity(1),
  'organization.invitation.resent': entity(3),
  'organization.invitation.role_change': entity(3),
  'organization.invitation.accepted': entity(10),
  'organization.invitation.revoked': entity(11),
  'organization.invitation.declined': entity(11),

  'organization.domain.added': entity(1),
  'organization.domain.verified': entity(10),
  'organization.domain.mode_change': entity(3),
  'organization.domain.record_missing': entity(3),
  'organization.domain.record_found': entity(3),
  'organization.domain.removed': entity(4),
  'organization.join_request.created': entity(1),
  'organization.scim_token.created': entity(1),
  'organization.scim_token.rotated': entity(3),
  'organization.scim_token.revoked': entity(4),
  'organization.api_key.created': entity(1),
  'organization.api_key.rotated': entity(3),
  'organization.api_key.revoked': entity(4),
  'organization.api_key.ended': entity(4),
  'organization.impersonation.started': entity(1),
  'organization.impersonation.ended': entity(4),
  'organization.role.created': entity(1),
  'organization.role.updated': entity(3),
  'organization.role.deleted': entity(4),
  'organization.group.created': entity(1),
  'organization.group.updated': entity(3),
  'organization.group.deleted': entity(4),
  'organization.group.member_added': entity(3),
  'organization.group.member_removed': entity(3),
  'organization.scim_user.created': entity(1),
  'organization.scim_user.updated': entity(3),
  'organization.scim_user.deleted': entity(4),

  'seat.reserved': entity(1),
  'seat.assigned': entity(10),
  'seat.released': entity(4),
  'seat.limit_changed': entity(3),
  'seat.entitlement_set': entity(3),
  'organization.billing.subscription_change': entity(3),
  'organization.billing.cancel_scheduled': entity(3),
  'organization.billing.subscription_end': entity(4),
  'organization.billing.second_subscription_end': entity(4),
  'organization.billing.seats_request': entity(3),
  'organization.billing.seats_update': entity(3),
  'organization.billing.seats_refuse': entity(3),
  'organization.billing.owner_end': entity(4),
}
