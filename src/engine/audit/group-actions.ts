/**
 * The actions of groups.
 *
 * @module
 */
import { about, count, optional, text, user, type ActionTable } from './core-actions.ts'
import { libraryEvent, type EventDraft, type With } from './event.ts'

/** The actions of groups. The end of a membership ends those in groups without further events. */
export const GROUP_ACTIONS = /* @__PURE__ */ (() => {
  const group = { group_id: text }
  return {
    'organization.group.created': about('group', { ...group, name: text }),
    'organization.group.updated': about('group', {
      ...group,
      old_name: optional,
      new_name: optional,
    }),
    // With the number of members that it had.
    'organization.group.deleted': about('group', { ...group, name: text, members: count }),
    'organization.group.member_added': about('user', { ...group, ...user }),
    'organization.group.member_removed': about('user', { ...group, ...user }),
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
  userId: string
): EventDraft {
  const metadata = { group_id: id, user_id: userId }
  return libraryEvent(GROUP_ACTIONS, organizationId, action, userId, metadata)
}
