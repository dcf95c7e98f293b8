import { observed } from '../../engine/access/observed.ts'
import { find, authorizeRole } from '../../engine/access/authorize.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import { ok, refused, type AccessRefusal, type Result } from '../../base/result.ts'
import { placeOf } from './scim-token.ts'
import type { ScimContext } from './scim.ts'
import { isUserWith, usersWhere } from './user-rows.ts'
import { scimUserView, type ScimUser } from './user-view.ts'

/** Why {@link getScimUser} refuses. */
export type GetScimUserRefusal = AccessRefusal | 'not_found'

/**
 * Returns a pushed user by the id of the resource. `active` is whether the person is an active member now,
 * by whichever way.
 *
 * Refusals: `AccessRefusal`, `not_found`.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const user = await getScimUser(seatgate, scope, id)
 * ```
 */
export function getScimUser(
  context: ScimContext,
  scope: OrganizationScope,
  id: string
): Promise<Result<ScimUser, GetScimUserRefusal>> {
  return observed(context, 'scim.user_get', async (context) => {
    const { db, roles } = context
    const found = await find(db, scope, {
      users: usersWhere(context, isUserWith(placeOf(scope), id)),
    })
    const access = authorizeRole(roles, found, [roles.owner])
    if (!access.ok) return access
    const [row] = found.rows.users
    return row ? ok(scimUserView(row, row.status === 'active')) : refused({ code: 'not_found' })
  })
}
