import { bytesToHex } from '@noble/hashes/utils.js'
import { and, eq, sql, type SQL } from 'drizzle-orm'
import { sha256 } from '../../proof/encoding.ts'
import { inBackground } from '../../base/async.ts'
import type { Runtime } from '../../base/runtime.ts'
import { ok } from '../../base/result.ts'
import { batch } from '../../database/batch.ts'
import type { Database, DatabaseContext } from '../../database/database.ts'
import { guard } from '../../database/commit.ts'
import { scimTokens, type ScimTokenRow } from '../../database/schema/scim-tables.ts'
import { isIdentifier, organizationIdOf } from '../../engine/access/organization-ref.ts'
import {
  isQuery,
  type OrganizationScope,
  type PrincipalQuery,
} from '../../engine/access/principal.ts'
import type { AccessContext } from '../../engine/access/roles.ts'

/** A token of an organization for its identity provider. Timestamps are ISO 8601 UTC. */
export interface ScimToken {
  readonly id: string
  readonly organizationId: string
  readonly name: string | null
  /** The member who created it; null: the host. */
  readonly createdById: string | null
  /** Until when it is valid; null: until it is rotated or revoked. */
  readonly expiresAt: string | null
  /** When it was last used, up to an hour too early; null: never. */
  readonly lastUsedAt: string | null
  readonly createdAt: string
}

/** A new token with its secret. `token` is null if a repeat returns the stored result. */
export interface ScimTokenWithSecret extends ScimToken {
  readonly token: string | null
}

/** A token is returned once, so the stored result does not contain it. */
export const WITHOUT_SECRET = {
  seal: (value: ScimTokenWithSecret) => ({ ...value, token: null }),
  open: async (stored: unknown) => ok(stored as ScimTokenWithSecret),
}

/** How many tokens of an organization are valid at once: the current one, and one that replaces it. */
export const MOST_TOKENS = 2

export function scimTokenView(row: ScimTokenRow): ScimToken {
  return {
    id: row.id,
    organizationId: row.organizationId,
    name: row.name,
    createdById: row.createdById,
    expiresAt: row.expiresAt?.toISOString() ?? null,
    lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
    createdAt: row.createdAt.toISOString(),
  }
}

/** Whether a token is valid. */
export function isValid({ expiresAt }: Pick<ScimTokenRow, 'expiresAt'>, now: Date): boolean {
  return expiresAt === null || expiresAt > now
}

/** Selects the tokens of the scope's organization, the oldest first. */
export function tokensOf(db: Database, { organization }: OrganizationScope, condition?: SQL) {
  return db
    .select()
    .from(scimTokens)
    .where(and(eq(scimTokens.organizationId, organizationIdOf(organization)), condition))
    .orderBy(scimTokens.createdAt, scimTokens.id)
}

/** Guards that an organization has exactly these tokens, as valid as they were read. */
export function guardTokens(
  { db }: DatabaseContext,
  organizationId: string,
  rows: readonly ScimTokenRow[]
) {
  const known = rows.map(({ id, expiresAt }) => `${id} ${expiresAt?.getTime() ?? ''}`)
  const own = sql`select count(*) from seatgate_scim_tokens where organization_id = ${organizationId}`
  return guard(
    db,
    'stale',
    sql`(${own}) = ${known.length} and (${own} and id || ' ' || coalesce(expires_at, '')
      in (select value from json_each(${JSON.stringify(known)}))) = ${known.length}`
  )
}

/** Returns a new secret of an organization. It names the organization, so that one round trip finds it. */
export async function newToken({
  newSecret,
}: Pick<Runtime, 'newSecret'>): Promise<
  (organizationId: string) => { readonly token: string; readonly hash: string }
> {
  const secret = bytesToHex(newSecret())
  const hash = await sha256(secret)
  return (organizationId) => ({ token: `scim_${organizationId}_${secret}`, hash })
}

const TOKEN = /^scim_([0-9a-f-]{36})_([0-9a-f]{64})$/

/** The caller whom a token stands for, as a query. */
export interface ScimCaller extends PrincipalQuery {
  /** The organization of the token as a scalar subquery; null if the token is not valid. */
  readonly ownOrganizationId: SQL<string | null>
  /** Returns the token's row, once the query has run. */
  used(): Pick<ScimTokenRow, 'id' | 'lastUsedAt'> | null
}

/**
 * Returns the scope of a bearer token: its organization, and a caller that is checked in the round trip of
 * the operation and has the rights of an owner. Returns null for text that is no token.
 *
 * @example
 * ```ts
 * const scope = await scopeOfToken(seatgate, token)
 * if (scope !== null) await listScimUsers(seatgate, scope, { count: 10 })
 * ```
 */
export async function scopeOfToken(
  { db, now, roles }: AccessContext & Pick<Runtime, 'now'>,
  token: string
): Promise<(OrganizationScope & { readonly caller: ScimCaller }) | null> {
  const [, organizationId = '', secret = ''] = TOKEN.exec(token) ?? []
  if (!isIdentifier(organizationId)) return null
  const { id, tokenHash, lastUsedAt } = scimTokens
  const hash = await sha256(secret)
  // At the time of each use: an operation that takes long may outlive the token.
  const valid = () => sql`${tokenHash} = ${hash}
    and ${scimTokens.organizationId} = ${organizationId}
    and (${scimTokens.expiresAt} is null or ${scimTokens.expiresAt} > ${now().getTime()})
    and exists (select 1 from seatgate_organizations
      where id = ${organizationId} and deleted_at is null)`
  let used: Pick<ScimTokenRow, 'id' | 'lastUsedAt'> | null = null
  return {
    organization: organizationId,
    caller: {
      userId: sql<string | null>`null`,
      get holds() {
        return sql`exists (select 1 from ${scimTokens} where ${valid()})`
      },
      ownOrganizationId: sql<string | null>`(select ${scimTokens.organizationId}
        from ${scimTokens} where ${valid()})`,
      used: () => used,
      get statement() {
        return db.select({ id, lastUsedAt }).from(scimTokens).where(valid())
      },
      principal([row]: readonly Pick<ScimTokenRow, 'id' | 'lastUsedAt'>[]) {
        if (!row) return null
        used = row
        return {
          type: 'service_account',
          serviceAccountId: row.id,
          organizationId,
          role: roles.owner,
        }
      },
    },
  }
}

const HOUR_MS = 60 * 60 * 1000

/** Records in the background that a token was used, at most one time an hour. */
export async function noteUse(
  context: DatabaseContext & Pick<Runtime, 'now' | 'waitUntil' | 'report'>,
  { caller, organization }: { readonly caller: ScimCaller; readonly organization: string }
): Promise<void> {
  const { db, now } = context
  const row = caller.used()
  const time = now()
  if (!row || (row.lastUsedAt && time.getTime() - row.lastUsedAt.getTime() < HOUR_MS)) return
  const noted = db
    .update(scimTokens)
    .set({ lastUsedAt: time })
    .where(
      and(
        eq(scimTokens.id, row.id),
        sql`coalesce(${scimTokens.lastUsedAt}, 0) <= ${time.getTime() - HOUR_MS}`
      )
    )
  await inBackground(context, organization, [() => batch(db, { noted })])
}

/**
 * Builds a scalar subquery of the organization whose users a caller reads: null for a token that is not
 * valid, which then reads no row.
 */
export function placeOf({ caller, organization }: OrganizationScope): SQL<string | null> {
  return isQuery(caller) && 'ownOrganizationId' in caller
    ? (caller as ScimCaller).ownOrganizationId
    : organizationIdOf(organization)
}
