import { eq, sql, type SQL } from 'drizzle-orm'
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core'
import type { Context } from 'hono'
import { getSignedCookie } from 'hono/cookie'
import { checkOptionNames, namesOf } from '../base/names.ts'
import type { Database, UserTable } from '../database/database.ts'
import { IdentityUnavailable } from '../engine/access/identity-unavailable.ts'
import type { Caller, PrincipalQuery, UserPrincipal } from '../engine/access/principal.ts'
import type { VerifyPassword } from '../engine/access/step-up.ts'
import type { EmailVerification } from '../engine/model/exclusions.ts'
import type { LifecycleHook } from '../engine/model/hooks.ts'
import type { SessionStore } from '../engine/model/session-store.ts'
import { qualified, sessionStoreOf } from './better-auth-sessions.ts'
import { defaultTables, type BetterAuthTables, type TableOptions } from './better-auth-tables.ts'

/** The members of an instance of better-auth that the adapter uses. */
export interface BetterAuthInstance {
  /** The options that it was created with. */
  readonly options: object
  readonly $context: Promise<{
    readonly secret: string
    readonly authCookies: { readonly sessionToken: { readonly name: string } }
    readonly internalAdapter: {
      findAccounts(
        userId: string
      ): Promise<
        readonly { readonly providerId: string; readonly password?: string | null | undefined }[]
      >
    }
    readonly password: {
      hash(password: string): Promise<string>
      verify(check: { readonly hash: string; readonly password: string }): Promise<boolean>
    }
  }>
  readonly api: {
    // The types of its answer depend on its plugins.
    // oxlint-disable-next-line typescript/no-explicit-any
    readonly getSession: (request: { headers: Headers }) => Promise<any>
  }
}

/** A user of better-auth, for the decision whether they are an operator. */
export interface BetterAuthUser {
  readonly userId: string
  readonly email: string
  readonly emailVerified: boolean
  /** The role of the admin plugin; null without it. */
  readonly role: string | null
}

/** Options of {@link betterAuth}. */
export interface BetterAuthOptions {
  /** The handle on the D1 database that better-auth uses, the one of `createSeatgate`. */
  readonly database: Database
  /**
   * The tables of better-auth, if its adapter is Drizzle. Default: those that better-auth's own migrations
   * create.
   */
  readonly tables?: BetterAuthTables
  /** Whether a user is an operator. Default: no user is. */
  readonly isOperator?: (user: BetterAuthUser) => boolean
}

/** A source of identities: its members have the names of the options that they are for. */
export interface BetterAuthIdentity {
  /** For the routes and the middleware. */
  readonly authenticate: (c: Context) => Promise<Caller | null>
  /** For `identity`. */
  readonly users: UserTable
  /** For `identity`: verifies the password of an account. */
  readonly verifyPassword: VerifyPassword
  /** For `identity`: the addresses that better-auth has verified. */
  readonly emailVerification: EmailVerification
  /** For `createSeatgate`. No store if the sessions have no column `activeOrganizationId`. */
  readonly sessions: SessionStore | 'none'
  /** For `hooks`: deletes the user, their sessions and their accounts. */
  readonly onDelete: LifecycleHook
}

const NAMES = namesOf<BetterAuthOptions>({ database: true, tables: true, isOperator: true })

/**
 * Connects better-auth: its sessions are the callers, its users the members, its passwords the proofs of
 * identity. better-auth and Seatgate use one D1 database. The session is read in the round trip of the
 * operation itself; an expired or revoked session, and a banned user (admin plugin), are
 * refused with that request. An impersonated session names its operator.
 *
 * Sessions have an active organization if better-auth has a field for it:
 * `session: { additionalFields: { activeOrganizationId: { type: 'string', required: false, input: false } } }`.
 *
 * With `secondaryStorage`, and for bearer tokens of better-auth's plugin, the session comes from
 * `auth.api.getSession`, which costs trips of its own. Requests to these routes do not extend a session.
 *
 * @throws {TypeError} if an option is invalid.
 *
 * @example
 * ```ts
 * const { authenticate, sessions, onDelete, ...identity } = betterAuth(auth, { database })
 * const seatgate = createSeatgate({ database, seats, sessions, identity, hooks: { onDelete } })
 * const app = new Hono()
 *   .on(['GET', 'POST'], '/api/auth/*', (c) => auth.handler(c.req.raw))
 *   .route('/', seatgateRouter(seatgate, { authenticate }))
 * ```
 */
