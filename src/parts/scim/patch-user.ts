import type { OrganizationScope } from '../../engine/access/principal.ts'
import { lowerCase } from '../../base/input.ts'
import type { Result } from '../../base/result.ts'
import type { ScimUserRow } from '../../database/schema/scim-tables.ts'
import type { Change } from './apply-change.ts'
import type { Complex } from './attribute-values.ts'
import { changeScimUser, type ScimChangeOptions, type ScimChangeRefusal } from './change-user.ts'
import { applyPatch, readPatch } from './patch.ts'
import { userOf } from './read-user.ts'
import type { ScimContext } from './scim.ts'
import { attributesOf, type ScimUser } from './user-view.ts'

/** Why {@link patchScimUser} refuses. */
export type PatchScimUserRefusal = ScimChangeRefusal

/**
 * Changes attributes of a pushed user, as PATCH does: `add`, `replace` and `remove`, in any case, with and
 * without a path. All of the operations are made, or no operation. `active` decides on the membership, as
 * in {@link replaceScimUser}. A patch that leaves all as it is changes no row and writes no event.
 *
 * Refusals: `AccessRefusal`, `InputRefusal`, `JoinRefusal`, `HookRefusal`, `CommitRefusal`, `not_found`,
 * `scim_invalid`, `not_unique`, `version_mismatch`, `last_owner`, `role_not_configured`.
 *
 * @example
 * ```ts
 * await patchScimUser(seatgate, scope, id, {
 *   schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
 *   Operations: [{ op: 'replace', path: 'active', value: false }],
 * })
 * ```
 */
export async function patchScimUser(
  context: ScimContext,
  scope: OrganizationScope,
  id: string,
  input: object,
  options: ScimChangeOptions = {}
): Promise<Result<ScimUser, PatchScimUserRefusal>> {
  const read = readPatch(input)
  const changes = read.ok ? read.value : []
  const userName = newText(changes, 'userName')
  const keys = {
    userNameKey: userName === null ? null : lowerCase(userName),
    externalId: newText(changes, 'externalId'),
  }
  const next = (row: ScimUserRow) => {
    if (!read.ok) return read
    const patched = applyPatch(resourceOf(row), changes)
    return patched.ok ? userOf(patched.value) : patched
  }
  return changeScimUser(context, scope, id, { name: 'patch', keys, next }, options)
}

function newText(changes: readonly Change[], name: string): string | null {
  const last = changes.findLast(({ attributes }) => attributes[0]?.name === name)
  return typeof last?.value === 'string' ? last.value : null
}

// Without `active`: only an operation that names it puts the person in or out.
function resourceOf(row: ScimUserRow): Complex {
  const { userName, externalId } = row
  return { ...attributesOf(row), userName, ...(externalId !== null && { externalId }) }
}
