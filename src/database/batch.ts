import { checkSchema, schemaQuery, storeError } from './check-schema.ts'
import type { Database, Statement } from './database.ts'

/** Statements by name, to be run in one round trip. */
export type Queries = Readonly<Record<string, Statement>>

/** The rows that {@link Queries} answer, under the same names. */
export type RowsOf<Q extends Queries> = { readonly [K in keyof Q]: Q[K]['_']['result'] }

/**
 * Runs several statements as one D1 batch, in one round trip and on one state of the database, and
 * answers their rows under the same names.
 *
 * @throws {SchemaMismatch} if the tables are not those of this version of the code.
 * @throws {StoreUnavailable} if D1 does not answer.
 */
export async function batch<Q extends Queries>(db: Database, queries: Q): Promise<RowsOf<Q>> {
  const names = Object.keys(queries)
  const [first, ...rest] = Object.values(queries)
  if (first === undefined) return {} as RowsOf<Q>
  const answers = await run(db, [first, ...rest])
  return Object.fromEntries(names.map((name, index) => [name, answers[index]])) as RowsOf<Q>
}

async function run(
  db: Database,
  statements: [Statement, ...Statement[]]
): Promise<readonly unknown[]> {
  const check = schemaQuery(db)
  let answers: unknown[]
  try {
    answers = await db.batch(check ? [check, ...statements] : statements)
  } catch (error) {
    throw await storeError(db, error)
  }
  if (check) checkSchema(db, answers.shift())
  return answers
}
