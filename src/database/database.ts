import type { BatchItem } from 'drizzle-orm/batch'
import type { DrizzleD1Database } from 'drizzle-orm/d1'
import { sql, type SQL } from 'drizzle-orm'
import type { SQLiteColumn, SQLiteTable } from 'drizzle-orm/sqlite-core'

/**
 * The host's Drizzle handle on D1, with any schema.
 */
// oxlint-disable-next-line typescript/no-explicit-any
export type Database = DrizzleD1Database<any>

/**
 * A Drizzle query that was built and not run. It is a thenable: awaiting it runs it alone, so pass it
 * inside arrays and objects only.
 */
export type Statement = BatchItem<'sqlite'>

/** Reads the rows that lists need, of one request, from a replica. */
export interface Replica {
  /** Reads the access from the primary, and the other rows from a replica that has the same access. */
  read(
    access: Readonly<Record<string, Statement | null>>,
    others: Readonly<Record<string, Statement | null>>,
    accessIn: (rows: Readonly<Record<string, readonly unknown[]>>) => string
  ): Promise<Readonly<Record<string, readonly unknown[]>>>
}

const REPLICA = Symbol('replica')
type Handle = Database & { [REPLICA]?: Replica }

/** Returns the replica from which the lists of this handle are read; undefined for the primary. */
export const replicaOf = (db: Database): Replica | undefined => (db as Handle)[REPLICA]

/** Sets the replica of this handle, and of those that are made from it. */
export const setReplica = (db: Database, replica: Replica) =>
  void ((db as Handle)[REPLICA] = replica)

/**
 * Returns a handle that sends batches in another way; `pass` sends one as `db` does. It inherits the client,
 * by which a database is known.
 */
export function sendingBy(
  db: Database,
  send: (statements: Sent, pass: () => Promise<unknown>) => Promise<unknown>
): Database {
  const value = (statements: Sent) => send(statements, () => db.batch(statements))
  return Object.create(db, { batch: { value } }) as Database
}

/** The statements of a batch. */
export type Sent = readonly [Statement, ...Statement[]]

/** Returns a configuration with another handle. */
export function withHandle<C extends DatabaseContext>(context: C, db: Database): C {
  const { seatContext } = context as { readonly seatContext?: object }
  return { ...context, db, ...(seatContext && { seatContext: { ...seatContext, db } }) }
}

/** The context of a function that reads or writes. */
export interface DatabaseContext {
  readonly db: Database
}

/** D1 did not answer, or its error is not about one of the statements. */
export class StoreUnavailable extends Error {
  override readonly name: string = 'StoreUnavailable'
  /** The name under which the error is reported. */
  readonly event: string = 'store_unavailable'

  constructor(cause: unknown) {
    super('The database did not answer.', { cause })
  }
}

/** A constraint or trigger of the host refused a batch, and the batch was rolled back. */
export class HostConflict extends Error {
  override readonly name = 'HostConflict'
  /** The name of the constraint as SQLite gives it, or the message of the trigger. */
  readonly constraint: string

  constructor(constraint: string, cause: unknown) {
    super(constraint, { cause })
    this.constraint = constraint
  }
}
/** D1 refused to run a statement; repeating it does not help. */
export class StatementFailed extends StoreUnavailable {
  override readonly name: string = 'StatementFailed'
}

/**
 * The tables are not those of this version of the code. The message names what is missing and the command
 * that repairs it. The batch was rolled back.
 */
export class SchemaMismatch extends StoreUnavailable {
  override readonly name: string = 'SchemaMismatch'
  override readonly event: string = 'schema_mismatch'

  constructor(message: string) {
    super(undefined)
    this.message = message
  }
}

/** Returns the part of an error for the host's log: D1's message, or what is wrong with the tables. */
export function reasonOf(error: unknown): unknown {
  if (error instanceof SchemaMismatch || !(error instanceof StoreUnavailable)) return error
  return error.cause
}

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

/**
 * Builds the condition that a row of the host's users has one of the ids that a query selects, by the
 * column's own rules: compare the ids of the rows as text.
 */
export function hasUserIdIn(users: UserTable, ids: SQL): SQL {
  return sql`${users.id} in (${ids})`
}
