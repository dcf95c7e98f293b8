import { eq } from 'drizzle-orm'
import { scimTokens } from '../../database/schema/scim-tables.ts'
import { guardAccess } from '../../engine/access/access-guards.ts'
import { authorizeFor } from '../../engine/access/authorize.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import { scimEvent } from '../../engine/audit/part-actions.ts'
import { perform } from '../../engine/changes/operation.ts'
import type { Plan } from '../../engine/model/plan.ts'
import {
  ok,
  refused,
  type AccessRefusal,
  type CommitRefusal,
  type Result,
} from '../../base/result.ts'
import { guardTokens, tokensOf } from './scim-token.ts'
import type { ScimContext } from './scim.ts'

/** Why {@link revokeScimToken} refuses. */
export type RevokeScimTokenRefusal = AccessRefusal | CommitRefusal | 'not_found'

/**
 * Revokes a token, for those with `organization:update`: the next request with it is refused. Pushed users
 * stay members.
 *
 * Refusals: `AccessRefusal`, `CommitRefusal`, `not_found`.
 *
 * @example
 * ```ts
 * await revokeScimToken(seatgate, scope, token.id)
 * ```
 */
export async function revokeScimToken(
  context: ScimContext,
  scope: OrganizationScope,
  id: string
): Promise<Result<null, RevokeScimTokenRefusal>> {
  const { db, roles } = context
  return perform(context, scope, {
    name: 'organization.scim_token.revoke',
    input: id,
    grows: false,
    refusals: [],
    queries: { tokens: tokensOf(db, scope) },
    plan(found): Result<Plan<null>, RevokeScimTokenRefusal> {
      const access = authorizeFor(roles, found, 'organization:update')
      if (!access.ok) return access
      const { tokens } = found.rows
      const token = tokens.find((each) => each.id === id)
      if (!token) return refused({ code: 'not_found' })
      return ok({
        value: null,
        statements: [
          guardAccess(context, access.value),
          guardTokens(context, token.organizationId, tokens),
          db.delete(scimTokens).where(eq(scimTokens.id, id)),
        ],
        events: [scimEvent(token, 'organization.scim_token.revoked', { token_id: id })],
      })
    },
  })
}
