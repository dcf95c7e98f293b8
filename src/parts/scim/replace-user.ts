import type { OrganizationScope } from '../../engine/access/principal.ts'
import { ok, type Result } from '../../base/result.ts'
import { changeScimUser, type ScimChangeOptions, type ScimChangeRefusal } from './change-user.ts'
import { readUser } from './read-user.ts'
import type { ScimContext } from './scim.ts'
import type { ScimUser } from './user-view.ts'

/** Why {@link replaceScimUser} refuses. */
export type ReplaceScimUserRefusal = ScimChangeRefusal

/**
 * Replaces a pushed user, as PUT does. An attribute that is left out is removed, except `active` and
 * `externalId`, which stay. `active` decides on the membership: `false` suspends or removes the member,
 * `true` admits the person through the gate. The same user again changes no row and writes no event.
 *
 * Refusals: `AccessRefusal`, `InputRefusal`, `JoinRefusal`, `HookRefusal`, `CommitRefusal`, `not_found`,
 * `scim_invalid`, `not_unique`, `version_mismatch`, `last_owner`, `role_not_configured`.
 *
 * @example
 * ```ts
 * await replaceScimUser(seatgate, scope, id, { schemas: [USER], userName: 'ann', active: false })
 * ```
 */
export async function replaceScimUser(
  context: ScimContext,
  scope: OrganizationScope,
  id: string,
  input: object,
  options: ScimChangeOptions = {}
): Promise<Result<ScimUser, ReplaceScimUserRefusal>> {
  const read = readUser(input)
  const keys = {
    userNameKey: read.ok ? read.value.userNameKey : null,
    externalId: (read.ok ? read.value.externalId : undefined) ?? null,
  }
  const next = (row: { readonly externalId: string | null }) => {
    if (!read.ok) return read
    const externalId = read.value.externalId ?? row.externalId ?? undefined
    return ok({ ...read.value, externalId })
  }
  return changeScimUser(context, scope, id, { name: 'replace', keys, next }, options)
}
