/**
 * What the host knows of the address of a user: who reads its mail, and what is given on that proof.
 *
 * @module
 */
import { sql, type SQL } from 'drizzle-orm'
import type { Statement } from '../database/database.ts'
import type { Seatgate } from '../seatgate.ts'

/**
 * Builds the condition on the host's table of users that the address is verified. Without
 * `emailVerification` no address is.
 */
export function isVerified({ invitations: { emailVerification } }: Seatgate): SQL<number> {
  if (emailVerification === null) return sql<number>`0`
  if (emailVerification === 'always') return sql<number>`1`
  return sql<number>`coalesce(${emailVerification.column}, 0) <> 0`
}

/** Builds the host's statements that mark the address of a user as verified. */
export function markVerified(
  { invitations: { emailVerification } }: Seatgate,
  userId: string,
  now: Date
): readonly Statement[] {
  if (emailVerification === null || emailVerification === 'always') return []
  return emailVerification.markVerified(userId, now)
}
