import { eq, sql } from 'drizzle-orm'
import {
  ok,
  refused,
  type AccessRefusal,
  type Result,
  type StoreRefusal,
} from '../../base/result.ts'
import { guard } from '../../database/commit.ts'
import { apiKeys } from '../../database/schema/key-tables.ts'
import { guardAccess } from '../../engine/access/access-guards.ts'
import { authorizeFor } from '../../engine/access/authorize.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import { keyEvent } from '../../engine/audit/key-actions.ts'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import type { Plan } from '../../engine/model/plan.ts'
import { keysOf } from './api-key.ts'
import type { KeysContext } from './keys.ts'

/** Why {@link revokeApiKey} refuses. */
export type RevokeApiKeyRefusal = AccessRefusal | StoreRefusal | 'not_found'

/**
 * Revokes a key. The caller needs `organization:update`. The next request with the key is refused, and a
 * change in progress is rolled back. A key that replaces it stays valid.
 *
 * Refusals: `AccessRefusal`, `StoreRefusal`, `not_found`.
 *
 * @example
 * ```ts
 * await revokeApiKey(seatgate, scope, key.id)
 * ```
 */
export async function revokeApiKey(
  context: KeysContext,
  scope: OrganizationScope,
  id: string,
  options: OperationOptions = {}
): Promise<Result<null, RevokeApiKeyRefusal>> {
  const { db, roles } = context
  return perform(
    context,
    scope,
    {
      name: 'organization.api_key.revoke',
      input: id,
      grows: false,
      refusals: [],
      queries: { target: keysOf(db, scope, eq(apiKeys.id, id)) },
      plan(found): Result<Plan<null>, RevokeApiKeyRefusal> {
        const access = authorizeFor(roles, found, 'organization:update')
        if (!access.ok) return access
        const [key] = found.rows.target
        if (!key) return refused({ code: 'not_found' })
        return ok({
          value: null,
          statements: [
            guardAccess(context, access.value),
            guard(db, 'stale', sql`exists (select 1 from seatgate_api_keys where id = ${id})`),
            db.delete(apiKeys).where(eq(apiKeys.id, id)),
          ],
          events: [keyEvent(key, 'organization.api_key.revoked')],
        })
      },
    },
    options
  )
}
