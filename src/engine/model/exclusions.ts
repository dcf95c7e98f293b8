/**
 * Who was removed or suspended by somebody else: they do not come back by the domain of their address,
 * but ask. Kept by the user's id and by a salted digest of their address, since an account can be
 * deleted and made again.
 *
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import { and, eq, inArray, sql, type SQL } from 'drizzle-orm'
import { guard } from '../../database/commit.ts'
import type { Statement, DatabaseContext } from '../../database/database.ts'
import { exclusions, type ExclusionRow } from '../../database/schema.ts'
import { normalizeEmail } from '../../base/email.ts'
import type { Runtime } from '../../base/runtime.ts'
import { hasUserId, type UserContext } from '../../database/user-table.ts'

/** Somebody, as they are known to an organization: by id, and by address if the host tells it. */
export interface Person {
  readonly userId: SQL<string | null> | string | null
  readonly address: SQL<string | null>
}

/** A row that may be about a person, and the address that they have now. */
export type ExclusionCandidate = ExclusionRow & { readonly presentAddress: string | null }

/** A user of the host's table; without one there is no address. */
export function personOf(
  { users }: Pick<UserContext, 'users'>,
  userId: SQL<string | null> | string | null
): Person {
  return {
    userId,
    address: users
      ? sql<string | null>`(select ${users.email} from ${users} where ${hasUserId(users, userId)})`
      : sql<string | null>`null`,
  }
}

/** Selects the address of a user; nothing if the host has not told its table of users. */
export function addressOf(seatgate: UserContext, userId: SQL<string | null> | string | null) {
  const { address } = personOf(seatgate, userId)
  return seatgate.db
    .select({ email: sql<string>`${address}`.as('person_email') })
    .from(sql`(select 1) where ${address} is not null`)
}

/**
 * Selects what may exclude a person from organizations (a subquery of ids): by their id, or by an
 * address as long as theirs. {@link excluding} decides.
 */
export function exclusionsOf({ db }: DatabaseContext, organizationIds: SQL, person: Person) {
  return db
    .select({
      id: exclusions.id,
      organizationId: exclusions.organizationId,
      userId: exclusions.userId,
      addressLength: exclusions.addressLength,
      salt: exclusions.salt,
      digest: exclusions.digest,
      createdAt: exclusions.createdAt,
      presentAddress: sql<string | null>`${person.address}`.as('present_address'),
    })
    .from(exclusions)
    .where(isCandidate(organizationIds, person))
}

/** Those of the candidates that are about the person. */
export function excluding(
  candidates: readonly ExclusionCandidate[],
  userId: string | null
): readonly ExclusionRow[] {
  return candidates.filter(
    ({ userId: excluded, salt, digest, presentAddress }) =>
      excluded === userId ||
      (presentAddress !== null && salt !== null && digestOf(salt, presentAddress) === digest)
  )
}

/**
 * Builds the statement that excludes a person from organizations, by their id and by their address, as
 * {@link addressOf} has read it.
 */
export function exclude(
  { db, newId, newSecret }: DatabaseContext & Pick<Runtime, 'newId' | 'newSecret'>,
  people: readonly { readonly organizationId: string; readonly userId: string }[],
  [{ email: address } = { email: null }]: readonly { readonly email: string | null }[],
  now: Date
): Statement[] {
  if (people.length === 0) return []
  const salt = address === null ? null : bytesToHex(newSecret())
  const kept = people.map(({ organizationId, userId }) => ({
    id: newId(),
    organizationId,
    userId,
    addressLength: address === null ? null : lengthOf(address),
    salt,
    digest: address === null || salt === null ? null : digestOf(salt, address),
    createdAt: now,
  }))
  const [only, ...others] = kept
  if (only && others.length === 0) return [db.insert(exclusions).values(only)]
  const fields = 'id organizationId userId addressLength salt digest'.split(' ')
  const values = fields.map((name) => sql`value ->> ${sql.raw(`'$.${name}'`)}`)
  return [
    db
      .insert(exclusions)
      .select(
        sql`select ${sql.join(values, sql`, `)}, ${now.getTime()} from json_each(${JSON.stringify(kept)})`
      ),
  ]
}

/** Builds the statement that lets people come by their domain again: somebody has let them in. */
export function readmit({ db }: DatabaseContext, rows: readonly ExclusionRow[]): Statement[] {
  if (rows.length === 0) return []
  const ids = JSON.stringify(rows.map(({ id }) => id))
  return [
    db.delete(exclusions).where(inArray(exclusions.id, sql`(select value from json_each(${ids}))`)),
  ]
}

/** The same by the ids of users alone, where nothing was read. */
export function readmitUsers(
  { db }: DatabaseContext,
  organizationId: string,
  userIds: readonly string[]
): Statement {
  const ids = sql`(select value from json_each(${JSON.stringify(userIds)}))`
  return db
    .delete(exclusions)
    .where(and(eq(exclusions.organizationId, organizationId), inArray(exclusions.userId, ids)))
}

/** Nothing excludes the person that was not read. */
export function guardExclusions(
  { db }: DatabaseContext,
  organizationId: string,
  person: Person,
  candidates: readonly ExclusionCandidate[]
): Statement {
  const known = JSON.stringify(candidates.map(({ id }) => id))
  return guard(
    db,
    'stale',
    sql`not exists (select 1 from seatgate_exclusions where ${isCandidate(sql`${organizationId}`, person)}
      and id not in (select value from json_each(${known})))`
  )
}

// Two lists, so that each has its index.
function isCandidate(organizationIds: SQL, { userId, address }: Person): SQL {
  return sql`(organization_id in (${organizationIds}) and user_id = ${userId}
    or organization_id in (${organizationIds}) and address_length = length(${address}))`
}

function digestOf(salt: string, address: string): string {
  return bytesToHex(
    sha256(utf8ToBytes(`seatgate-exclusion/v1\n${salt}\n${normalizeEmail(address)}`))
  )
}

// In characters, as SQLite counts.
function lengthOf(address: string): number {
  return Array.from(address).length
}
