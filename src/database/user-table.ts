/**
 * Ids of the host's users are text, compared byte for byte. The host's column may have another
 * affinity or collation: an INTEGER column finds 2 for '2.0', and NOCASE finds 'ann' for 'ANN'.
 *
 * @module
 */
import type { DatabaseContext } from './database.ts'
import { sql, type SQL } from 'drizzle-orm'
import type { SQLiteColumn, SQLiteTable } from 'drizzle-orm/sqlite-core'

/** The host's table of users, in Drizzle. It is only read: member lists are joined with it. */
export type UserTable = SQLiteTable & {
  readonly id: SQLiteColumn
  readonly email: SQLiteColumn
  readonly name: SQLiteColumn
}

/** The context of a function that looks up users of the host. */
export interface UserContext extends DatabaseContext {
  /** Null if the host has configured no table of users. */
  readonly users: UserTable | null
}

/** The id of a row of the host's users, as text. */
export function userIdText({ id }: UserTable): SQL<string> {
  return sql<string>`cast(${id} as text)`
}

/**
 * Builds the condition that a row of the host's users has this id: first by the column's own rules, so
 * that its index is used, then compared as text.
 */
export function hasUserId(users: UserTable, userId: SQL | string | null): SQL {
  return sql`(${users.id} = ${userId} and ${userIdText(users)} collate binary = ${userId})`
}
