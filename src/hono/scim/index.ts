/**
 * SCIM 2.0: users whom identity providers push. `seatgate/scim`
 *
 * @module
 */
export { scim } from '../../parts/scim/scim.ts'
export type {
  Deprovision,
  Provisioned,
  ScimContext,
  ScimOptions,
  ScimPart,
  Waitlist,
} from '../../parts/scim/scim.ts'
export { scimRoutes } from './scim-routes.ts'
export { scimTokenRoutes } from './scim-token-routes.ts'
export type { ScimTokenRoutes } from './scim-token-routes.ts'
export { createScimToken } from '../../parts/scim/create-token.ts'
export type { CreateScimTokenInput, CreateScimTokenRefusal } from '../../parts/scim/create-token.ts'
export { rotateScimToken } from '../../parts/scim/rotate-token.ts'
export type { RotateScimTokenInput, RotateScimTokenRefusal } from '../../parts/scim/rotate-token.ts'
export { revokeScimToken } from '../../parts/scim/revoke-token.ts'
export type { RevokeScimTokenRefusal } from '../../parts/scim/revoke-token.ts'
export { listScimTokens } from '../../parts/scim/list-tokens.ts'
export type { ScimTokens } from '../../parts/scim/list-tokens.ts'
export { scopeOfToken } from '../../parts/scim/scim-token.ts'
export type { ScimCaller, ScimToken, ScimTokenWithSecret } from '../../parts/scim/scim-token.ts'
export { createScimUser } from '../../parts/scim/create-user.ts'
export type { CreateScimUserRefusal } from '../../parts/scim/create-user.ts'
export { getScimUser } from '../../parts/scim/get-user.ts'
export type { GetScimUserRefusal } from '../../parts/scim/get-user.ts'
export { listScimUsers } from '../../parts/scim/list-users.ts'
export type {
  ListScimUsersInput,
  ListScimUsersRefusal,
  ScimUserPage,
} from '../../parts/scim/list-users.ts'
export { replaceScimUser } from '../../parts/scim/replace-user.ts'
export type { ReplaceScimUserRefusal } from '../../parts/scim/replace-user.ts'
export { patchScimUser } from '../../parts/scim/patch-user.ts'
export type { PatchScimUserRefusal } from '../../parts/scim/patch-user.ts'
export { deleteScimUser } from '../../parts/scim/delete-user.ts'
export type { DeleteScimUserRefusal } from '../../parts/scim/delete-user.ts'
export type { ScimChangeOptions, ScimChangeRefusal } from '../../parts/scim/change-user.ts'
export type { ScimUser } from '../../parts/scim/user-view.ts'
export { createScimGroup } from '../../parts/scim-groups/create-scim-group.ts'
export type { CreateScimGroupRefusal } from '../../parts/scim-groups/create-scim-group.ts'
export { getScimGroup } from '../../parts/scim-groups/get-group.ts'
export type { GetScimGroupRefusal, ScimGroupOptions } from '../../parts/scim-groups/get-group.ts'
export { listScimGroups } from '../../parts/scim-groups/list-scim-groups.ts'
export type {
  ListScimGroupsRefusal,
  ScimGroupPage,
} from '../../parts/scim-groups/list-scim-groups.ts'
export { replaceScimGroup } from '../../parts/scim-groups/replace-group.ts'
export { patchScimGroup } from '../../parts/scim-groups/patch-group.ts'
export { deleteScimGroup } from '../../parts/scim-groups/delete-scim-group.ts'
export type { DeleteScimGroupRefusal } from '../../parts/scim-groups/delete-scim-group.ts'
export type { ScimGroupChangeRefusal } from '../../parts/scim-groups/change-group.ts'
export type {
  ScimGroup,
  ScimGroupMember,
  ScimGroupsContext,
} from '../../parts/scim-groups/scim-group.ts'
