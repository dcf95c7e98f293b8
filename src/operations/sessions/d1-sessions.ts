import { checkOptionNames, type NoOptions } from '../../base/names.ts'
import { eq, lte, sql } from 'drizzle-orm'
import { batch } from '../../database/batch.ts'
import { guard } from '../../database/commit.ts'
import { purgeInTurn } from '../../database/purge-in-turn.ts'
import type { Database, Statement, DatabaseContext } from '../../database/database.ts'
import { sessions } from '../../database/schema/sessions-tables.ts'
import { ok, refused } from '../../base/result.ts'
import type { Session } from '../../engine/access/principal.ts'
import type { Pointers, SessionStore } from '../../engine/model/session-store.ts'

/**
 * Stores the active organization in the table `seatgate_sessions` in D1. Pointers change in the same
 * batch as the change that affects them.
 *
 * @example
 * ```ts
 * const seatgate = createSeatgate({ database: drizzle(env.DB), seats: d1Seats(), sessions: d1Sessions() })
 * ```
 */
export function d1Sessions(options: NoOptions = {}): SessionStore {
  checkOptionNames('d1Sessions', options, [])
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
      await batch(db, Object.fromEntries(end(db, [pointers]).entries()))
    },
    statements: {
      update: (db, session, organizationId) => [
        guard(
          db,
          'session_gone',
          sql`exists (select 1 from seatgate_sessions where token_hash = ${session.id})`
        ),
        guard(
          db,
          'stale',
          sql`(select active_organization_id from seatgate_sessions where token_hash = ${session.id})
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

// All pointers into an organization, or one user's pointers into each: two statements for any number.
function end(db: Database, pointers: readonly Pointers[]): readonly Statement[] {
  const everybodys = pointers.flatMap(({ organizationId, userId }) =>
    userId === null ? [organizationId] : []
  )
  const own = pointers.flatMap(({ organizationId, userId }) =>
    userId === null ? [] : [[organizationId, userId]]
  )
  const where = [
    ...(everybodys.length > 0
      ? [
          sql`${sessions.activeOrganizationId} in
            (select value from json_each(${JSON.stringify(everybodys)}))`,
        ]
      : []),
    ...(own.length > 0
      ? [
          sql`(${sessions.activeOrganizationId}, ${sessions.userId}) in
            (select value ->> 0, value ->> 1 from json_each(${JSON.stringify(own)}))`,
        ]
      : []),
  ]
  return where.map((these) => db.update(sessions).set({ activeOrganizationId: null }).where(these))
}

// Until then an expired session still shows when its user was last active.
const KEPT_DAYS = 30
const DAY_MS = 24 * 60 * 60 * 1000

/** Builds the statements that delete sessions that expired 30 days ago. */
export function purgeSessions({ db }: DatabaseContext, now: Date): readonly Statement[] {
  const isOver = lte(sessions.expiresAt, new Date(now.getTime() - KEPT_DAYS * DAY_MS))
  return purgeInTurn(db, { table: sessions, key: [sessions.tokenHash], isOver }, now)
}
