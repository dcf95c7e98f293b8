/**
 * The active organization in the sessions of better-auth, in the library's own D1.
 *
 * @module
 */
import { eq, getTableName, sql, type SQL } from 'drizzle-orm'
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core'
import { batch } from '../database/batch.ts'
import { guard } from '../database/commit.ts'
import type { Database, Statement } from '../database/database.ts'
import { ok, refused } from '../base/result.ts'
import type { Session } from '../engine/access/principal.ts'
import type { Pointers, SessionStore } from '../engine/model/session-store.ts'
import type { BetterAuthTables } from './better-auth-tables.ts'

/**
 * Returns a column with the name of its table, which Drizzle leaves out of a query of one table: within a
 * subquery the name would mean another column.
 */
export function qualified(column: SQLiteColumn): SQL {
  return sql`${sql.identifier(getTableName(column.table))}.${sql.identifier(column.name)}`
}

/** Stores the active organization in a column of better-auth's sessions. */
export function sessionStoreOf(
  session: BetterAuthTables['session'],
  pointer: SQLiteColumn
): SessionStore {
  const isThis = (id: string) => sql`${qualified(session.id)} = ${id}`
  const pointAt = (db: Database, { id }: Session, organizationId: string | null) =>
    db
      .update(session)
      .set({ [keyOf(session, pointer)]: organizationId })
      .where(eq(session.id, id))
  const end = (db: Database, pointers: readonly Pointers[]): readonly Statement[] => {
    const all = pointers.flatMap(({ organizationId, userId }) =>
      userId === null ? [organizationId] : []
    )
    const own = pointers.flatMap(({ organizationId, userId }) =>
      userId === null ? [] : [[organizationId, userId]]
    )
    const conditions = [
      ...(all.length > 0
        ? [sql`${pointer} in (select value from json_each(${JSON.stringify(all)}))`]
        : []),
      ...(own.length > 0
        ? [
            sql`(${pointer}, ${session.userId}) in
              (select value ->> 0, value ->> 1 from json_each(${JSON.stringify(own)}))`,
          ]
        : []),
    ]
    return conditions.map((condition) =>
      db
        .update(session)
        .set({ [keyOf(session, pointer)]: null })
        .where(condition)
    )
  }
  return {
    async updateActiveOrganization(db, current, organizationId) {
      if (current.activeOrganizationId === organizationId) return ok(current)
      const { updated } = await batch(db, {
        updated: pointAt(db, current, organizationId).returning({ id: session.id }),
      })
      if (updated.length === 0) return refused({ code: 'not_found' })
      return ok({ ...current, activeOrganizationId: organizationId })
    },
    async endActiveOrganization(db, pointers) {
      await batch(db, Object.fromEntries(end(db, [pointers]).entries()))
    },
    statements: {
      update: (db, current, organizationId) => [
        guard(
          db,
          'session_gone',
          sql`exists (select 1 from ${session} where ${isThis(current.id)})`
        ),
        guard(
          db,
          'stale',
          sql`(select ${qualified(pointer)} from ${session} where ${isThis(current.id)})
            is ${current.activeOrganizationId}`
        ),
        pointAt(db, current, organizationId),
      ],
      end,
    },
  }
}

function keyOf(table: object, column: SQLiteColumn): string {
  const found = Object.entries(table).find(([, value]) => value === column)
  return found?.[0] ?? column.name
}
