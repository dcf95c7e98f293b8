import { and, eq, sql } from 'drizzle-orm'
import {
  ok,
  refused,
  type AccessRefusal,
  type Result,
  type StoreRefusal,
} from '../../base/result.ts'
import { guard } from '../../database/commit.ts'
import { rowsWhere } from '../../database/kept-query.ts'
import { inviteLinks } from '../../database/schema/joining-tables.ts'
import { guardAccess } from '../../engine/access/access-guards.ts'
import { authorizeFor } from '../../engine/access/authorize.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import { userIdOf, type OrganizationScope } from '../../engine/access/principal.ts'
import { linkEvent } from '../../engine/audit/part-actions.ts'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import { linkRules } from './invite-link.ts'
import type { JoiningContext } from './join-rules.ts'

/** Why {@link revokeInviteLink} refuses. */
export type RevokeInviteLinkRefusal = AccessRefusal | StoreRefusal | 'not_found' | 'not_pending'

/**
 * Revokes a link. The caller may invite. Users who joined by the link stay, and so do users on the
 * waitlist.
 *
 * Refusals: `AccessRefusal`, `StoreRefusal`, `not_found`, `not_pending` (revoked already).
 *
 * @throws {TypeError} if `joinRules` has no `links`.
 *
 * @example
 * ```ts
 * await revokeInviteLink(seatgate, scope, link.id)
 * ```
 */
export async function revokeInviteLink(
  context: JoiningContext,
  scope: OrganizationScope,
  id: string,
  options: OperationOptions = {}
): Promise<Result<null, RevokeInviteLinkRefusal>> {
  const { db, roles } = context
  linkRules(context)
  return perform(
    context,
    scope,
    {
      name: 'organization.invite_link.revoke',
      input: id,
      grows: false,
      refusals: [],
      queries: {
        target: rowsWhere(
          db,
          inviteLinks,
          and(
            eq(inviteLinks.id, id),
            eq(inviteLinks.organizationId, organizationIdOf(scope.organization))
          )
        ),
      },
      plan(found, caller, now) {
        const access = authorizeFor(roles, found, 'members:invite')
        if (!access.ok) return access
        const [target] = found.rows.target
        if (target === undefined) return refused({ code: 'not_found' })
        if (target.revokedAt !== null) return refused({ code: 'not_pending' })
        return ok({
          value: null,
          statements: [
            guardAccess(context, access.value),
            guard(
              db,
              'stale',
              sql`exists (select 1 from seatgate_invite_links where id = ${id} and revoked_at is null)`
            ),
            db
              .update(inviteLinks)
              .set({ revokedAt: now, revokedById: userIdOf(caller), updatedAt: now })
              .where(eq(inviteLinks.id, id)),
          ],
          events: [linkEvent(target, 'organization.invite_link.revoked')],
        })
      },
    },
    options
  )
}
