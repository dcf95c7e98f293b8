import {
  Column,
  getTableColumns,
  is,
  isSQLWrapper,
  sql,
  SQL,
  Subquery,
  Table,
  View,
} from 'drizzle-orm'
import type { SQLiteAsyncDialect } from 'drizzle-orm/sqlite-core'
import { GROUP_COLUMN } from './for-group.ts'
import { findColumn, ORGANIZATION_COLUMN } from './for-organization.ts'
import { insertRefusal, namesAny, updateOf, type Insertion } from './group-writes.ts'
import { conditionOf, pinnedColumns } from './pins.ts'
import {
  columnKey,
  columnName,
  isDefinition,
  originalName,
  tableRead,
  tokens,
  type Token,
} from './tokens.ts'

/** The guarded tables, and the function that refuses a query. */
export interface Guard {
  /** The names of the guarded tables in the database, in lower case. */
  readonly enforced: ReadonlySet<string>
  /** Those of them whose rows are of groups: reads pin the group too, and writes pin both columns. */
  readonly ofGroups: ReadonlySet<string>
  /** Throws. */
  refuse(table: string, inspectable: boolean): never
}

/** The checked parts of a read: its tables and its conditions. */
interface Read {
  readonly table: unknown
  readonly where?: SQL | undefined
  readonly joins?: readonly { table: unknown; joinType: string; on: SQL | undefined }[] | undefined
  readonly withList?: Subquery[] | undefined
}

type Related = { table: Table; joinType: 'left'; on: SQL | undefined }
type RelationalConfig = Parameters<SQLiteAsyncDialect['buildRelationalQuery']>[0]

/** A dialect that guards what it builds. */
export interface GuardedDialect {
  readonly dialect: SQLiteAsyncDialect
  /** Registers the read that a count is made of, because Drizzle writes a count as raw SQL. */
  counts(count: SQL, read: Read): void
}

/**
 * Wraps a dialect so that it refuses to build a query that reads a guarded table unpinned. Every query of
 * a Drizzle handle becomes SQL here: a select when it is run, named or nested, and every statement that
 * is run, raw SQL included, in `sqlToQuery`. Checked queries are remembered, so an unknown one that
 * arrives there was written by hand or built elsewhere.
 */
