/**
 * Verified addresses of users, and their use as proof.
 *
 * @module
 */
import { sql, type SQL } from 'drizzle-orm'
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core'
import type { Statement } from '../../database/database.ts'

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
