/**
 * Permissions: names `resource:action` that a role has. The library's own acts have names too, so that one
 * set says all that a role may do.
 *
 * @module
 */

/** The permissions for the library's own acts. A host cannot add actions to these resources. */
export const OWN_PERMISSIONS = [
  'members:invite',
  'members:manage',
  'organization:update',
  'billing:manage',
  'audit:read',
] as const

/** A permission for one of the library's own acts. */
export type OwnPermission = (typeof OWN_PERMISSIONS)[number]

/** The resources of a host, each with its actions. */
export type PermissionOptions = Readonly<Record<string, readonly string[]>>

/** The names of all permissions: the library's own and, for each resource of the host, its actions. */
export type PermissionOf<Resources extends PermissionOptions> =
  | OwnPermission
  | {
      [Resource in keyof Resources & string]: `${Resource}:${Resources[Resource][number]}`
    }[keyof Resources & string]

/** A permission, all of a resource (`project:*`), or all there are (`*`). */
export type Grant<Resources extends PermissionOptions> =
  | PermissionOf<Resources>
  | `${OwnPermission extends `${infer Resource}:${string}` ? Resource : never}:*`
  | `${keyof Resources & string}:*`
  | '*'
