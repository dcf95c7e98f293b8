import { eq, getTableColumns, getTableName, isTable, type Column, type SQL } from 'drizzle-orm'
import type { Table } from 'drizzle-orm'

/** The column, by its name in the database, that says whose row it is. */
export const ORGANIZATION_COLUMN = 'organization_id'

/** Whose rows are asked for: an id, or whatever carries the organization, such as `c.var`. */
export type OrganizationOf =
  | string
  | { readonly organization: { readonly id: string } | null | undefined }

/**
 * The condition that keeps a query to the rows of one organization.
 *
 * @throws {TypeError} if `table` is no Drizzle table or has no column `organization_id`, or if the
 *   scope carries no organization: a filter that is not there must not read as one that matches.
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
 * The column of a table that names the organization.
 *
 * @throws {TypeError} in the name of `who` asks, if there is none.
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

/** As {@link organizationColumn}, for a table that may have none. */
export function findOrganizationColumn(table: Table): Column | undefined {
  return Object.values(getTableColumns(table)).find(({ name }) => name === ORGANIZATION_COLUMN)
}

function named(value: unknown): string {
  return typeof value === 'string' ? `"${value}"` : String(value === null ? null : typeof value)
}
