import { sql, type SQL } from 'drizzle-orm'
import type { Attribution } from '../../base/actor.ts'
import type { Statement } from '../../database/database.ts'
import type { Origin } from '../../proof/personal.ts'

/** A session, as its store knows it, and the organization it works in. */
export interface Session {
  /** What the store finds it by; in D1 the SHA-256 of its token. */
  readonly id: string
  readonly activeOrganizationId: string | null
}

/** A person whose identity is established. */
export interface UserPrincipal {
  readonly type?: 'user'
  readonly userId: string
  /** Whether this is one of the platform's own people, who may change seat limits. */
  readonly operator?: boolean
  /**
   * The operator who acts as this user. The user decides what is allowed; the audit trail has the
   * operator as actor and the user as effective user.
   */
  readonly impersonatedBy?: string
  readonly session?: Session
}

/** A machine that works for one organization, with a role there and without a seat. */
export interface ServiceAccountPrincipal {
  readonly type: 'service_account'
  readonly serviceAccountId: string
  /** The organization it is bound to; there is no other for it. */
  readonly organizationId: string
  readonly role: string
}

/** The host itself, at work for nobody in particular: a directory sync, say. It may do what owners may. */
export interface SystemPrincipal {
  readonly type: 'system'
}

/** Whoever it is: they brought a token that says enough. */
export interface AnonymousPrincipal {
  readonly type: 'anonymous'
}

/** Somebody whose identity is established, or does not matter. */
export type Principal =
  | UserPrincipal
  | ServiceAccountPrincipal
  | SystemPrincipal
  | AnonymousPrincipal

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
  /** The session's active organization as a scalar subquery, if sessions have one. */
  readonly activeOrganizationId?: SQL<string | null>
  readonly statement: Statement
  /** Reads the answer of `statement`; null is `unauthenticated`. */
  // The rows are the host's own; their type ends here.
  // oxlint-disable-next-line typescript/no-explicit-any
  principal(rows: readonly any[]): UserPrincipal | null
}

/** Who is asking: established already, or by a query. */
export type Caller = Principal | PrincipalQuery

/** The request that something belongs to, kept in the audit events. */
export interface RequestMarks {
  readonly requestId?: string | undefined
  readonly origin?: Origin | undefined
}

/** The marks of a request alone, of a scope that has more. */
export function marksOf({ requestId, origin }: RequestMarks): RequestMarks {
  return { requestId, origin }
}

/** Who is asking about which organization. */
export interface Scope extends RequestMarks {
  readonly caller: Caller
  /** The organization's id or slug. */
  readonly organization?: string
}

/** A scope that names its organization. */
export interface OrganizationScope extends Scope {
  readonly organization: string
}

const NO_CALLER = 'The scope names no caller: it needs a userId, or another principal.'

/**
 * Whether who is asking is yet to be looked up.
 *
 * @throws {TypeError} if the caller is no object, as from a host whose `authenticate` forgot to return.
 */
export function isQuery(caller: Caller): caller is PrincipalQuery {
  if (typeof caller !== 'object' || caller === null) throw new TypeError(NO_CALLER)
  return 'statement' in caller
}

/** Whether this is a person. */
export function isUser(principal: Principal): principal is UserPrincipal {
  return principal.type === undefined || principal.type === 'user'
}

/** Whether this is the host itself. */
export function isSystem(caller: Caller): caller is SystemPrincipal {
  return !isQuery(caller) && caller.type === 'system'
}

/** The user's id, of a person; a subquery if it is yet to be looked up. */
export function userIdOf(caller: Principal): string | null
export function userIdOf(caller: Caller): SQL<string | null> | string | null
export function userIdOf(caller: Caller): SQL<string | null> | string | null {
  // Text, whatever the host's sessions have: it is compared with text columns.
  if (isQuery(caller)) return sql<string | null>`cast(${caller.userId} as text)`
  return isUser(caller) ? caller.userId : null
}

/**
 * Whether this is one of the platform's own people. Who acts as somebody else has no powers but
 * theirs.
 */
export function isOperator(principal: Principal): boolean {
  return isUser(principal) && principal.operator === true && principal.impersonatedBy === undefined
}

/** Returns whom an event names. An operator who acts as a user is the actor, and the user is not. */
export function attributionOf(caller: Principal): Attribution {
  if (isUser(caller)) {
    const { userId, impersonatedBy } = caller
    if (impersonatedBy !== undefined) {
      return { actor: { type: 'operator', id: impersonatedBy }, effectiveUserId: userId }
    }
    const type = isOperator(caller) ? 'operator' : 'user'
    return { actor: { type, id: userId }, effectiveUserId: userId }
  }
  if (caller.type !== 'service_account') {
    return { actor: { type: caller.type, id: null }, effectiveUserId: null }
  }
  return { actor: { type: 'service_account', id: caller.serviceAccountId }, effectiveUserId: null }
}

/** Under which name somebody's operations are kept and counted: no two callers share one. */
export function operationActor(caller: Principal): string
export function operationActor(caller: Caller): SQL<string | null> | string
export function operationActor(caller: Caller): SQL<string | null> | string {
  if (isQuery(caller)) return sql<string | null>`'user:' || ${caller.userId}`
  if (isUser(caller)) return `user:${caller.userId}`
  return caller.type === 'service_account'
    ? `service_account:${caller.serviceAccountId}`
    : caller.type
}

/**
 * A scope without anybody in it is a mistake of the host's, and not to be taken for a stranger.
 *
 * @throws {TypeError} if the caller lacks their id.
 */
export function checkCaller(caller: Caller): void {
  if (isQuery(caller) || caller.type === 'system' || caller.type === 'anonymous') return
  const id = isUser(caller) ? caller.userId : caller.serviceAccountId
  if (typeof id !== 'string' || id === '') throw new TypeError(NO_CALLER)
}
