/**
 * The catalogue of the library's events: every action. An event is written by the batch of its change.
 *
 * @module
 */
import { CORE_ACTIONS, type MetadataIn } from './core-actions.ts'
import { GROUP_ACTIONS } from './group-actions.ts'
import { IMPERSONATION_ACTIONS } from './impersonation-actions.ts'
import { KEY_ACTIONS } from './key-actions.ts'
import { ROLE_ACTIONS } from './role-actions.ts'
import {
  BILLING_ACTIONS,
  INVITATION_ACTIONS,
  JOINING_ACTIONS,
  SCIM_ACTIONS,
  TRAIL_ACTIONS,
} from './part-actions.ts'
export type { ActionDefinition } from './core-actions.ts'

/** The catalogue: the target of each action, its metadata, and whether it changes seats. */
export const ACTIONS = {
  ...CORE_ACTIONS,
  ...INVITATION_ACTIONS,
  ...JOINING_ACTIONS,
  ...BILLING_ACTIONS,
  ...SCIM_ACTIONS,
  ...KEY_ACTIONS,
  ...GROUP_ACTIONS,
  ...IMPERSONATION_ACTIONS,
  ...ROLE_ACTIONS,
  ...TRAIL_ACTIONS,
}

/** An action of the library. */
export type AuditAction = keyof typeof ACTIONS

/** The metadata of an action. */
export type MetadataOf<A extends AuditAction> = MetadataIn<typeof ACTIONS, A>

/** Whether a name is in the catalogue. */
export function isLibraryAction(action: string): action is AuditAction {
  return Object.hasOwn(ACTIONS, action)
}
