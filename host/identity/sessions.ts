import { and, eq, gt, lt, sql } from 'drizzle-orm'
import type { Context } from 'hono'
import { getCookie } from 'hono/cookie'
import type { Database, PrincipalQuery } from '../../src/index.ts'
import { sessions } from '../../src/database/schema.ts'
import { sha256 } from '../../src/proof/encoding.ts'
import { users } from './schema.ts'

export const SESSION_COOKIE = 'seatgate_session'
export const SESSION_SECONDS = 30 * 24 * 60 * 60

/** A session as it is made: the token goes to its user, the hash into the database. */
export interface NewSession {
  readonly token: string
  readonly tokenHash: string
}

/** Makes a session token of 256 random bits. Only its SHA-256 is ever stored. */
export async function newSession(): Promise<NewSession> {
  const token = toBase64Url(crypto.getRandomValues(new Uint8Array(32)))
  return { token, tokenHash: await sha256(token) }
}

/** Builds the statement that stores a session. */
export function insertSession(db: Database, tokenHash: string, userId: string, now: Date) {
  const expiresAt = new Date(now.getTime() + SESSION_SECONDS * 1000)
  return db
    .insert(sessions)
    .values({ tokenHash, userId, expiresAt, lastActiveAt: now, createdAt: now })
}

/** The token that a request carries, as a bearer or in the cookie. */
export function tokenOf(c: Context): string | null {
  const bearer = /^Bearer +(\S+)$/i.exec(c.req.header('authorization') ?? '')
  return bearer?.[1] ?? getCookie(c, SESSION_COOKIE) ?? null
}

/** Whose session this is, as a query that runs in the library's own round trip. */
export async function sessionQuery(
  db: Database,
  token: string,
  isOperator: (user: KnownAs) => boolean
): Promise<PrincipalQuery> {
  const live = sql`seatgate_sessions.token_hash = ${await sha256(token)}
    and seatgate_sessions.expires_at > ${Date.now()}`
  const field = (name: string) =>
    sql<
      string | null
    >`(select seatgate_sessions.${sql.raw(name)} from seatgate_sessions where ${live})`
  return {
    userId: field('user_id'),
    activeOrganizationId: field('active_organization_id'),
    statement: db
      .select({
        userId: users.id,
        email: users.email,
        emailVerifiedAt: users.emailVerifiedAt,
        sessionId: field('token_hash').as('session_id'),
        activeOrganizationId: field('active_organization_id').as('active_organization_id'),
      })
      .from(users)
      .where(eq(users.id, field('user_id'))),
    principal: ([row]: readonly SessionRow[]) =>
      row
        ? {
            userId: row.userId,
            operator: isOperator(row),
            session: { id: row.sessionId, activeOrganizationId: row.activeOrganizationId },
          }
        : null,
  }
}

/** Finds the user of a session that is live. */
export async function sessionUser(
  db: Database,
  token: string
): Promise<typeof users.$inferSelect | null> {
  const [found] = await db
    .select({ user: users })
    .from(users)
    .innerJoin(sessions, eq(sessions.userId, users.id))
    .where(and(eq(sessions.tokenHash, await sha256(token)), gt(sessions.expiresAt, new Date())))
  return found?.user ?? null
}

/** Whom a session belongs to, as far as operators are told from others by it. */
export interface KnownAs {
  readonly userId: string
  readonly email: string
  /** Null: nobody knows whose address it is. */
  readonly emailVerifiedAt: Date | null
}

interface SessionRow extends KnownAs {
  readonly sessionId: string
  readonly activeOrganizationId: string | null
}

/** Notes that a session was used. Once a minute is enough, and most requests write nothing. */
export async function touchSession(db: Database, token: string, now: Date): Promise<void> {
  const aMinuteAgo = new Date(now.getTime() - 60_000)
  await db
    .update(sessions)
    .set({ lastActiveAt: now })
    .where(and(eq(sessions.tokenHash, await sha256(token)), lt(sessions.lastActiveAt, aMinuteAgo)))
}

function toBase64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '')
}
