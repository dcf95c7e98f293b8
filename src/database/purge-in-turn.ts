/**
 * Deletes old rows without an index of their age: each run reads the next rows in order of the primary key,
 * and a round begins once a day.
 *
 * @module
 */
import { getTableName, sql, type SQL, type SQLChunk } from 'drizzle-orm'
import type { SQLiteColumn, SQLiteTable } from 'drizzle-orm/sqlite-core'
import type { Database, Statement } from './database.ts'
import { rotations } from './schema/changes-tables.ts'

const ROWS_PER_SWEEP = 1000

/** Which rows of a table are deleted. */
export interface Purge {
  readonly table: SQLiteTable
  /** The columns of the primary key, which are texts. */
  readonly key: readonly SQLiteColumn[]
  readonly isOver: SQL
}

/**
 * Builds the statements that move the place to the end of the next page, and delete what is over in that page.
 * The place is the last key of the page and the day on which the round began; the key is null between rounds.
 */
export function purgeInTurn(
  db: Database,
  { table, key, isOver }: Purge,
  now: Date
): readonly Statement[] {
  const names = key.map((column) => sql.identifier(column.name))
  const columns = listed(names)
  const downwards = listed(names.map((name) => sql`${name} desc`))
  const rotation = getTableName(table)
  const remembered = (parts: readonly number[]) =>
    sql`(select ${listed(parts.map((part) => sql.raw(`place ->> ${part}`)))}
      from seatgate_rotations where name = ${rotation})`
  const place = remembered([...key.keys()])
  const day = remembered([key.length])
  const today = sql`${now.toISOString().slice(0, 10)}`
  // The end of a full page, or of the table; null where no row is left.
  const nextAfter = (last: SQL, began: SQL) => {
    const following = sql`select json_array(${columns}, ${began}) from ${table}
      where (${columns}) > ${last}`
    return sql`coalesce(
      (${following} order by ${columns} limit 1 offset ${ROWS_PER_SWEEP - 1}),
      (${following} order by ${downwards} limit 1))`
  }
  const next = sql`coalesce(${nextAfter(place, day)},
    iif(${day} is ${today}, null, ${nextAfter(sql`(${listed(names.map(() => sql`''`))})`, today)}),
    json_array(${listed(names.map(() => sql`null`))}, ${today}))`
  const page = sql`select ${columns}, ${isOver} as is_over from ${table}
    where (${columns}) <= ${place} order by ${downwards} limit ${ROWS_PER_SWEEP}`
  return [
    db
      .insert(rotations)
      .select(sql`select ${rotation}, ${next} where true`)
      .onConflictDoUpdate({
        target: rotations.name,
        set: { place: sql`excluded.place` },
        setWhere: sql`${rotations.place} <> excluded.place`,
      }),
    db.delete(table).where(sql`(${columns}) in (select ${columns} from (${page}) where is_over)`),
  ]
}

const listed = (parts: readonly SQLChunk[]) => sql.join([...parts], sql`, `)
