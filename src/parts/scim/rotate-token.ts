import { eq } from 'drizzle-orm'
import * as v from 'valibot'
import { scimTokens } from '../../database/schema/scim-tables.ts'
import { guardAccess } from '../../engine/access/access-guards.ts'
import { authorizeRole } from '../../engine/access/authorize.ts'
import { isImpersonated, userIdOf, type OrganizationScope } from '../../engine/access/principal.ts'
import { scimEvent } from '../../engine/audit/part-actions.ts'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import type { Plan } from '../../engine/model/plan.ts'
import { jsonNumber, parseInput } from '../../base/input.ts'
import { ok, refused, type Result } from '../../base/result.ts'
import type { CreateScimTokenRefusal } from './create-token.ts'
import { endedTokens } from './ended-tokens.ts'
import {
  guardTokens,
  isValid,
  newToken,
  scimTokenView,
  tokensOf,
  WITHOUT_SECRET,
  type ScimTokenWithSecret,
} from './scim-token.ts'
import type { ScimContext } from './scim.ts'

const HOUR_MS = 60 * 60 * 1000

const Input = v.object(
  { overlapHours: v.optional(jsonNumber({ min: 0, max: 168 }), 24) },
  'Must be an object.'
)

/** The input of {@link rotateScimToken}. */
export interface RotateScimTokenInput {
  /** For how many hours the old token stays valid, 0 to 168. Default 24. */
  readonly overlapHours?: number | undefined
}

/** Why {@link rotateScimToken} refuses. */
export type RotateScimTokenRefusal = CreateScimTokenRefusal | 'not_found'

/**
 * Replaces a token `{ overlapHours? }`: creates a new one with the same name, and lets the old one end
 * after the overlap, for an owner alone. The new secret is returned this one time.
 *
 * Refusals: `AccessRefusal`, `InputRefusal`, `StoreRefusal`, `not_found` (also of a token that is no
 * longer valid), `too_many` (another one is valid beside it).
 *
 * @example
 * ```ts
 * const rotated = await rotateScimToken(seatgate, scope, token.id, { overlapHours: 1 })
 * ```
 */
export async function rotateScimToken(
  context: ScimContext,
  scope: OrganizationScope,
  id: string,
  input: RotateScimTokenInput = {},
  options: OperationOptions = {}
): Promise<Result<ScimTokenWithSecret, RotateScimTokenRefusal>> {
  const { db, roles, newId } = context
  const parsed = parseInput(Input, input)
  const secretOf = await newToken(context)
  return perform(
    context,
    scope,
    {
      name: 'organization.scim_token.rotate',
      input: [id, input],
      grows: false,
      refusals: [],
      sealing: WITHOUT_SECRET,
      queries: { tokens: tokensOf(db, scope) },
      plan(found, caller, now): Result<Plan<ScimTokenWithSecret>, RotateScimTokenRefusal> {
        const access = authorizeRole(roles, found, [roles.owner])
        if (!access.ok) return access
        if (isImpersonated(caller)) return refused({ code: 'insufficient_role' })
        if (!parsed.ok) return parsed
        const { tokens } = found.rows
        const valid = tokens.filter((each) => isValid(each, now))
        const old = valid.find((each) => each.id === id)
        if (!old) return refused({ code: 'not_found' })
        if (valid.length > 1) return refused({ code: 'too_many' })
        const { organizationId } = old
        const { token, hash } = secretOf(organizationId)
        const row = {
          ...old,
          id: newId(),
          tokenHash: hash,
          createdById: userIdOf(caller),
          expiresAt: null,
          lastUsedAt: null,
          createdAt: now,
        }
        const overlapEnd = new Date(now.getTime() + parsed.value.overlapHours * HOUR_MS)
        const ends = old.expiresAt && old.expiresAt < overlapEnd ? old.expiresAt : overlapEnd
        return ok({
          value: { ...scimTokenView(row), token },
          statements: [
            guardAccess(context, access.value),
            guardTokens(context, organizationId, tokens),
            db.update(scimTokens).set({ expiresAt: ends }).where(eq(scimTokens.id, id)),
            ...endedTokens(context, organizationId, now),
            db.insert(scimTokens).values(row),
          ],
          events: [
            scimEvent(old, 'organization.scim_token.rotated', {
              token_id: id,
              new_token_id: row.id,
              expires_at: ends.toISOString(),
            }),
          ],
        })
      },
    },
    options
  )
}
