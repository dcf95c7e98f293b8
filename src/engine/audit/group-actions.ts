/**
 * The actions of groups.
 *
 * @module
 */
import * as v from 'valibot'
import { about, count, optional, text, user, type ActionTable } from './core-actions.ts'
import { libraryEvent, type EventDraft, type With } from './event.ts'

/** The actions of groups. The end of a membership ends those in groups without further events. */
export const GROUP_ACTIONS = /* @__PURE__ */ (() => {
  const group = { group_id: text }
  const role = v.optional(v.nullable(text))
  // How many open invitations ended with the rights that the change took; absent for 0.
  const ended = { ended_invitations: v.optional(count) }
  return {
    'organization.group.created': about('group', { ...group, name: text, role: optional }),
    'organization.group.updated': about('group', {
      ...group,
      old_name: optional,
      new_name: optional,
      old_role: role,
      new_role: role,
      ...ended,
    }),
    // With the number of members that it had.
    'organization.group.deleted': about('group', {
      ...group,
      name: text,
      members: count,
      ...ended,
    }),
    'organization.group.member_added': about('user', { ...group, ...user }),
    'organization.group.member_removed': about('user', { ...group, ...user, ...ended }),
  } as const satisfies ActionTable
})()

/** A group as its events name it. */
interface Named {
  readonly organizationId: string
  readonly id: string
}

/** Creates an event about a group; the metadata contain its id. */
export function groupEvent<A extends keyof typeof GROUP_ACTIONS>(
  { organizationId, id }: Named,
  action: A,
  ...[metadata]: With<typeof GROUP_ACTIONS, A, 'group_id'>
): EventDraft {
  return libraryEvent(GROUP_ACTIONS, organizationId, action, id, { group_id: id, ...metadata })
}

/** Creates an event about a member of a group. */
export function groupMemberEvent(
  { organizationId, id }: Named,
  action: 'organization.group.member_added' | 'organization.group.member_removed',
  userId: string,
  ended: { readonly ended_invitations?: number } = {}
): EventDraft {
  const metadata = { group_id: id, user_id: userId, ...ended }
  return libraryEvent(GROUP_ACTIONS, organizationId, action, userId, metadata)
}
