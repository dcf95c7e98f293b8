import { and, eq, lte, sql, type SQL } from 'drizzle-orm'
import { inBackground } from '../../base/async.ts'
import type { Runtime } from '../../base/runtime.ts'
import { batch } from '../../database/batch.ts'
import type { Database, DatabaseContext, Statement } from '../../database/database.ts'
import { apiKeys, type ApiKeyRow } from '../../database/schema/key-tables.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import type { OrganizationScope, PrincipalQuery } from '../../engine/access/principal.ts'
import {
  permissionsOf,
  roleOfPermissions,
  type AccessContext,
  type Roles,
} from '../../engine/access/roles.ts'
import { hashOfKey } from './key-text.ts'

/** A key of an organization for machines. Timestamps are ISO 8601 UTC. */
export interface ApiKey {
  readonly id: string
  readonly organizationId: string
  readonly name: string
  /** The prefix and the first characters of the key, by which people recognize it. */
  readonly start: string
  /** The role; null if it has permissions. */
  readonly role: string | null
  /** The permissions; null if it has a role. */
  readonly permissions: readonly string[] | null
  /** The user who created it; null: the host. */
  readonly createdById: string | null
  /** Whether it ends if its creator leaves, is suspended, or loses a right that the key has. */
  readonly endsWithCreator: boolean
  /** Until when it is valid; null: until it is rotated or revoked. */
  readonly expiresAt: string | null
  /** The key that has replaced it; null if it was not rotated. */
  readonly replacedById: string | null
  /** When it was last used, up to an hour too early; null: never. */
  readonly lastUsedAt: string | null
  readonly createdAt: string
}

/** A new key with its secret. `key` is null if a repeat returns the stored result. */
export interface ApiKeyWithSecret extends ApiKey {
  readonly key: string | null
}

export function apiKeyView(row: ApiKeyRow): ApiKey {
  return {
    id: row.id,
    organizationId: row.organizationId,
    name: row.name,
    start: row.start,
    role: row.role,
    permissions: storedPermissions(row),
    createdById: row.createdById,
    endsWithCreator: row.endsWithCreator,
    expiresAt: row.expiresAt?.toISOString() ?? null,
    replacedById: row.replacedById,
    lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
    createdAt: row.createdAt.toISOString(),
  }
}

function storedPermissions({ permissions }: Pick<ApiKeyRow, 'permissions'>) {
  return permissions === null ? null : (JSON.parse(permissions) as readonly string[])
}

/** Returns the role that a key has now. A role that has become the owner's gives no right. */
export function roleOfKey({ owner }: Roles, row: Pick<ApiKeyRow, 'role' | 'permissions'>): string {
  const permissions = storedPermissions(row) ?? []
  return row.role === null || row.role === owner ? roleOfPermissions(permissions) : row.role
}

/** Whether an actor with these permissions has all of a role. */
export function mayGive(roles: Roles, own: readonly string[], role: string): boolean {
  return permissionsOf(roles, role).every((each) => own.includes(each))
}

/** Whether a key is valid: not in the second in which it expires, or later. */
export function isValid({ expiresAt }: Pick<ApiKeyRow, 'expiresAt'>, now: Date): boolean {
  return expiresAt === null || expiresAt > now
}

/** Builds the condition on rows that they are valid. */
export function areValid(now: Date): SQL {
  return sql`(expires_at is null or expires_at > ${now.getTime()})`
}

/** Selects the keys of the scope's organization, the oldest first. */
export function keysOf(db: Database, { organization }: OrganizationScope, condition?: SQL) {
  return db
    .select()
    .from(apiKeys)
    .where(and(eq(apiKeys.organizationId, organizationIdOf(organization)), condition))
    .orderBy(apiKeys.createdAt, apiKeys.id)
}

/** Builds the deletion of the keys of an organization that are no longer valid. */
export function endedKeys({ db }: DatabaseContext, organizationId: string, now: Date): Statement {
  return db
    .delete(apiKeys)
    .where(and(eq(apiKeys.organizationId, organizationId), lte(apiKeys.expiresAt, now)))
}

/** The context in which a key is looked up, and its use noted. */
export type KeyLookup = AccessContext & Pick<Runtime, 'now' | 'waitUntil' | 'report'>

/**
 * Returns the caller of a key: a service account of its organization. The key is looked up in the round
 * trip of the operation, and again in the batch of a change.
 */
export function callerOfKey(context: KeyLookup, key: string): PrincipalQuery {
  const { db, now, roles } = context
  const { id, organizationId, tokenHash, role, permissions, expiresAt, lastUsedAt } = apiKeys
  const hash = hashOfKey(key)
  // Compares with the time of each use: an operation may outlive the key.
  const valid = () => sql`${tokenHash} = ${hash}
    and (${expiresAt} is null or ${expiresAt} > ${now().getTime()})`
  let noted = false
  return {
    userId: sql<string | null>`null`,
    serviceAccount: {
      id: sql<string | null>`(select ${id} from ${apiKeys} where ${valid()})`,
      organizationId: sql<
        string | null
      >`(select ${organizationId} from ${apiKeys} where ${valid()})`,
    },
    get holds() {
      return sql`exists (select 1 from ${apiKeys} where ${valid()})`
    },
    get statement() {
      return db
        .select({ id, organizationId, role, permissions, lastUsedAt })
        .from(apiKeys)
        .where(valid())
    },
    principal([row]: readonly FoundKey[]) {
      if (!row) return null
      if (!noted) noteUse(context, row)
      noted = true
      return {
        type: 'service_account',
        serviceAccountId: row.id,
        organizationId: row.organizationId,
        role: roleOfKey(roles, row),
      }
    },
  }
}

type FoundKey = Pick<ApiKeyRow, 'id' | 'organizationId' | 'role' | 'permissions' | 'lastUsedAt'>

const HOUR_MS = 60 * 60 * 1000

// Writes at most once an hour. The request does not wait for it.
function noteUse(context: KeyLookup, { id, organizationId, lastUsedAt }: FoundKey): void {
  const { db, now } = context
  const time = now()
  if (lastUsedAt && time.getTime() - lastUsedAt.getTime() < HOUR_MS) return
  const noted = db
    .update(apiKeys)
    .set({ lastUsedAt: time })
    .where(
      and(
        eq(apiKeys.id, id),
        sql`coalesce(${apiKeys.lastUsedAt}, 0) <= ${time.getTime() - HOUR_MS}`
      )
    )
  void inBackground(context, organizationId, [() => batch(db, { noted })])
}
