import { ok, type Result } from '../../base/result.ts'
import { batch } from '../../database/batch.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import { placeOf } from './scim-token.ts'
import type { ScimContext } from './scim.ts'
import { isUserWith, usersWhere } from './user-rows.ts'
import { scimUserView, type ScimUser } from './user-view.ts'

/**
 * Serves the waitlist if pushed users wait there, and returns the user as they are then.
 *
 * @throws {StoreUnavailable} if D1 does not answer: the user is then on the waitlist.
 */
export async function settled(
  context: ScimContext,
  scope: OrganizationScope,
  user: ScimUser
): Promise<Result<ScimUser, never>> {
  const { scim, joining } = context
  if (scim.whenFull === 'refuse' || !joining || user.active) return ok(user)
  const place = placeOf(scope)
  await joining.admitWaiting(context, scope.organization)
  const { users } = await batch(context.db, {
    users: usersWhere(context, isUserWith(place, user.id)),
  })
  const [row] = users
  return ok(row ? scimUserView(row, row.status === 'active') : user)
}