export function guardedDialect(dialect: SQLiteAsyncDialect, guard: Guard): GuardedDialect {
  const seen = new WeakSet<SQL>()
  const counted = new WeakMap<SQL, Read>()
  const derive = (methods: Partial<SQLiteAsyncDialect>): SQLiteAsyncDialect =>
    Object.assign(Object.create(dialect) as SQLiteAsyncDialect, methods)

  const passed = (built: SQL) => {
    seen.add(built)
    return built
  }
  const isSeen = (part: SQL): boolean => {
    const count = counted.get(part)
    if (count) check(count)
    return count !== undefined || seen.has(part)
  }
  const isOfGroup = (table: unknown): table is Table =>
    is(table, Table) && guard.ofGroups.has(originalName(table))
  const enforcedColumns = (table: unknown): readonly Column[] => {
    if (!is(table, Table) || !guard.enforced.has(originalName(table))) return []
    return [ORGANIZATION_COLUMN, ...(isOfGroup(table) ? [GROUP_COLUMN] : [])].map(
      // The same table, declared a second time without the column.
      (name) => findColumn(table, name) ?? guard.refuse(originalName(table), true)
    )
  }
  const enforcedKeys = (table: unknown) => enforcedColumns(table).map(columnKey)

  const condition = (on: SQL | undefined) => conditionOf(on ? tokens(on, isSeen) : [])
  const requirePins = ({ table, where, joins = [] }: Read) => {
    const needed = [table, ...joins.map((join) => join.table)].filter(
      (each) => enforcedColumns(each).length > 0
    )
    if (needed.length === 0) return
    const filter = condition(where)
    const joined = joins.map(({ table, joinType, on }) => ({
      joinType,
      columns: enforcedKeys(table),
      on: condition(on),
    }))
    const pinned = pinnedColumns(filter, joined)
    const open = needed.find((table) => enforcedKeys(table).some((key) => !pinned.has(key)))
    if (!is(open, Table)) return
    guard.refuse(originalName(open), ![filter, ...joined.map(({ on }) => on)].some((c) => c.opaque))
  }

  const inspectTokens = (found: readonly Token[]) => {
    for (const { query } of found) if (query) guarded.buildSelectQuery(query)
    const read = tableRead(found, guard.enforced) ?? namesAny(found, guard.ofGroups)
    if (read !== undefined) guard.refuse(read, false)
  }
  // A table by itself is a source, which requirePins checks, or is selected.
  const inspect = (part: unknown): void => {
    if (typeof part !== 'object' || part === null || is(part, Column) || is(part, Table)) return
    if (is(part, SQL.Aliased)) inspect(part.sql)
    else if (is(part, Subquery) || is(part, View) || isSQLWrapper(part)) {
      inspectTokens(tokens(sql`${part}`, isSeen))
    } else Object.values(part).forEach(inspect)
  }
  const inspectAll = ({ withList = [], ...parts }: Pick<Read, 'withList'>) => {
    for (const named of withList) inspect(named._.sql)
    inspect(parts)
  }
  const check = (read: Read) => {
    inspectAll(read)
    requirePins(read)
  }

  // `with` joins the related tables to their parent. Below a guarded row there is no further check, because
  // the row is pinned, and the relation decides what belongs to it; but a row of an organization does not
  // pin a group.
  const relational = (config: RelationalConfig, reads: Related[]) => {
    const below: Related[] = []
    const level = derive({
      buildRelationalQuery: (nested) => relational(nested, below),
      buildSelectQuery(read) {
        inspectAll(read)
        const { table, where: on } = read
        if (is(table, Table)) {
          const open = below.filter((each) => isOfGroup(each.table) && !isOfGroup(table))
          const isPinned = enforcedColumns(table).length > 0
          reads.push({ table, joinType: 'left', on }, ...(isPinned ? open : below))
        }
        return passed(dialect.buildSelectQuery.call(level, read))
      },
    })
    return dialect.buildRelationalQuery.call(level, config)
  }

  const checkChange = (table: Table, where: SQL | undefined, set: readonly string[] = []) => {
    const columns = enforcedColumns(table)
    const fields = Object.entries(getTableColumns(table))
    const isMoved = fields.some(
      ([field, column]) => columns.includes(column) && set.includes(field)
    )
    if (isMoved) guard.refuse(originalName(table), true)
    requirePins({ table, where })
  }
  const checkInsertion = (table: Table, write: Insertion) => {
    const refusal = insertRefusal(table, enforcedColumns(table), write)
    if (refusal) guard.refuse(originalName(table), refusal === 'unpinned')
    for (const conflict of write.onConflict ?? []) {
      const update = updateOf(tokens(conflict, isSeen))
      if (update === null) continue
      const pinned = pinnedColumns(conditionOf(update.where), [])
      const isMoved = update.set.some(
        ({ kind, text }) =>
          kind === 'name' && enforcedColumns(table).some((column) => columnName(column) === text)
      )
      if (isMoved || !enforcedKeys(table).every((key) => pinned.has(key))) {
        guard.refuse(originalName(table), true)
      }
    }
  }

  const guarded = derive({
    buildSelectQuery(read) {
      check(read)
      return passed(dialect.buildSelectQuery.call(guarded, read))
    },
    buildRelationalQuery(config) {
      const reads: Related[] = []
      const built = relational(config, reads)
      const [root, ...joins] = reads
      requirePins({ table: root?.table, where: root?.on, joins })
      return built
    },
    // A write may change any row of its target, unless the rows are of groups; the tables that it reads from
    // are checked.
    buildInsertQuery(write) {
      inspectAll(write)
      if (isOfGroup(write.table)) checkInsertion(write.table, write)
      return passed(dialect.buildInsertQuery.call(guarded, write))
    },
    buildUpdateQuery(write) {
      inspectAll(write)
      requirePins({ table: write.from, where: write.where, joins: write.joins })
      if (isOfGroup(write.table)) checkChange(write.table, write.where, Object.keys(write.set))
      return passed(dialect.buildUpdateQuery.call(guarded, write))
    },
    buildDeleteQuery(write) {
      inspectAll(write)
      if (isOfGroup(write.table)) checkChange(write.table, write.where)
      return passed(dialect.buildDeleteQuery.call(guarded, write))
    },
    sqlToQuery(statement, source) {
      if (!isSeen(statement)) {
        const found = tokens(statement, isSeen)
        if (!isDefinition(found)) inspectTokens(found)
      }
      return dialect.sqlToQuery(statement, source)
    },
  })
  return {
    dialect: guarded,
    counts(count, read) {
      counted.set(count, read)
    },
  }
}
