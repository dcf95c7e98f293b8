import { and, eq, sql } from 'drizzle-orm'
import * as v from 'valibot'
import { jsonNumber, parseInput } from '../../base/input.ts'
import { Instant } from '../../base/instant.ts'
import { invalid, ok, refused, type Result } from '../../base/result.ts'
import { guard } from '../../database/commit.ts'
import { apiKeys, type ApiKeyRow } from '../../database/schema/key-tables.ts'
import { guardAccess } from '../../engine/access/access-guards.ts'
import { authorizeFor } from '../../engine/access/authorize.ts'
import { userIdOf, type OrganizationScope } from '../../engine/access/principal.ts'
import { isConfigured, permissionsOf } from '../../engine/access/roles.ts'
import { keyEvent } from '../../engine/audit/key-actions.ts'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import type { Plan } from '../../engine/model/plan.ts'
import {
  apiKeyView,
  endedKeys,
  isValid,
  keysOf,
  mayGive,
  roleOfKey,
  type ApiKeyWithSecret,
} from './api-key.ts'
import type { CreateApiKeyRefusal } from './create-key.ts'
import { hashOfKey, newKey, startOf } from './key-text.ts'
import type { KeysContext } from './keys.ts'

const HOUR_MS = 60 * 60 * 1000

const Input = v.object(
  {
    overlapHours: v.optional(jsonNumber({ min: 0, max: 168 }), 24),
    expiresAt: v.optional(Instant),
  },
  'Must be an object.'
)

/** The input of {@link rotateApiKey}. */
export interface RotateApiKeyInput {
  /** For how many hours the old key stays valid, 0 to 168. Default 24. */
  readonly overlapHours?: number | undefined
  /** Until when the new key is valid. Default: as long from now as the old key was from its creation. */
  readonly expiresAt?: Date | string | undefined
}

/** Why {@link rotateApiKey} refuses. */
export type RotateApiKeyRefusal =
  | Exclude<CreateApiKeyRefusal, 'too_many'>
  | 'not_found'
  | 'not_pending'
  | 'role_not_configured'

/**
 * Replaces a key `{ overlapHours?, expiresAt? }`: creates a key with the same name and rights, and ends the
 * old one after the overlap. The caller is a person with `organization:update` and all rights of the key,
 * or the host itself, and becomes the creator of the new key. At most two keys are valid at once: rotating
 * again ends the older one. The new key is returned once.
 *
 * Refusals: `AccessRefusal`, `InputRefusal`, `StoreRefusal`, `not_found` (also if the key is no longer
 * valid), `not_pending` (the key has been replaced), `role_not_configured`.
 *
 * @example
 * ```ts
 * const rotated = await rotateApiKey(seatgate, scope, key.id, { overlapHours: 1 })
 * ```
 */
export async function rotateApiKey(
  context: KeysContext,
  scope: OrganizationScope,
  id: string,
  input: RotateApiKeyInput = {},
  options: OperationOptions = {}
): Promise<Result<ApiKeyWithSecret, RotateApiKeyRefusal>> {
  const { db, roles, keys, newId, newSecret } = context
  const parsed = parseInput(Input, input)
  return perform(
    context,
    scope,
    {
      name: 'organization.api_key.rotate',
      input: [id, input],
      grows: false,
      refusals: [],
      sealing: {
        seal: (value) => ({ ...value, key: null }),
        open: async (stored) => ok(stored as ApiKeyWithSecret),
      },
      queries: { target: keysOf(db, scope, eq(apiKeys.id, id)) },
      plan(found, caller, now): Result<Plan<ApiKeyWithSecret>, RotateApiKeyRefusal> {
        const access = authorizeFor(roles, found, 'organization:update')
        if (!access.ok) return access
        if (caller.type === 'service_account') return refused({ code: 'insufficient_role' })
        if (!parsed.ok) return parsed
        const [old] = found.rows.target
        if (!old || !isValid(old, now)) return refused({ code: 'not_found' })
        if (old.replacedById !== null) return refused({ code: 'not_pending' })
        if (old.role !== null && !isConfigured(access.value.roles, old.role)) {
          return refused({ code: 'role_not_configured' })
        }
        const role = roleOfKey(roles, old)
        if (!mayGive(access.value.roles, access.value.permissions, role)) {
          return refused({ code: 'insufficient_role' })
        }
        const expiresAt = parsed.value.expiresAt ?? sameLifetime(old, now)
        if (expiresAt && expiresAt <= now) {
          return refused(invalid({ expiresAt: ['Must be in the future.'] }))
        }
        const { organizationId } = old
        const key = newKey(keys.prefix, newSecret())
        const row = {
          ...old,
          id: newId(),
          tokenHash: hashOfKey(key),
          start: startOf(key),
          // Permissions that are no longer configured are left out.
          permissions: old.permissions && JSON.stringify(permissionsOf(roles, role)),
          createdById: userIdOf(caller) ?? old.createdById,
          expiresAt,
          lastUsedAt: null,
          createdAt: now,
        }
        const overlapEnd = new Date(now.getTime() + parsed.value.overlapHours * HOUR_MS)
        const ends = old.expiresAt && old.expiresAt < overlapEnd ? old.expiresAt : overlapEnd
        return ok({
          value: { ...apiKeyView(row), key },
          statements: [
            guardAccess(context, access.value),
            guard(
              db,
              'stale',
              sql`exists (select 1 from seatgate_api_keys where id = ${id}
                and replaced_by_id is null and expires_at is ${old.expiresAt?.getTime() ?? null})`
            ),
            db
              .delete(apiKeys)
              .where(and(eq(apiKeys.organizationId, organizationId), eq(apiKeys.replacedById, id))),
            db
              .update(apiKeys)
              .set({ expiresAt: ends, replacedById: row.id })
              .where(eq(apiKeys.id, id)),
            endedKeys(context, organizationId, now),
            db.insert(apiKeys).values(row),
          ],
          events: [
            keyEvent(old, 'organization.api_key.rotated', {
              new_key_id: row.id,
              expires_at: expiresAt?.toISOString() ?? null,
              old_expires_at: ends.toISOString(),
            }),
          ],
        })
      },
    },
    options
  )
}

function sameLifetime({ expiresAt, createdAt }: ApiKeyRow, now: Date): Date | null {
  return expiresAt && new Date(now.getTime() + expiresAt.getTime() - createdAt.getTime())
}
