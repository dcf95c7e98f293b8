import type { Database, DatabaseContext, Statement } from '../../database/database.ts'
import type { HookRefusal } from '../../base/refusal.ts'
import type { Result } from '../../base/result.ts'
import type { Session } from '../access/principal.ts'

/** Which sessions' pointers: those into an organization, of one user or (`null`) of everybody. */
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
 * Where a session keeps its active organization. It decides nothing: who may work where is asked
 * before. `d1Sessions()` keeps it in the library's own tables; a host with sessions elsewhere writes
 * these two functions.
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
   * Points a session at an organization or at none, and answers it as it is now. Where it points
   * there already nothing is written; a session that is gone is `not_found`.
   */
  updateActiveOrganization(
    db: Database,
    session: Session,
    organizationId: string | null
  ): Promise<Result<Session, SessionStoreRefusal>>
  /** Ends these pointers. Called after the change that ends them is committed, until it succeeds. */
  endActiveOrganization(db: Database, pointers: Pointers): Promise<void>
  /** The same as statements, of a store in the library's own D1: then they are part of the change. */
  readonly statements?: PointerStatements
}

/** What a store in the library's own D1 adds to a batch. */
export interface PointerStatements {
  /**
   * Points a session elsewhere; aborts the batch with `session_gone` if it is not there, with
   * `stale` if its pointer is not what it was.
   */
  update(db: Database, session: Session, organizationId: string | null): readonly Statement[]
  /** Ends all of these, in a number of statements that does not depend on theirs. */
  end(db: Database, pointers: readonly Pointers[]): readonly Statement[]
}

/** What a function needs that ends or moves the pointers of sessions. */
export interface SessionStoreContext extends DatabaseContext {
  /** Null if sessions have no active organization. */
  readonly sessions: SessionStore | null
}
