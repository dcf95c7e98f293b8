/**
 * Organizations' own roles. `seatgate/roles`
 *
 * @module
 */
export { ownRoles } from '../../parts/roles/own-roles.ts'
export type { OwnRolesContext, OwnRolesOptions, OwnRolesPart } from '../../parts/roles/own-roles.ts'
export { roleRoutes } from './role-routes.ts'
export type { RoleRoutes } from './role-routes.ts'
export { createRole } from '../../parts/roles/create-role.ts'
export type { CreateRoleInput, CreateRoleRefusal } from '../../parts/roles/create-role.ts'
export { updateRole } from '../../parts/roles/update-role.ts'
export type { UpdateRoleInput, UpdateRoleRefusal } from '../../parts/roles/update-role.ts'
export { deleteRole } from '../../parts/roles/delete-role.ts'
export type { DeleteRoleInput, DeleteRoleRefusal } from '../../parts/roles/delete-role.ts'
export { listRoles } from '../../parts/roles/list-roles.ts'
export type { ListRolesRefusal, RoleList } from '../../parts/roles/list-roles.ts'
export type { Role } from '../../parts/roles/role.ts'
