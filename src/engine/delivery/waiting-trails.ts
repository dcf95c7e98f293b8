/**
 * The trails that a consumer waits for, in turn: in order of the organizations' ids, from the place that the
 * sweep has reached, and again from the start.
 *
 * @module
 */
import { sql, type SQL } from 'drizzle-orm'
import type { Database, Statement } from '../../database/database.ts'
import { rotations } from '../../database/schema/changes-tables.ts'

const NAME = 'waiting'

/** Builds a subquery of the `organization_id` of the next trails, as many as `limit`. */
export function waitingTrails(limit: number): SQL {
  const place = sql`coalesce((select place from seatgate_rotations where name = ${NAME}), '')`
  const part = (again: SQL, range: SQL) => sql`select * from (
    select organization_id, ${again} as again from seatgate_audit_outbox
    where organization_id ${range} ${place} order by organization_id limit ${limit})`
  return sql`(${part(sql`0`, sql`>`)} union all ${part(sql`1`, sql`<=`)} limit ${limit})`
}

/** Builds the statement that moves the place behind the next trails. */
export function passTrails(db: Database, limit: number): Statement {
  return db
    .insert(rotations)
    .select(
      sql`select ${NAME}, coalesce(max(iif(again, organization_id, null)), max(organization_id))
        from ${waitingTrails(limit)} where true having count(*) > 0`
    )
    .onConflictDoUpdate({
      target: rotations.name,
      set: { place: sql`excluded.place` },
      setWhere: sql`${rotations.place} <> excluded.place`,
    })
}
