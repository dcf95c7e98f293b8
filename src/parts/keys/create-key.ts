import { sql } from 'drizzle-orm'
import * as v from 'valibot'
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
import { guard } from '../../database/commit.ts'
import { apiKeys } from '../../database/schema/key-tables.ts'
import { guardAccess } from '../../engine/access/access-guards.ts'
import { authorizeFor } from '../../engine/access/authorize.ts'
import { userIdOf, type OrganizationScope } from '../../engine/access/principal.ts'
import { roleInput, type Roles } from '../../engine/access/roles.ts'
import { keyEvent } from '../../engine/audit/key-actions.ts'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import type { Plan } from '../../engine/model/plan.ts'
import {
  apiKeyView,
  areValid,
  endedKeys,
  isValid,
  keysOf,
  mayGive,
  roleOfKey,
  type ApiKeyWithSecret,
} from './api-key.ts'
import { hashOfKey, newKey, startOf } from './key-text.ts'
import type { KeysContext } from './keys.ts'

/** The input of {@link createApiKey}. */
export interface CreateApiKeyInput<
  Role extends string = string,
  Permission extends string = string,
> {
  /** Its name for people, up to 100 characters. */
  readonly name: string
  /** Its permissions, at least one, if `roles.permissions` is configured. */
  readonly permissions?: readonly Permission[] | undefined
  /** Its role, not the owner's, if `roles.permissions` is not configured. */
  readonly role?: Role | undefined
  /** Until when it is valid. Default: until it is rotated or revoked. */
  readonly expiresAt?: Date | string | null | undefined
  /**
   * Whether the key ends if its creator leaves, is suspended, or loses a right that the key has. Default:
   * false.
   */
  readonly endsWithCreator?: boolean | undefined
}

/** Why {@link createApiKey} refuses. */
export type CreateApiKeyRefusal = AccessRefusal | InputRefusal | StoreRefusal | 'too_many'

/** A configuration with API keys, and its roles and permissions. */
export type KeysContextOf<Role extends string, Permission extends string> = KeysContext & {
  readonly roles: Roles<Role, Permission>
}

/**
 * Creates an API key `{ name, permissions | role, expiresAt?, endsWithCreator? }` of an organization. The
 * caller is a person with `organization:update` or the host itself; a key cannot create keys. A caller
 * gives no permission that they do not have. The key is returned once and stored as a hash.
 *
 * Refusals: `AccessRefusal`, `InputRefusal`, `StoreRefusal`, `too_many` (`mostKeys` keys are valid).
 *
 * @example
 * ```ts
 * const created = await createApiKey(seatgate, scope, { name: 'CI', permissions: ['project:read'] })
 * if (created.ok) console.log(created.value.key)
 * ```
 */
export async function createApiKey<Role extends string, Permission extends string>(
  context: KeysContextOf<Role, Permission>,
  scope: OrganizationScope,
  input: CreateApiKeyInput<NoInfer<Role>, NoInfer<Permission>>,
  options: OperationOptions = {}
): Promise<Result<ApiKeyWithSecret, CreateApiKeyRefusal>> {
  const { db, keys, newId, newSecret } = context
  const roles: Roles = context.roles
  const parsed = parseInput(keyInput(roles), input)
  return perform(
    context,
    scope,
    {
      name: 'organization.api_key.create',
      input,
      grows: false,
      refusals: [],
      // A key is returned once, so the stored result does not contain it.
      sealing: {
        seal: (value) => ({ ...value, key: null }),
        open: async (stored) => ok(stored as ApiKeyWithSecret),
      },
      queries: { existing: keysOf(db, scope) },
      plan(found, caller, now): Result<Plan<ApiKeyWithSecret>, CreateApiKeyRefusal> {
        const access = authorizeFor(roles, found, 'organization:update')
        if (!access.ok) return access
        if (caller.type === 'service_account') return refused({ code: 'insufficient_role' })
        if (!parsed.ok) return parsed
        const { name, role, permissions, expiresAt, endsWithCreator } = parsed.value
        const creatorId = userIdOf(caller)
        if (expiresAt && expiresAt <= now) {
          return refused(invalid({ expiresAt: ['Must be in the future.'] }))
        }
        if (endsWithCreator && creatorId === null) {
          return refused(invalid({ endsWithCreator: ['Only a user can create such a key.'] }))
        }
        const rights = { role, permissions: permissions && JSON.stringify(permissions) }
        if (!mayGive(access.value.roles, access.value.permissions, roleOfKey(roles, rights))) {
          return refused({ code: 'insufficient_role' })
        }
        const open = found.rows.existing.filter(
          (each) => each.replacedById === null && isValid(each, now)
        )
        if (open.length >= keys.mostKeys) return refused({ code: 'too_many' })
        const organizationId = access.value.organization.id
        const key = newKey(keys.prefix, newSecret())
        const row = {
          id: newId(),
          organizationId,
          tokenHash: hashOfKey(key),
          start: startOf(key),
          name,
          ...rights,
          createdById: creatorId,
          endsWithCreator,
          expiresAt,
          replacedById: null,
          lastUsedAt: null,
          createdAt: now,
        }
        return ok({
          value: { ...apiKeyView(row), key },
          statements: [
            guardAccess(context, access.value),
            guard(
              db,
              'stale',
              sql`(select count(*) from seatgate_api_keys where organization_id = ${organizationId}
                and replaced_by_id is null and ${areValid(now)}) < ${keys.mostKeys}`
            ),
            endedKeys(context, organizationId, now),
            db.insert(apiKeys).values(row),
          ],
          events: [
            keyEvent(row, 'organization.api_key.created', {
              ...(role === null ? { permissions: permissions?.join(' ') } : { role }),
              expires_at: expiresAt?.toISOString() ?? null,
              ends_with_creator: endsWithCreator,
            }),
          ],
        })
      },
    },
    options
  )
}

function keyInput(roles: Roles) {
  return v.object(
    {
      name: visibleText(100),
      role: roles.bounded ? absent('permissions') : keyRole(roles),
      permissions: roles.bounded ? permissionList(roles) : absent('a role'),
      expiresAt: v.nullish(Instant, null),
      endsWithCreator: v.optional(v.boolean('Must be true or false.'), false),
    },
    'Must be an object.'
  )
}

function absent(instead: string) {
  return v.nullish(v.never(`Must be absent: here a key has ${instead}.`), null)
}

function keyRole(roles: Roles) {
  return v.pipe(
    roleInput(roles),
    v.check((role) => role !== roles.owner, 'Must not be the owner’s role.')
  )
}

function permissionList({ permissions }: Roles) {
  const message = 'Must be a list of permissions.'
  return v.pipe(
    v.array(v.picklist(permissions, 'Must be a permission.'), message),
    v.minLength(1, 'Must not be empty.'),
    v.maxLength(permissions.length, 'Must not list a permission twice.'),
    v.transform((given) => permissions.filter((each) => given.includes(each)))
  )
}
