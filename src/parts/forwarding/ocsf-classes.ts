import type { AuditAction } from '../../engine/audit/actions.ts'

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
export const UNMAPPED: OcsfActivity = ['entity_management', 99]

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

  'seat.reserved': entity(1),
  'seat.assigned': entity(10),
  'seat.released': entity(4),
  'seat.limit_changed': entity(3),
}
