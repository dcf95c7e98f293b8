/**
 * Groups of members. `seatgate/groups`
 *
 * @module
 */
export { groups } from '../../parts/groups/groups.ts'
export type { GroupsContext, GroupsOptions, GroupsPart } from '../../parts/groups/groups.ts'
export { groupRoutes } from './group-routes.ts'
export type { GroupRoutes } from './group-routes.ts'
export { loadGroup } from './load-group.ts'
export type { GroupEnv, GroupLoadOptions } from './load-group.ts'
export { createGroup } from '../../parts/groups/create-group.ts'
export type { CreateGroupInput, CreateGroupRefusal } from '../../parts/groups/create-group.ts'
export { updateGroup } from '../../parts/groups/update-group.ts'
export type {
  ChangedGroup,
  UpdateGroupInput,
  UpdateGroupRefusal,
} from '../../parts/groups/update-group.ts'
export { deleteGroup } from '../../parts/groups/delete-group.ts'
export type { DeleteGroupRefusal } from '../../parts/groups/delete-group.ts'
export { addToGroup } from '../../parts/groups/add-to-group.ts'
export type { AddToGroupInput, AddToGroupRefusal } from '../../parts/groups/add-to-group.ts'
export { removeFromGroup } from '../../parts/groups/remove-from-group.ts'
export type { RemoveFromGroupRefusal } from '../../parts/groups/remove-from-group.ts'
export { listGroups } from '../../parts/groups/list-groups.ts'
export type { GroupsInput, ListGroupsRefusal } from '../../parts/groups/list-groups.ts'
export { listGroupMembers } from '../../parts/groups/list-group-members.ts'
export type { GroupMember, ListGroupMembersRefusal } from '../../parts/groups/list-group-members.ts'
export type { Group } from '../../parts/groups/group.ts'
