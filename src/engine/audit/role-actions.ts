/**
 * The actions of organizations' own roles.
 *
 * @module
 */
import * as v from 'valibot'
import { about, count, optional, text, type ActionTable } from './core-actions.ts'
import { libraryEvent, type EventDraft, type With } from './event.ts'

/**
 * The actions of own roles. A new name, and the replacement of a deleted role, are those of all members and
 * invitations that have it, without further events.
 */
export const ROLE_ACTIONS = /* @__PURE__ */ (() => {
  const ended = { ended_invitations: v.optional(count) }
  return {
    'organization.role.created': about('role', { role: text, permissions: text }),
    'organization.role.updated': about('role', {
      role: text,
      new_role: optional,
      old_permissions: optional,
      new_permissions: optional,
      ...ended,
    }),
    'organization.role.deleted': about('role', {
      role: text,
      permissions: text,
      replacement: optional,
      ...ended,
    }),
  } as const satisfies ActionTable
})()

/** Creates an event about an own role; the metadata contain its name. */
export function roleEvent<A extends keyof typeof ROLE_ACTIONS>(
  { organizationId, role }: { readonly organizationId: string; readonly role: string },
  action: A,
  ...[metadata]: With<typeof ROLE_ACTIONS, A, 'role'>
): EventDraft {
  return libraryEvent(ROLE_ACTIONS, organizationId, action, role, { role, ...metadata })
}
