import { StoreUnavailable, type Database, type Statement } from './database.ts'

/** Statements by name, to be run in one round trip. */
export type Queries = Readonly<Record<string, Statement>>

/** The rows that {@link Queries} answer, under the same names. */
export type RowsOf<Q extends Queries> = { readonly [K in keyof Q]: Q[K]['_']['result'] }

/**
 * Runs several statements as one D1 batch, in one round trip and on one state of the database, and
 * answers their rows under the same names.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 */
export async function batch<Q extends Queries>(db: Database, queries: Q): Promise<RowsOf<Q>> {
  const names = Object.keys(queries)
  const [first, ...rest] = Object.values(queries)
  if (first === undefined) return {} as RowsOf<Q>
  try {
    const answers = await db.batch([first, ...rest])
    return Object.fromEntries(names.map((name, index) => [name, answers[index]])) as RowsOf<Q>
  } catch (error) {
    throw new StoreUnavailable(error)
  }
}
