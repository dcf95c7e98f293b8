import { and, eq, sql } from 'drizzle-orm'
import { batch } from '../database/batch.ts'
import { guard } from '../database/commit.ts'
import type { Database, Statement } from '../database/database.ts'
import { sessions } from '../database/schema.ts'
import { ok, refused } from '../result.ts'
import type { Session } from '../scope.ts'
import type { Pointers, SessionStore } from './store.ts'

/**
 * Keeps the active organization in the table `sessions` of the library's own D1: pointers change in
 * the same batch as what changes them.
 *
 * @example
 * ```ts
 * const seatgate = createSeatgate({ database: drizzle(env.DB), seats: d1Seats(), sessions: d1Sessions() })
 * ```
 */
export function d1Sessions(): SessionStore {
  return {
    async updateActiveOrganization(db, session, organizationId) {
      if (session.activeOrganizationId === organizationId) return ok(session)
      const { updated } = await batch(db, {
        updated: pointAt(db, session, organizationId).returning({ id: sessions.tokenHash }),
      })
      if (updated.length === 0) return refused({ code: 'not_found' })
      return ok({ ...session, activeOrganizationId: organizationId })
    },
    async endActiveOrganization(db, pointers) {
      await batch(db, { ended: end(db, pointers) })
    },
    statements: {
      update: (db, session, organizationId) => [
        guard(
          db,
          'session_gone',
          sql`exists (select 1 from sessions where token_hash = ${session.id})`
        ),
        guard(
          db,
          'stale',
          sql`(select active_organization_id from sessions where token_hash = ${session.id})
            is ${session.activeOrganizationId}`
        ),
        pointAt(db, session, organizationId),
      ],
      end,
    },
  }
}

function pointAt(db: Database, { id }: Session, organizationId: string | null) {
  return db
    .update(sessions)
    .set({ activeOrganizationId: organizationId })
    .where(eq(sessions.tokenHash, id))
}

function end(db: Database, { organizationId, userId }: Pointers): Statement {
  return db
    .update(sessions)
    .set({ activeOrganizationId: null })
    .where(
      and(
        eq(sessions.activeOrganizationId, organizationId),
        userId === null ? undefined : eq(sessions.userId, userId)
      )
    )
}
