import type { Database } from '../database/database.ts'

// Each guarded handle, with the handle that it was made from.
const unguarded = new WeakMap<object, Database>()

export function markGuarded(guarded: Database, db: Database): void {
  unguarded.set(guarded, db)
}

export const isGuarded = (db: Database): boolean => unguarded.has(db)

/**
 * Returns the handle as it was before `tenantDatabase`, for queries that read the rows of every
 * organization on purpose. A handle that is not guarded is returned unchanged.
 *
 * @example
 * ```ts
 * const total = await unscoped(db).$count(projects)
 * ```
 */
export function unscoped<D extends Database>(db: D): D {
  return (unguarded.get(db) as D | undefined) ?? db
}
