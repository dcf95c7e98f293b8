import { observed } from '../../engine/access/observed.ts'
import { readable } from '../../engine/access/readable.ts'
import { find, authorizeFor } from '../../engine/access/authorize.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import { ok, type AccessRefusal, type Result } from '../../base/result.ts'
import { scimTokenView, tokensOf, type ScimToken } from './scim-token.ts'
import type { ScimContext } from './scim.ts'

/** The tokens of an organization, without their secrets. */
export interface ScimTokens {
  readonly data: readonly ScimToken[]
}

/**
 * Lists the tokens of an organization, the oldest first, for those with `organization:update`. The secrets
 * are not stored.
 *
 * Refusals: `AccessRefusal`.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const tokens = await listScimTokens(seatgate, scope)
 * ```
 */
export function listScimTokens(
  context: ScimContext,
  scope: OrganizationScope
): Promise<Result<ScimTokens, AccessRefusal>> {
  return observed(context, 'scim.token_list', async (context) => {
    const { db, roles } = context
    const { caller, organization } = scope
    const found = await find(db, scope, {
      tokens: tokensOf(db, scope, readable(caller, organization)),
    })
    const access = authorizeFor(roles, found, 'organization:update')
    return access.ok ? ok({ data: found.rows.tokens.map(scimTokenView) }) : access
  })
}
