/**
 * Checks that the database has the tables of this version of the code. The check is a query in the
 * first batch that an isolate sends; it costs no round trip of its own.
 *
 * @module
 */
import { SchemaMismatch, StatementFailed, StoreUnavailable } from './database.ts'
import type { Database, Statement } from './database.ts'
import { schemaVersion } from './schema/changes-tables.ts'

/** The number of the last migration, which this code needs. `npm run schema` writes it. */
export const SCHEMA_VERSION = 71

/**
 * The lowest `SCHEMA_VERSION` of code that works with this schema. Migrations are applied before the code
 * that needs them is deployed, so that older code runs on a newer schema for a while: raise this to the
 * number of a migration that drops, renames or tightens what older code uses.
 */
export const COMPATIBLE_FROM = 1

/** The row of `seatgate_schema`. */
export interface SchemaRow {
  readonly version: number
  readonly compatibleFrom: number
}

// A database that did not fit is checked again with every batch, so that applying the migrations is
// enough.
const fitting = new WeakSet<object>()

const clientOf = (db: Database): object => (db as { $client?: object }).$client ?? db

/** Returns the query for the next batch, or null if the database is known to fit. */
export function schemaQuery(db: Database): Statement | null {
  return fitting.has(clientOf(db)) ? null : db.select().from(schemaVersion)
}

/** @throws {SchemaMismatch} if the row says that the database does not fit. */
export function checkSchema(db: Database, rows: unknown): void {
  const [row] = rows as readonly SchemaRow[]
  const mismatch = schemaMismatch(row)
  if (mismatch !== null) throw new SchemaMismatch(`${mismatch} ${REMEDY}`)
  fitting.add(clientOf(db))
}

const REMEDY =
  'Apply the migrations: npx wrangler d1 migrations apply DB --remote (with --local: the local ' +
  'database). To see what is missing: npx seatgate doctor'

/** Returns why a database does not fit the code; null if it does. */
export function schemaMismatch(
  row: SchemaRow | undefined,
  expected: number = SCHEMA_VERSION
): string | null {
  if (row === undefined) {
    return (
      'The table seatgate_schema is empty: the tables were not created by the migrations of Seatgate, ' +
      'or not by all of them.'
    )
  }
  if (row.version < expected) {
    return `The database has version ${row.version} of Seatgate's schema; this code needs ${expected}.`
  }
  if (row.compatibleFrom > expected) {
    return (
      `The database has version ${row.version} of Seatgate's schema, which needs code for version ` +
      `${row.compatibleFrom} or later; this code is for ${expected}. Deploy a later version of seatgate.`
    )
  }
  return null
}

/**
 * Returns the reason why a batch failed: the tables, a statement that D1 refused, or a database that did
 * not answer.
 */
export async function storeError(db: Database, error: unknown): Promise<StoreUnavailable> {
  const said = definiteError(error)
  if (said === null) return new StoreUnavailable(error)
  if (!MISSING.test(said)) return new StatementFailed(error)
  fitting.delete(clientOf(db))
  return new SchemaMismatch(`D1 says: ${said}. ${(await schemaOf(db)) ?? differing(said)}`)
}

const DEFINITE = /SQLITE_(?:ERROR|CONSTRAINT|MISMATCH|RANGE|TOOBIG|AUTH)|syntax error/
const MISSING = /no such (?:table|column): [^\s:]+|\btable \S+ has no column named [^\s:]+/

// D1's own text only: Drizzle's message has the parameters of the statement.
function definiteError(error: unknown): string | null {
  let said: string | null = null
  for (let at = error; at instanceof Error; at = at.cause) {
    const missing = MISSING.exec(at.message)
    if (missing) return missing[0]
    if (DEFINITE.test(at.message)) said = at.message
  }
  return said
}

// Costs a round trip only after a batch has failed.
async function schemaOf(db: Database): Promise<string | null> {
  try {
    const [row] = (await db.select().from(schemaVersion)) as readonly SchemaRow[]
    const mismatch = schemaMismatch(row)
    return mismatch && `${mismatch} ${REMEDY}`
  } catch {
    return `Seatgate's migrations were not applied, or not all of them: there is no table seatgate_schema. ${REMEDY}`
  }
}

// A batch also has the host's table of users, and columns that its options name.
const HOST_TABLE = /table:? (?!seatgate_)/

const differing = (said: string): string =>
  HOST_TABLE.test(said)
    ? 'It is a table of your own, such as identity.users: write a migration for it.'
    : "The version of Seatgate's schema is right, but a table differs from the one that the migrations " +
      `create, or lacks a column that an option names. ${REMEDY}`
