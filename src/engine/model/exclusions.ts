/**
 * Users who were removed or suspended by another user: they cannot return by the domain of their address,
 * but may request to. Stored by the user's id and by a salted digest of their address, because an account
 * can be deleted and created again.
 *
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import { and, eq, inArray, sql, type SQL } from 'drizzle-orm'
import { guard } from '../../database/commit.ts'
import { type DatabaseContext, type Statement, type UserContext } from '../../database/database.ts'
import { exclusions, type ExclusionRow } from '../../database/schema/joining-tables.ts'
import { normalizeEmail } from '../../base/email.ts'
import { personOf, type Person } from './membership.ts'
import type { Runtime } from '../../base/runtime.ts'
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core'

/** A row that may be about the user, with their current address. */
export type ExclusionCandidate = ExclusionRow & { readonly currentAddress: string | null }

/** Selects the address of a user; no query if the host has not configured its users. */
export function addressOf(context: UserContext, userId: SQL<string | null> | string | null) {
  const { address } = personOf(context, userId)
  return context.db
    .select({ email: sql<string>`${address}`.as('person_email') })
    .from(sql`(select 1) where ${address} is not null`)
}

/**
 * Selects the rows that may exclude a user from organizations (a subquery of ids): by their id, or by an
 * address of the same length. {@link excluding} decides.
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
      currentAddress: sql<string | null>`${person.address}`.as('present_address'),
    })
    .from(exclusions)
    .where(isCandidate(organizationIds, person))
}

/** Returns those of the candidates that are about the user. */
export function excluding(
  candidates: readonly ExclusionCandidate[],
  userId: string | null
): readonly ExclusionRow[] {
  return candidates.filter(
    ({ userId: excluded, salt, digest, currentAddress }) =>
      excluded === userId ||
      (currentAddress !== null && salt !== null && digestOf(salt, currentAddress) === digest)
  )
}

/**
 * Builds the statement that excludes a user from organizations, by their id and by their address, as
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

/** Builds the statement that ends exclusions, because the users were let in again. */
export function readmit({ db }: DatabaseContext, rows: readonly ExclusionRow[]): Statement[] {
  if (rows.length === 0) return []
  const { organizationId, userId, id } = exclusions
  const keys = JSON.stringify(rows.map((row) => [row.organizationId, row.userId, row.id]))
  return [
    db.delete(exclusions).where(
      sql`(${organizationId}, ${userId}, ${id}) in
        (select value ->> 0, value ->> 1, value ->> 2 from json_each(${keys}))`
    ),
  ]
}

/** Ends exclusions by the ids of users only, without a read. */
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

/** Guards that no other row excludes the user than those that were read. */
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
    sql`not exists (select 1 from seatgate_exclusions
      where ${isCandidate(sql`${organizationId}`, person)}
      and id not in (select value from json_each(${known})))`
  )
}

// Two queries, so that each uses its own index: with two conditions SQLite reads every exclusion of the
// organization.
function isCandidate(organizationIds: SQL, { userId, address }: Person): SQL {
  return sql`(organization_id, user_id, id) in (
    select organization_id, user_id, id from (
      select organization_id, user_id, id from seatgate_exclusions
        where organization_id in (${organizationIds}) and user_id = ${userId}
      union all select organization_id, user_id, id from seatgate_exclusions
        where organization_id in (${organizationIds}) and address_length = length(${address})))`
}

function digestOf(salt: string, address: string): string {
  return bytesToHex(
    sha256(utf8ToBytes(`seatgate-exclusion/v1\n${salt}\n${normalizeEmail(address)}`))
  )
}

// In code points, as SQLite counts.
function lengthOf(address: string): number {
  return Array.from(address).length
}

/** How the host records that a user reads the mail of their address. */
export interface EmailVerification {
  /** The column of the table of users that is set (not null, not 0) once the address is verified. */
  readonly column: SQLiteColumn
  /** Returns statements that set it, for the batch in which a user accepts a mailed invitation. */
  markVerified(userId: string, now: Date): readonly Statement[]
}

/** The context of a function that checks whether an address is verified. */
export interface VerificationContext {
  /** Null if no address counts as verified. */
  readonly emailVerification: EmailVerification | 'always' | null
}

/**
 * Builds the condition on the host's table of users that the address is verified. Without
 * `emailVerification` no address is.
 */
export function isVerified({ emailVerification }: VerificationContext): SQL<number> {
  if (emailVerification === null) return sql<number>`0`
  if (emailVerification === 'always') return sql<number>`1`
  return sql<number>`coalesce(${emailVerification.column}, 0) <> 0`
}

/** Builds the host's statements that mark the address of a user as verified. */
export function markVerified(
  { emailVerification }: VerificationContext,
  userId: string,
  now: Date
): readonly Statement[] {
  if (emailVerification === null || emailVerification === 'always') return []
  return emailVerification.markVerified(userId, now)
}
