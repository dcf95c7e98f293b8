import { and, eq, getTableName, isTable, type Column, type SQL, type Table } from 'drizzle-orm'
import { findColumn, forOrganization, ORGANIZATION_COLUMN } from './for-organization.ts'

/** The database column that names the group of a row. */
export const GROUP_COLUMN = 'group_id'

/** A group of an organization, such as `c.var` behind `loadGroup` has it. */
export interface GroupOf {
  readonly organization: { readonly id: string } | null | undefined
  readonly group: { readonly id: string } | null | undefined
}

/**
 * Builds the condition that limits a query to the rows of one group of an organization.
 *
 * @throws {TypeError} if `table` is not a Drizzle table with the columns `organization_id` and `group_id`, or
 *   if the scope carries no organization or no group: a missing filter would match every row.
 *
 * @example
 * ```ts
 * app
 *   .use('/o/:org/g/:group/*', loadGroup(seatgate, { authenticate }))
 *   .get('/o/:org/g/:group/documents', async (c) =>
 *     c.json(await db.select().from(documents).where(forGroup(documents, c.var)))
 *   )
 * ```
 */
export function forGroup(table: Table, scope: GroupOf): SQL {
  const ofOrganization = forOrganization(table, scope)
  const [, column] = groupColumns(table, 'forGroup')
  const id: unknown = scope?.group?.id
  if (typeof id !== 'string' || id === '') {
    throw new TypeError(`forGroup: the scope for "${getTableName(table)}" carries no group.`)
  }
  return and(ofOrganization, eq(column, id)) ?? ofOrganization
}

/**
 * Returns the columns of a table that name the organization and the group.
 *
 * @throws {TypeError} if the table lacks one. The message names the function `who`.
 */
export function groupColumns(table: Table, who: string): readonly [Column, Column] {
  const columnOf = (name: string) => {
    const column = isTable(table) ? findColumn(table, name) : undefined
    if (column) return column
    const named = isTable(table) ? `the table "${getTableName(table)}"` : String(table)
    throw new TypeError(`${who}: ${named} has no column "${name}".`)
  }
  return [columnOf(ORGANIZATION_COLUMN), columnOf(GROUP_COLUMN)]
}