export function betterAuth(
  auth: BetterAuthInstance,
  options: BetterAuthOptions
): BetterAuthIdentity {
  checkOptionNames('betterAuth', options, NAMES)
  const given: TableOptions & { readonly secondaryStorage?: unknown } = auth.options
  const { database, tables = defaultTables(given), isOperator = () => false } = options
  if (typeof database?.batch !== 'function') {
    throw new TypeError('betterAuth: database must be a Drizzle handle on D1.')
  }
  const { user, session, account } = tables
  const pointer = session.activeOrganizationId
  const readsApi = given.secondaryStorage !== undefined

  return {
    async authenticate(c) {
      const { secret, authCookies } = await answerOf(auth.$context)
      const token = await getSignedCookie(c, secret, authCookies.sessionToken.name)
      if (typeof token === 'string' && !readsApi) {
        return sessionQuery(database, tables, isOperator, token)
      }
      // A plugin may take the session from another header.
      const asksApi = readsApi || c.req.header('authorization') !== undefined
      if (!asksApi || !mayHaveSession(c)) return null
      const found: unknown = await answerOf(auth.api.getSession({ headers: c.req.raw.headers }))
      return principalOfApi(found, isOperator)
    },
    users: user,
    async verifyPassword(userId, password) {
      const { internalAdapter, password: hasher } = await auth.$context
      const accounts = await internalAdapter.findAccounts(userId)
      const hash = accounts.find(({ providerId }) => providerId === 'credential')?.password
      if (hash) return hasher.verify({ hash, password })
      // As much work as for a user with a password.
      await hasher.hash(password)
      return false
    },
    emailVerification: {
      column: user.emailVerified,
      markVerified: (userId) => [
        database
          .update(user)
          .set({ emailVerified: isBoolean(user.emailVerified) ? true : 1 })
          .where(eq(user.id, userId)),
      ],
    },
    sessions: pointer === undefined ? 'none' : sessionStoreOf(session, pointer),
    onDelete: (statements, { userId }) => ({
      ok: true,
      statements: [
        ...statements,
        database.delete(session).where(eq(session.userId, userId)),
        database.delete(account).where(eq(account.userId, userId)),
        database.delete(user).where(eq(user.id, userId)),
      ],
    }),
  }
}

function mayHaveSession(c: Context): boolean {
  return c.req.header('cookie') !== undefined || c.req.header('authorization') !== undefined
}

function sessionQuery(
  db: Database,
  { user, session }: BetterAuthTables,
  isOperator: (user: BetterAuthUser) => boolean,
  token: string
): PrincipalQuery {
  const now = new Date()
  const allowed =
    user.banned === undefined
      ? sql``
      : sql` and exists (select 1 from ${user}
          where ${qualified(user.id)} = ${qualified(session.userId)}
          and not (coalesce(${qualified(user.banned)}, 0) and ${isStill(user.banExpires, now)}))`
  const live = sql`${qualified(session.token)} = ${token}
    and ${qualified(session.expiresAt)} > ${timeOf(session.expiresAt, now)}${allowed}`
  const field = (column: SQLiteColumn | undefined) =>
    column === undefined
      ? sql<string | null>`null`
      : sql<string | null>`(select ${qualified(column)} from ${session} where ${live})`
  const pointer = session.activeOrganizationId
  return {
    userId: field(session.userId),
    ...(pointer && { activeOrganizationId: field(pointer) }),
    statement: db
      .select({
        userId: sql<string>`${user.id}`.as('user_id'),
        email: sql<string>`${user.email}`.as('user_email'),
        emailVerified: sql<number>`${user.emailVerified}`.as('email_verified'),
        role: (user.role === undefined ? sql`null` : sql`${user.role}`).as('user_role'),
        sessionId: field(session.id).as('session_id'),
        impersonatedBy: field(session.impersonatedBy).as('impersonated_by'),
        activeOrganizationId: field(pointer).as('active_organization_id'),
      })
      .from(user)
      .where(sql`${user.id} = ${field(session.userId)}`),
    principal: ([row]: readonly SessionRow[]) => (row ? principalOf(row, isOperator) : null),
  }
}

interface SessionRow {
  readonly userId: string
  readonly email: string
  readonly emailVerified: number | boolean
  readonly role: string | null
  readonly sessionId: string
  readonly impersonatedBy: string | null
  readonly activeOrganizationId: string | null
}

function principalOf(
  row: SessionRow,
  isOperator: (user: BetterAuthUser) => boolean
): UserPrincipal {
  const { userId, email, role, sessionId, activeOrganizationId, impersonatedBy } = row
  return {
    userId,
    operator: isOperator({ userId, email, role, emailVerified: Boolean(row.emailVerified) }),
    session: { id: sessionId, activeOrganizationId },
    ...(impersonatedBy !== null && { impersonatedBy }),
  }
}

function principalOfApi(
  found: unknown,
  isOperator: (user: BetterAuthUser) => boolean
): UserPrincipal | null {
  const { user, session } = (found ?? {}) as {
    readonly user?: Readonly<Record<string, unknown>>
    readonly session?: Readonly<Record<string, unknown>>
  }
  if (typeof user?.['id'] !== 'string' || typeof session?.['id'] !== 'string') return null
  if (user['banned'] === true && isAhead(user['banExpires'])) return null
  const text = (value: unknown) => (typeof value === 'string' ? value : null)
  return principalOf(
    {
      userId: user['id'],
      email: text(user['email']) ?? '',
      emailVerified: user['emailVerified'] === true,
      role: text(user['role']),
      sessionId: session['id'],
      impersonatedBy: text(session['impersonatedBy']),
      activeOrganizationId: text(session['activeOrganizationId']),
    },
    isOperator
  )
}

// A ban without an end lasts.
function isAhead(end: unknown): boolean {
  if (end === null || end === undefined) return true
  return !(new Date(end as string | Date).getTime() <= Date.now())
}

function isStill(end: SQLiteColumn | undefined, now: Date): SQL {
  if (end === undefined) return sql`true`
  return sql`(${qualified(end)} is null or ${qualified(end)} > ${timeOf(end, now)})`
}

// better-auth's own tables have dates as text in ISO 8601; columns of Drizzle encode them.
function timeOf(column: SQLiteColumn, time: Date): SQL {
  return column.dataType === 'date' ? sql`${sql.param(time, column)}` : sql`${time.toISOString()}`
}

function isBoolean(column: SQLiteColumn): boolean {
  return column.dataType === 'boolean'
}

async function answerOf<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    throw new IdentityUnavailable('better-auth did not answer.', error)
  }
}
