import type { SQL } from 'drizzle-orm'
import type { Statement } from './database/database.ts'

/** Somebody whose identity is established. */
export interface Principal {
  readonly userId: string
  /** Whether this is one of the platform's own people, who may change seat limits. */
  readonly operator?: boolean
}

/**
 * An identity that a query can establish: it runs in the same round trip as the question itself,
 * so that looking up the session costs no trip of its own.
 *
 * @example
 * ```ts
 * const session: PrincipalQuery = {
 *   userId: sql`(select user_id from sessions where token_hash = ${hash})`,
 *   statement: db.select({ userId: sessions.userId }).from(sessions).where(eq(sessions.tokenHash, hash)),
 *   principal: ([row]) => (row ? { userId: row.userId } : null),
 * }
 * ```
 */
export interface PrincipalQuery {
  /** The user's id as a scalar subquery; null if there is nobody. */
  readonly userId: SQL<string | null>
  readonly statement: Statement
  /** Reads the answer of `statement`; null is `unauthenticated`. */
  // The rows are the host's own; their type ends here.
  // oxlint-disable-next-line typescript/no-explicit-any
  principal(rows: readonly any[]): Principal | null
}

/** Who is asking: established already, or by a query. */
export type Caller = Principal | PrincipalQuery

/** Who is asking about which organization. */
export interface Scope {
  readonly caller: Caller
  /** The organization's id or slug. */
  readonly organization?: string
  /** The request that this belongs to, kept in the audit events. */
  readonly requestId?: string
}

/** A scope that names its organization. */
export interface OrganizationScope extends Scope {
  readonly organization: string
}

export function isQuery(caller: Caller): caller is PrincipalQuery {
  return 'statement' in caller
}
