import { sql, type SQL } from 'drizzle-orm'
import type { Attribution } from '../../base/runtime.ts'
import type { Statement } from '../../database/database.ts'
import type { Origin } from '../../proof/personal.ts'

/** A session, with the organization that it works in. */
export interface Session {
  /** The key of the session in its store; in D1 the SHA-256 of its token. */
  readonly id: string
  readonly activeOrganizationId: string | null
}

/** An impersonation that Seatgate has started. */
export interface Impersonation {
  /** Its id, which is that of the event of its start. */
  readonly id: string
  /** The only organization that its caller can access. */
  readonly organizationId: string
}

/** A user whose identity is established. */
export interface UserPrincipal {
  readonly type?: 'user'
  readonly userId: string
  /** Whether the user is an operator, who may change seat limits. */
  readonly operator?: boolean
  /**
   * The operator who acts as this user. The user's rights apply, without secrets, proofs of identity and
   * purchases; the audit trail has the operator as actor and the user as effective user.
   */
  readonly impersonatedBy?: string
  /** The impersonation, if Seatgate has started it. Its id is the cause of each event. */
  readonly impersonation?: Impersonation
  readonly session?: Session
}

/** A machine that works for one organization, with a role and without a seat. */
export interface ServiceAccountPrincipal {
  readonly type: 'service_account'
  readonly serviceAccountId: string
  /** The only organization that it can access. */
  readonly organizationId: string
  readonly role: string
}

/** The host itself, for example in a directory sync. It may do what owners may. */
export interface SystemPrincipal {
  readonly type: 'system'
}

/** A caller without an identity, whose token is enough for the operation. */
export interface AnonymousPrincipal {
  readonly type: 'anonymous'
}

/** A caller whose identity is established or not needed. */
export type Principal =
  | UserPrincipal
  | ServiceAccountPrincipal
  | SystemPrincipal
  | AnonymousPrincipal

/**
 * An identity that a query establishes. The query runs in the same round trip as the operation, so that
 * looking up the session costs no round trip of its own.
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
  /** The user's id as a scalar subquery; null if there is no session. */
  readonly userId: SQL<string | null>
  /** The session's active organization as a scalar subquery, if sessions have one. */
  readonly activeOrganizationId?: SQL<string | null>
  /** The only organization that the user can access, as a scalar subquery, if they are confined to one. */
  readonly organizationId?: SQL<string | null>
  /** If the query establishes a service account: its id and its organization as scalar subqueries. */
  readonly serviceAccount?: {
    readonly id: SQL<string | null>
    readonly organizationId: SQL<string | null>
  }
  /** The condition that the identity still holds. The batch of a change repeats it. */
  readonly holds?: SQL
  readonly statement: Statement
  /** Reads the rows of `statement`; null is `unauthenticated`. */
  // The rows are the host's own; their type ends here.
  // oxlint-disable-next-line typescript/no-explicit-any
  principal(rows: readonly any[]): UserPrincipal | ServiceAccountPrincipal | null
}

/** The caller of an operation: established already, or by a query. */
export type Caller = Principal | PrincipalQuery

/** The facts of a request that audit events record. */
export interface RequestInfo {
  readonly requestId?: string | undefined
  readonly origin?: Origin | undefined
}

/** Returns the request's facts of a scope. */
export function requestInfoOf({ requestId, origin }: RequestInfo): RequestInfo {
  return { requestId, origin }
}

/** The caller, and the organization that they ask for. */
export interface Scope extends RequestInfo {
  readonly caller: Caller
  /** The organization's id or slug. */
  readonly organization?: string
}

/** A scope that names its organization. */
export interface OrganizationScope extends Scope {
  readonly organization: string
}

const NO_CALLER = 'The scope has no caller: it needs a userId, or another principal.'

/**
 * Whether the caller is established by a query.
 *
 * @throws {TypeError} if the caller is not an object, for example because `authenticate` did not return.
 */
export function isQuery(caller: Caller): caller is PrincipalQuery {
  if (typeof caller !== 'object' || caller === null) throw new TypeError(NO_CALLER)
  return 'statement' in caller
}

/** Whether the caller is a user. */
export function isUser(principal: Principal): principal is UserPrincipal {
  return principal.type === undefined || principal.type === 'user'
}

/** Whether the caller is a user in person, and not an operator who acts as one. */
export function isInPerson(principal: Principal): principal is UserPrincipal {
  return isUser(principal) && principal.impersonatedBy === undefined
}

/**
 * Whether the caller is an operator who acts as a user. Such a caller receives no secret, proves no identity
 * and buys no seat.
 */
export function isImpersonated(principal: Principal): boolean {
  return isUser(principal) && principal.impersonatedBy !== undefined
}

/** Whether the caller is the host itself. */
export function isSystem(caller: Caller): caller is SystemPrincipal {
  return !isQuery(caller) && caller.type === 'system'
}

/** Returns the id of a user; a subquery if a query establishes it. */
export function userIdOf(caller: Principal): string | null
export function userIdOf(caller: Caller): SQL<string | null> | string | null
export function userIdOf(caller: Caller): SQL<string | null> | string | null {
  // The host's sessions may hold numbers, and the id is compared with text columns.
  if (isQuery(caller)) return sql<string | null>`cast(${caller.userId} as text)`
  return isUser(caller) ? caller.userId : null
}

/**
 * Whether the caller is an operator. An operator who acts as a user has only the user's rights.
 */
export function isOperator(principal: Principal): boolean {
  return isInPerson(principal) && principal.operator === true
}

/** Returns whom an event names. An operator who acts as a user is the actor, and the user is not. */
export function attributionOf(caller: Principal): Attribution {
  if (isUser(caller)) {
    const { userId, impersonatedBy, impersonation } = caller
    if (impersonatedBy !== undefined) {
      const actor = { type: 'operator', id: impersonatedBy } as const
      const cause = impersonation && { causeEventId: impersonation.id }
      return { actor, effectiveUserId: userId, ...cause }
    }
    const type = isOperator(caller) ? 'operator' : 'user'
    return { actor: { type, id: userId }, effectiveUserId: userId }
  }
  if (caller.type !== 'service_account') {
    return { actor: { type: caller.type, id: null }, effectiveUserId: null }
  }
  return { actor: { type: 'service_account', id: caller.serviceAccountId }, effectiveUserId: null }
}

/** Returns the name under which a caller's operations are stored and counted; it is unique per caller. */
export function operationActor(caller: Principal): string
export function operationActor(caller: Caller): SQL<string | null> | string
export function operationActor(caller: Caller): SQL<string | null> | string {
  if (isQuery(caller)) {
    const { serviceAccount, userId } = caller
    return serviceAccount
      ? sql<string | null>`'service_account:' || ${serviceAccount.id}`
      : sql<string | null>`'user:' || ${userId}`
  }
  if (isUser(caller)) return `user:${caller.userId}`
  return caller.type === 'service_account'
    ? `service_account:${caller.serviceAccountId}`
    : caller.type
}

/**
 * Checks that a scope has a caller, so that a mistake of the host is not taken for a stranger.
 *
 * @throws {TypeError} if the caller has no id.
 */
export function checkCaller(caller: Caller): void {
  if (isQuery(caller) || caller.type === 'system' || caller.type === 'anonymous') return
  const id = isUser(caller) ? caller.userId : caller.serviceAccountId
  if (typeof id !== 'string' || id === '') throw new TypeError(NO_CALLER)
}
