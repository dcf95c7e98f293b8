import { ok, type AccessRefusal, type Result } from '../../base/result.ts'
import { authorizeFor, find } from '../../engine/access/authorize.ts'
import { observed } from '../../engine/access/observed.ts'
import { readable } from '../../engine/access/readable.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import { apiKeyView, keysOf, type ApiKey } from './api-key.ts'
import type { KeysContext } from './keys.ts'

/** The keys of an organization, without their secrets. */
export interface ApiKeys {
  readonly data: readonly ApiKey[]
}

/**
 * Lists the keys of an organization, oldest first. The caller needs `organization:update`. An expired key
 * is listed until another one is created or rotated.
 *
 * Refusals: `AccessRefusal`.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const keys = await listApiKeys(seatgate, scope)
 * ```
 */
export function listApiKeys(
  context: Pick<KeysContext, 'db' | 'roles'>,
  scope: OrganizationScope
): Promise<Result<ApiKeys, AccessRefusal>> {
  return observed(context, 'organization.api_key.list', async ({ db, roles }) => {
    const { caller, organization } = scope
    const found = await find(db, scope, {
      keys: keysOf(
        db,
        scope,
        readable(caller, organization, { roles, permission: 'organization:update' })
      ),
    })
    const access = authorizeFor(roles, found, 'organization:update')
    return access.ok ? ok({ data: found.rows.keys.map(apiKeyView) }) : access
  })
}
