import {
  eq,
  getTableColumns,
  getTableName,
  isTable,
  type Column,
  type SQL,
  type Table,
} from 'drizzle-orm'

/** The database column that names the organization of a row. */
export const ORGANIZATION_COLUMN = 'organization_id'

/** An organization: its id, or an object that carries the organization, such as `c.var`. */
export type OrganizationOf =
  | string
  | { readonly organization: { readonly id: string } | null | undefined }

/**
 * Builds the condition that limits a query to the rows of one organization.
 *
 * @throws {TypeError} if `table` is not a Drizzle table or has no column `organization_id`, or if the
 *   scope carries no organization: a missing filter would match every row.
 *
 * @example
 * ```ts
 * app.get('/o/:org/projects', async (c) => {
 *   const open = and(forOrganization(projects, c.var), eq(projects.archived, false))
 *   return c.json(await db.select().from(projects).where(open))
 * })
 * ```
 */
export function forOrganization(table: Table, scope: OrganizationOf): SQL {
  const column = organizationColumn(table, 'forOrganization')
  const id: unknown = typeof scope === 'string' ? scope : scope?.organization?.id
  if (typeof id !== 'string' || id === '') {
    throw new TypeError(
      `forOrganization: the scope for "${getTableName(table)}" carries no organization.`
    )
  }
  return eq(column, id)
}

/**
 * Returns the column of a table that names the organization.
 *
 * @throws {TypeError} if the table has no such column. The message names the function `who`.
 */
export function organizationColumn(table: Table, who: string): Column {
  if (!isTable(table)) throw new TypeError(`${who}: ${named(table)} is not a Drizzle table.`)
  const column = findOrganizationColumn(table)
  if (!column) {
    throw new TypeError(
      `${who}: the table "${getTableName(table)}" has no column "${ORGANIZATION_COLUMN}".`
    )
  }
  return column
}

/** Returns the organization column as {@link organizationColumn} does, or undefined. */
export function findOrganizationColumn(table: Table): Column | undefined {
  return findColumn(table, ORGANIZATION_COLUMN)
}

/** Returns the column of a table with this name in the database, or undefined. */
export function findColumn(table: Table, column: string): Column | undefined {
  return Object.values(getTableColumns(table)).find(({ name }) => name === column)
}

function named(value: unknown): string {
  return typeof value === 'string' ? `"${value}"` : String(value === null ? null : typeof value)
}

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

  constructor(table: string, inspectable: boolean, isOfGroups = false) {
    super(isOfGroups ? ofGroups(table, inspectable) : ofOrganizations(table, inspectable))
    this.table = table
    this.inspectable = inspectable
  }
}

function ofOrganizations(table: string, inspectable: boolean): string {
  return inspectable
    ? `This query reads "${table}" of every organization: add forOrganization(table, scope) to its condition, or run it with unscoped(db) if that is meant.`
    : `The guard cannot tell whose rows of "${table}" this query reads: use forOrganization(table, scope) and the guarded handle's own queries instead of raw SQL, or run it with unscoped(db).`
}

function ofGroups(table: string, inspectable: boolean): string {
  return inspectable
    ? `This query reads or writes "${table}" of every group: add forGroup(table, scope) to its condition, give each inserted row both columns and change neither, or run it with unscoped(db) if that is meant.`
    : `The guard cannot tell whose rows of "${table}" this query reads or writes: use forGroup(table, scope) and the guarded handle's own queries instead of raw SQL, or run it with unscoped(db).`
}
