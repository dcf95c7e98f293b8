import type { Database, DatabaseContext, Statement } from '../../database/database.ts'
import type { HookRefusal, Result } from '../../base/result.ts'
import type { Session } from '../access/principal.ts'
import type { Job } from './plan.ts'

/** Pointers of sessions into an organization: of one user, or of all (`null`). */
export interface Pointers {
  readonly organizationId: string
  readonly userId: string | null
}

/** Why a store does not move the pointer of a session. `not_found`: the session is gone. */
export type SessionStoreRefusal =
  | 'not_found'
  | 'operation_in_progress'
  | 'unavailable'
  | HookRefusal

/**
 * Stores the active organization of sessions. It does not decide on access. `d1Sessions()` uses the
 * library's own tables; a host with sessions elsewhere implements these two functions.
 *
 * @example
 * ```ts
 * const sessions: SessionStore = {
 *   async updateActiveOrganization(_db, session, organizationId) {
 *     if (!(await kv.get(session.id))) return { ok: false, error: { code: 'not_found' } }
 *     await kv.put(session.id, JSON.stringify({ organizationId }))
 *     return { ok: true, value: { ...session, activeOrganizationId: organizationId } }
 *   },
 *   endActiveOrganization: (_db, { organizationId, userId }) => endAll(organizationId, userId),
 * }
 * ```
 */
export interface SessionStore {
  /**
   * Sets or clears the active organization of a session, and returns the session. Writes no row if it is
   * set already; refuses with `not_found` if the session does not exist.
   */
  updateActiveOrganization(
    db: Database,
    session: Session,
    organizationId: string | null
  ): Promise<Result<Session, SessionStoreRefusal>>
  /** Ends these pointers. Called after the commit of the change that ends them, until it succeeds. */
  endActiveOrganization(db: Database, pointers: Pointers): Promise<void>
  /** The same as statements, for a store in the library's own D1: they are part of the change. */
  readonly statements?: PointerStatements
}

/** The statements of a store in the library's own D1. */
export interface PointerStatements {
  /**
   * Moves the pointer of a session; aborts the batch with `session_gone` if the session does not exist,
   * with `stale` if its pointer has changed.
   */
  update(db: Database, session: Session, organizationId: string | null): readonly Statement[]
  /** Ends all of these, in a fixed number of statements. */
  end(db: Database, pointers: readonly Pointers[]): readonly Statement[]
}

/** The context of a function that ends or moves the pointers of sessions. */
export interface SessionStoreContext extends DatabaseContext {
  /** Null if sessions have no active organization. */
  readonly sessions: SessionStore | null
}

/**
 * Builds the end of the pointers of sessions into an organization: in the batch if the sessions are in
 * the same D1, otherwise as a job after it. Access does not depend on it, because every request reads the
 * membership.
 */
export function endPointers(
  context: SessionStoreContext,
  places: readonly Pointers[]
): { readonly statements: readonly Statement[]; readonly jobs: readonly Job[] } {
  const { db, sessions } = context
  if (sessions === null) return { statements: [], jobs: [] }
  const pointers = places.map(({ organizationId, userId }) => ({ organizationId, userId }))
  if (sessions.statements) {
    return { statements: sessions.statements.end(db, pointers), jobs: [] }
  }
  const jobs = pointers.map((payload) => {
    const run = (counted: Database) => endSessions({ ...context, db: counted }, payload)
    return { kind: 'end_sessions', organizationId: payload.organizationId, payload, run }
  })
  return { statements: [], jobs }
}

/** Ends pointers in an external store: the handler of `end_sessions`. */
export async function endSessions(
  { db, sessions }: SessionStoreContext,
  pointers: Pointers
): Promise<null> {
  await sessions?.endActiveOrganization(db, pointers)
  return null
}
