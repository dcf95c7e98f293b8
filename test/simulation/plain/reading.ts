/**
 * Reads a store that answers later with readers that want an answer at once.
 *
 * @module
 */
import type { Connection, Row } from '../sqlite.ts'

export type Fetch = (sql: string, params: readonly unknown[]) => Promise<readonly Row[]>

/** Reads over and over, until everything that is asked for has been fetched. */
export async function reading<T>(fetch: Fetch, read: (store: Connection) => T): Promise<T> {
  const fetched = new Map<string, readonly Row[]>()
  for (;;) {
    const missing = new Map<string, readonly [string, readonly unknown[]]>()
    const all = (sql: string, params: readonly unknown[] = []) => {
      const name = JSON.stringify([sql, params])
      const rows = fetched.get(name)
      if (rows === undefined) missing.set(name, [sql, params])
      return rows ?? []
    }
    const answer = read({ all } as unknown as Connection)
    if (missing.size === 0) return answer
    for (const [name, [sql, params]] of missing) fetched.set(name, await fetch(sql, params))
  }
}
