import * as v from 'valibot'
import { scimTokens } from '../../database/schema/scim-tables.ts'
import { guardAccess } from '../../engine/access/access-guards.ts'
import { authorizeRole } from '../../engine/access/authorize.ts'
import { isImpersonated, userIdOf, type OrganizationScope } from '../../engine/access/principal.ts'
import { scimEvent } from '../../engine/audit/part-actions.ts'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import type { Plan } from '../../engine/model/plan.ts'
import { parseInput, visibleText } from '../../base/input.ts'
import { Instant } from '../../base/instant.ts'
import {
  invalid,
  ok,
  refused,
  type AccessRefusal,
  type InputRefusal,
  type Result,
  type StoreRefusal,
} from '../../base/result.ts'
import { endedTokens } from './ended-tokens.ts'
import {
  guardTokens,
  isValid,
  MOST_TOKENS,
  newToken,
  scimTokenView,
  tokensOf,
  WITHOUT_SECRET,
  type ScimTokenWithSecret,
} from './scim-token.ts'
import type { ScimContext } from './scim.ts'

const Input = v.object(
  { name: v.nullish(visibleText(100)), expiresAt: v.nullish(Instant) },
  'Must be an object.'
)

/** The input of {@link createScimToken}. */
export interface CreateScimTokenInput {
  /** Its name for people, such as the name of the identity provider. */
  readonly name?: string | null | undefined
  /** Until when it is valid. Default: until it is rotated or revoked. */
  readonly expiresAt?: Date | string | null | undefined
}

/** Why {@link createScimToken} refuses. */
export type CreateScimTokenRefusal = AccessRefusal | InputRefusal | StoreRefusal | 'too_many'

/**
 * Creates a token `{ name?, expiresAt? }` for the identity provider of an organization, for an owner alone,
 * because the token has an owner's rights. The secret is returned this one time; only its hash is stored.
 * At most two are valid at once.
 *
 * Refusals: `AccessRefusal`, `InputRefusal`, `StoreRefusal`, `too_many` (two are valid).
 *
 * @example
 * ```ts
 * const created = await createScimToken(seatgate, scope, { name: 'Okta' })
 * if (created.ok) console.log(created.value.token)
 * ```
 */
export async function createScimToken(
  context: ScimContext,
  scope: OrganizationScope,
  input: CreateScimTokenInput = {},
  options: OperationOptions = {}
): Promise<Result<ScimTokenWithSecret, CreateScimTokenRefusal>> {
  const { db, roles, newId } = context
  const parsed = parseInput(Input, input)
  const secretOf = await newToken(context)
  return perform(
    context,
    scope,
    {
      name: 'organization.scim_token.create',
      input,
      grows: false,
      refusals: [],
      sealing: WITHOUT_SECRET,
      queries: { tokens: tokensOf(db, scope) },
      plan(found, caller, now): Result<Plan<ScimTokenWithSecret>, CreateScimTokenRefusal> {
        const access = authorizeRole(roles, found, [roles.owner])
        if (!access.ok) return access
        if (isImpersonated(caller)) return refused({ code: 'insufficient_role' })
        if (!parsed.ok) return parsed
        const { name = null, expiresAt = null } = parsed.value
        if (expiresAt && expiresAt <= now) {
          return refused(invalid({ expiresAt: ['Must be in the future.'] }))
        }
        const { tokens } = found.rows
        if (tokens.filter((each) => isValid(each, now)).length >= MOST_TOKENS) {
          return refused({ code: 'too_many' })
        }
        const organizationId = access.value.organization.id
        const { token, hash } = secretOf(organizationId)
        const row = {
          id: newId(),
          organizationId,
          tokenHash: hash,
          name,
          createdById: userIdOf(caller),
          expiresAt,
          lastUsedAt: null,
          createdAt: now,
        }
        return ok({
          value: { ...scimTokenView(row), token },
          statements: [
            guardAccess(context, access.value),
            guardTokens(context, organizationId, tokens),
            ...endedTokens(context, organizationId, now),
            db.insert(scimTokens).values(row),
          ],
          events: [
            scimEvent(row, 'organization.scim_token.created', {
              token_id: row.id,
              expires_at: expiresAt?.toISOString() ?? null,
            }),
          ],
        })
      },
    },
    options
  )
}
