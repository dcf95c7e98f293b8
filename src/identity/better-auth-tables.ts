/**
 * The tables of better-auth in D1, by the names that its options give them.
 *
 * @module
 */
import {
  integer,
  sqliteTable,
  text,
  type SQLiteColumn,
  type SQLiteTable,
} from 'drizzle-orm/sqlite-core'

/** The columns of better-auth's tables that are read. */
export interface BetterAuthTables {
  readonly user: SQLiteTable & {
    readonly id: SQLiteColumn
    readonly email: SQLiteColumn
    readonly name: SQLiteColumn
    readonly emailVerified: SQLiteColumn
    readonly role?: SQLiteColumn
    readonly banned?: SQLiteColumn
    readonly banExpires?: SQLiteColumn
  }
  readonly session: SQLiteTable & {
    readonly id: SQLiteColumn
    readonly token: SQLiteColumn
    readonly userId: SQLiteColumn
    readonly expiresAt: SQLiteColumn
    readonly impersonatedBy?: SQLiteColumn
    readonly activeOrganizationId?: SQLiteColumn
  }
  readonly account: SQLiteTable & { readonly userId: SQLiteColumn }
}

interface ModelOptions {
  readonly modelName?: string | undefined
  readonly fields?: object | undefined
  readonly additionalFields?: object | undefined
}

/** The options of better-auth that decide about its tables. */
export interface TableOptions {
  readonly user?: ModelOptions | undefined
  readonly session?: ModelOptions | undefined
  readonly account?: ModelOptions | undefined
  readonly plugins?: readonly { readonly id: string }[] | undefined
}

/** Returns the tables as better-auth's own migrations create them, with dates as text. */
export function defaultTables(options: TableOptions): BetterAuthTables {
  const has = (id: string) => options.plugins?.some((plugin) => plugin.id === id) === true
  const named = ({ fields = {} }: ModelOptions = {}, name: string) =>
    (fields as Readonly<Record<string, string | undefined>>)[name] ?? name
  const userColumn = (name: string) => named(options.user, name)
  const sessionColumn = (name: string) => named(options.session, name)
  const additional = options.session?.additionalFields ?? {}
  const user = {
    id: text('id').primaryKey(),
    email: text(userColumn('email')).notNull(),
    name: text(userColumn('name')).notNull(),
    emailVerified: integer(userColumn('emailVerified')).notNull(),
  }
  const administered = {
    role: text('role'),
    banned: integer('banned'),
    banExpires: text('banExpires'),
  }
  const session = {
    id: text('id').primaryKey(),
    token: text(sessionColumn('token')).notNull(),
    userId: text(sessionColumn('userId')).notNull(),
    expiresAt: text(sessionColumn('expiresAt')).notNull(),
    ...(has('admin') ? { impersonatedBy: text('impersonatedBy') } : {}),
    ...(has('organization') || 'activeOrganizationId' in additional
      ? { activeOrganizationId: text(activeColumnOf(additional)) }
      : {}),
  }
  const userName = options.user?.modelName ?? 'user'
  const tables = {
    user: has('admin')
      ? sqliteTable(userName, { ...user, ...administered })
      : sqliteTable(userName, user),
    session: sqliteTable(options.session?.modelName ?? 'session', session),
    account: sqliteTable(options.account?.modelName ?? 'account', {
      id: text('id').primaryKey(),
      userId: text(named(options.account, 'userId')).notNull(),
    }),
  }
  // The types of optional columns are lost in a table.
  return tables as unknown as BetterAuthTables
}

function activeColumnOf(additional: object): string {
  const field: unknown = (additional as { readonly activeOrganizationId?: unknown })
    .activeOrganizationId
  const name: unknown =
    typeof field === 'object' && field !== null && 'fieldName' in field ? field.fieldName : null
  return typeof name === 'string' ? name : 'activeOrganizationId'
}
