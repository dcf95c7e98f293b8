/**
 * A query of a tenant table that is not limited to one organization. It is a programming error, so it is
 * thrown before any row is read. Its message contains no values.
 *
 * @example
 * ```ts
 * await expect(listEverything(db)).rejects.toThrow(UnscopedQuery)
 * ```
 */
export class UnscopedQuery extends Error {
  override readonly name = 'UnscopedQuery'
  /** The table's name in the database. */
  readonly table: string
  /** Whether the guard understood the query; false if it may be scoped and the guard cannot decide. */
  readonly inspectable: boolean

  constructor(table: string, inspectable: boolean) {
    super(
      inspectable
        ? `This query reads "${table}" of every organization: add forOrganization(table, scope) to its condition, or run it with unscoped(db) if that is meant.`
        : `The guard cannot tell whose rows of "${table}" this query reads: use forOrganization(table, scope) and the guarded handle's own queries instead of raw SQL, or run it with unscoped(db).`
    )
    this.table = table
    this.inspectable = inspectable
  }
}
