import { getTableColumns, getTableName, type SQL } from 'drizzle-orm'
import { getTableConfig, SQLiteSyncDialect, type SQLiteTable } from 'drizzle-orm/sqlite-core'
import { describe, expect, it } from 'vitest'
import { users } from '../../../host/identity/schema.ts'
import * as schema from '../../../src/database/schema.ts'
import { postOrganization, person, testEnv } from '../../kit/index.ts'

interface Column {
  name: string
  type: string
  notnull: number
  pk: number
}
interface Index {
  name: string
  unique: number
  partial: number
}

const tables: SQLiteTable[] = [...Object.values(schema), users]
const all = async <T>(query: string) => (await testEnv.DB.prepare(query).all<T>()).results
const run = (query: string, ...values: unknown[]) =>
  testEnv.DB.prepare(query)
    .bind(...values)
    .run()

const byName = <T extends { name: string }>(columns: readonly T[]) =>
  columns.toSorted((a, b) => a.name.localeCompare(b.name))

describe('the tables in Drizzle', () => {
  it.each(tables.map((table) => [getTableName(table), table] as const))(
    '%s agrees with the migrated database',
    async (name, table) => {
      const { columns, primaryKeys } = getTableConfig(table)
      const composite = primaryKeys.flatMap((key) => key.columns.map((column) => column.name))
      const said = columns.map((column) => ({
        name: column.name,
        type: column.getSQLType().toUpperCase(),
        notnull: column.notNull ? 1 : 0,
        pk: column.primary ? 1 : composite.indexOf(column.name) + 1,
      }))
      const found = await all<Column>(`PRAGMA table_info("${name}")`)
      // The order is each one's own: a later migration can only append, and Drizzle names the columns.
      expect(byName(said)).toEqual(
        byName(found.map(({ name, type, notnull, pk }) => ({ name, type, notnull, pk })))
      )
    }
  )

  it('leave out no table of the database', async () => {
    const found = await all<{ name: string }>(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_cf_*' AND name NOT GLOB 'sqlite_*' AND name <> 'd1_migrations'"
    )
    expect(tables.map(getTableName).sort()).toEqual(found.map(({ name }) => name).sort())
  })

  it('know an enum’s values exactly as the database checks them', async () => {
    for (const table of tables) {
      const [made] = await all<{ sql: string }>(
        `SELECT sql FROM sqlite_master WHERE name = '${getTableName(table)}'`
      )
      for (const column of Object.values(getTableColumns(table))) {
        const values = column.dataType === 'boolean' ? ['0', '1'] : column.enumValues
        const check = new RegExp(`CHECK \\(${column.name} IN \\(([^)]*)\\)`).exec(made!.sql)
        const checked = check?.[1]?.split(',').map((value) => value.trim().replaceAll("'", ''))
        expect({ column: column.name, values: values ?? [] }).toEqual({
          column: column.name,
          values: checked ?? [],
        })
      }
    }
  })
})

describe('the tables in Drizzle [C5]', () => {
  const dialect = new SQLiteSyncDialect()
  const textOf = (sql: SQL) => dialect.sqlToQuery(sql).sql
  const own = Object.values(schema) as SQLiteTable[]
  const each = own.map((table) => [getTableName(table), getTableConfig(table)] as const)
  const masterOf = (type: string, table: string) =>
    all<{ name: string; sql: string }>(
      `SELECT name, sql FROM sqlite_master WHERE type = '${type}' AND tbl_name = '${table}' AND sql IS NOT NULL`
    )

  it.each(each)('%s has the indexes of the migrations', async (name, { indexes }) => {
    const said = indexes.map(({ config }) => ({
      name: config.name,
      unique: config.unique,
      columns: config.columns.map((column) => ('name' in column ? column.name : textOf(column))),
      where: config.where ? textOf(config.where) : null,
    }))
    const found = await Promise.all(
      (await masterOf('index', name)).map(async (index) => ({
        name: index.name,
        unique: index.sql.startsWith('CREATE UNIQUE'),
        columns: (await all<{ name: string }>(`PRAGMA index_info("${index.name}")`)).map(
          (column) => column.name
        ),
        where: /\bWHERE (.*)$/.exec(index.sql)?.[1] ?? null,
      }))
    )
    expect(byName(said)).toEqual(byName(found))
  })

  // A guard is a trigger in the migrations, and checks where the tables are generated.
  it.each(each.filter(([name]) => name !== 'seatgate_guards'))(
    '%s has the checks of the migrations',
    async (name, { checks }) => {
      const [table] = await masterOf('table', name)
      expect(checks.map(({ value }) => textOf(value)).toSorted()).toEqual(
        [...checksIn(table!.sql)].toSorted()
      )
      expect(new Set(checks.map((one) => one.name)).size).toBe(checks.length)
    }
  )

  it.each(each)('%s has the foreign keys of the migrations', async (name, { foreignKeys }) => {
    const said = foreignKeys.flatMap((key) => {
      const { columns, foreignTable, foreignColumns } = key.reference()
      return columns.map((column, index) => ({
        from: column.name,
        table: getTableName(foreignTable),
        to: foreignColumns[index]?.name,
      }))
    })
    const found = await all<{ from: string; table: string; to: string }>(
      `SELECT "from", "table", "to" FROM pragma_foreign_key_list('${name}')`
    )
    expect(said).toEqual(found)
  })

  function* checksIn(sql: string): Generator<string> {
    for (const { index, 0: head } of sql.matchAll(/\bCHECK \(/g)) {
      const start = index + head.length
      let end = start
      for (let depth = 1; depth > 0; end++) {
        if (sql[end] === '(') depth += 1
        if (sql[end] === ')') depth -= 1
      }
      yield sql.slice(start, end - 1)
    }
  }
})

describe('the indexes', () => {
  const indexOf = async (table: string, name: string) => {
    const index = (await all<Index>(`PRAGMA index_list("${table}")`)).find(
      (one) => one.name === name
    )
    const columns = await all<{ name: string }>(`PRAGMA index_info("${name}")`)
    return {
      unique: index?.unique,
      partial: index?.partial,
      columns: columns.map((one) => one.name),
    }
  }

  it.each([
    ['seatgate_organizations', 'seatgate_organizations_live_slug', 1, 1, ['slug']],
    [
      'seatgate_memberships',
      'sqlite_autoindex_seatgate_memberships_1',
      1,
      0,
      ['organization_id', 'user_id'],
    ],
    ['seatgate_memberships', 'seatgate_memberships_seat', 1, 0, ['seat_id']],
    [
      'seatgate_organization_slug_aliases',
      'seatgate_organization_slug_aliases_expiry',
      0,
      0,
      ['expires_at'],
    ],
    ['seatgate_jobs', 'seatgate_jobs_due', 0, 0, ['due_at']],
    [
      'seatgate_sessions',
      'seatgate_sessions_active_organization',
      0,
      0,
      ['active_organization_id', 'user_id'],
    ],
    ['users', 'users_email', 1, 0, ['email']],
    ['seatgate_invitations', 'seatgate_invitations_address', 1, 1, ['email', 'organization_id']],
    ['seatgate_invitations', 'seatgate_invitations_seat', 1, 1, ['seat_id']],
    [
      'seatgate_invitations',
      'seatgate_invitations_pending',
      0,
      1,
      ['organization_id', 'expires_at'],
    ],
    [
      'seatgate_invitations',
      'seatgate_invitations_newest',
      0,
      1,
      ['organization_id', 'created_at', 'id'],
    ],
  ])('on %s there is %s [ORG-64]', async (table, name, unique, partial, columns) => {
    expect(await indexOf(table, name)).toEqual({ unique, partial, columns })
  })
})

describe('organizations', () => {
  const insert = (slug: string, deletedAt: number | null, name = 'Acme') =>
    run(
      `INSERT INTO seatgate_organizations (id, name, slug, owner_user_id, deleted_at, created_at, updated_at)
       VALUES (?, ?, ?, ?, ?, 1, 1)`,
      crypto.randomUUID(),
      name,
      slug,
      'ada',
      deletedAt
    )

  it('have a slug that is unique among live organizations [ORG-64]', async () => {
    await insert('only-one', null)
    await expect(insert('only-one', null)).rejects.toThrow(/UNIQUE.*organizations\.slug/)
    await insert('only-one', 1)
    await insert('only-one', 2)
    await run(
      "UPDATE seatgate_organizations SET deleted_at = 3 WHERE slug = 'only-one' AND deleted_at IS NULL"
    )
    await insert('only-one', null)
    const restore = run('UPDATE seatgate_organizations SET deleted_at = NULL WHERE deleted_at = 1')
    await expect(restore).rejects.toThrow(/UNIQUE/)
  })

  it('have a lower-case slug and a name', async () => {
    await expect(insert('Upper', null)).rejects.toThrow(/CHECK/)
    await expect(insert('', null)).rejects.toThrow(/CHECK/)
    await expect(insert('no-name', null, '')).rejects.toThrow(/CHECK/)
    await expect(insert('long-name', null, 'x'.repeat(256))).rejects.toThrow(/CHECK/)
  })
})

describe('memberships', () => {
  interface Row {
    organization: string
    user: string
    seat?: string | null
    status?: string
  }
  const insert = ({ organization, user, seat = null, status = 'active' }: Row) =>
    run(
      `INSERT INTO seatgate_memberships
         (id, organization_id, user_id, role, status, seat_id, created_at, updated_at)
       VALUES (?, ?, ?, 'member', ?, ?, 1, 1)`,
      crypto.randomUUID(),
      organization,
      user,
      status,
      seat
    )

  it('are one for each organization and user [ORG-64]', async () => {
    const owner = await person()
    const [one, two] = [await postOrganization(owner), await postOrganization(owner)]
    await insert({ organization: one.id, user: 'guest' })
    await insert({ organization: two.id, user: 'guest' })
    await expect(insert({ organization: one.id, user: 'guest' })).rejects.toThrow(
      /UNIQUE.*organization_id.*user_id/
    )
  })

  it('never share a seat id, not even across organizations [SEAT-24]', async () => {
    const owner = await person()
    const [one, two] = [await postOrganization(owner), await postOrganization(owner)]
    const seat = crypto.randomUUID()
    await insert({ organization: one.id, user: 'first', seat })
    await expect(insert({ organization: two.id, user: 'second', seat })).rejects.toThrow(
      /UNIQUE.*seat_id/
    )
    await insert({ organization: one.id, user: 'second' })
    await insert({ organization: one.id, user: 'third' })
  })

  it('hold no seat while they are suspended, and have a status that there is', async () => {
    const { id: organization } = await postOrganization(await person())
    const seat = crypto.randomUUID()
    const suspended = { organization, user: 'guest', status: 'suspended' }
    await expect(insert({ ...suspended, seat })).rejects.toThrow(/CHECK/)
    await insert(suspended)
    await expect(insert({ organization, user: 'other', status: 'gone' })).rejects.toThrow(/CHECK/)
    await expect(insert({ organization, user: '' })).rejects.toThrow(/CHECK/)
  })

  it('belong to an organization that there is', async () => {
    await expect(insert({ organization: 'nowhere', user: 'guest' })).rejects.toThrow(/FOREIGN KEY/)
    const { id } = await postOrganization(await person())
    await expect(run('DELETE FROM seatgate_organizations WHERE id = ?', id)).rejects.toThrow(
      /FOREIGN KEY/
    )
  })
})

describe('seatgate_member_counts', () => {
  it('follow every membership that is created, changed, suspended or deleted', async () => {
    const { id } = await postOrganization(await person())
    const counts = () => all(`SELECT * FROM seatgate_member_counts WHERE organization_id = '${id}'`)
    const is = async (active: number, suspended: number, seats: number) =>
      expect(await counts()).toEqual([{ organization_id: id, active, suspended, seats }])
    const change = (set: string) =>
      run(
        `UPDATE seatgate_memberships SET ${set} WHERE organization_id = ? AND user_id = 'guest'`,
        id
      )
    await is(1, 0, 1)
    await run(
      `INSERT INTO seatgate_memberships (id, organization_id, user_id, role, seat_id, created_at, updated_at)
       VALUES (?1, ?2, 'guest', 'member', ?1, 1, 1)`,
      crypto.randomUUID(),
      id
    )
    await is(2, 0, 2)
    await change("status = 'suspended', seat_id = NULL")
    await is(1, 1, 1)
    await change("role = 'admin'")
    await is(1, 1, 1)
    await change("status = 'active'")
    await is(2, 0, 1)
    await change("seat_id = 'another'")
    await is(2, 0, 2)
    await run('DELETE FROM seatgate_memberships WHERE organization_id = ?', id)
    await is(0, 0, 0)
  })

  it('cannot be fewer than 0', async () => {
    const { id } = await postOrganization(await person())
    for (const column of ['active', 'suspended', 'seats']) {
      const below = run(
        `UPDATE seatgate_member_counts SET ${column} = -1 WHERE organization_id = ?`,
        id
      )
      await expect(below).rejects.toThrow(/CHECK/)
    }
  })
})

describe('seatgate_organization_slug_aliases', () => {
  it('are lower-case, one for each old slug, and of an organization that there is', async () => {
    const { id } = await postOrganization(await person())
    const insert = (slug: string, organization = id) =>
      run('INSERT INTO seatgate_organization_slug_aliases VALUES (?, ?, 1, 1)', slug, organization)
    await insert('old-name')
    await expect(insert('old-name')).rejects.toThrow(/UNIQUE/)
    await expect(insert('Old-Name')).rejects.toThrow(/CHECK/)
    await expect(insert('')).rejects.toThrow(/CHECK/)
    await expect(insert('old-elsewhere', 'nowhere')).rejects.toThrow(/FOREIGN KEY/)
  })
})

describe('jobs', () => {
  it('have a kind, and a payload that is JSON', async () => {
    const insert = (kind: string, payload: string) =>
      run(
        'INSERT INTO seatgate_jobs (id, organization_id, kind, payload, due_at, created_at) VALUES (?, ?, ?, ?, 1, 1)',
        crypto.randomUUID(),
        'acme',
        kind,
        payload
      )
    await expect(insert('', '{}')).rejects.toThrow(/CHECK/)
    await expect(insert('some', '{')).rejects.toThrow(/CHECK/)
  })
})

describe('invitations', () => {
  const HASH_CHARACTERS = 64
  const valid = () => ({
    id: crypto.randomUUID(),
    organization_id: 'nowhere',
    email: `${crypto.randomUUID()}@example.com`,
    role: 'member',
    token_hash: crypto.randomUUID().replaceAll('-', '').padEnd(HASH_CHARACTERS, '0'),
    expires_at: 9,
    created_at: 1,
    updated_at: 1,
  })
  const insert = (row: object) => {
    const columns = Object.keys(row)
    return run(
      `INSERT INTO seatgate_invitations (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
      ...Object.values(row)
    )
  }
  const ended = [
    { accepted_at: 2, accepted_by_id: 'ann' },
    { revoked_at: 2, revoke_reason: 'superseded' },
    { declined_at: 2 },
  ]

  it('have an address, a role and an expiry, and no end yet [INV-7]', async () => {
    const { id: organization_id } = await postOrganization(await person())
    await insert({ ...valid(), organization_id })
    for (const column of ['email', 'role', 'token_hash', 'expires_at']) {
      const without = insert({ ...valid(), organization_id, [column]: null })
      await expect(without, column).rejects.toThrow(/NOT NULL/)
    }
    await expect(insert(valid())).rejects.toThrow(/FOREIGN KEY/)
  })

  it('are one for each address that is unfinished, and as many as you like that are not [INV-9]', async () => {
    const { id: organization_id } = await postOrganization(await person())
    const same = { organization_id, email: 'ann@example.com' }
    await insert({ ...valid(), ...same })
    await expect(insert({ ...valid(), ...same })).rejects.toThrow(/UNIQUE.*email/)
    for (const how of [...ended, ...ended]) await insert({ ...valid(), ...same, ...how })
    const { id: elsewhere } = await postOrganization(await person())
    await insert({ ...valid(), ...same, organization_id: elsewhere })
  })

  it('never share a seat while they are unfinished [SEAT-24]', async () => {
    const { id: organization_id } = await postOrganization(await person())
    const seat_id = crypto.randomUUID()
    const first = { ...valid(), organization_id, seat_id }
    await insert(first)
    const second = { ...valid(), organization_id, seat_id }
    await expect(insert(second)).rejects.toThrow(/UNIQUE.*seat_id/)
    for (const how of ended) await insert({ ...valid(), organization_id, seat_id, ...how })
  })

  it.each([
    ['capitals in the address', { email: 'Ann@example.com' }],
    ['no address', { email: '' }],
    ['an address of 161 characters', { email: 'a'.repeat(161) }],
    ['no role', { role: '' }],
    ['half a hash', { token_hash: '0'.repeat(32) }],
    ['the version 0', { token_version: 0 }],
    ['a reason that there is not', { revoked_at: 2, revoke_reason: 'bored' }],
    ['a reason and no end', { revoke_reason: 'revoked' }],
    ['a revocation without a reason', { revoked_at: 2 }],
    ['an acceptance without a user', { accepted_at: 2 }],
    ['somebody who accepted it never', { accepted_by_id: 'ann' }],
    ['mail of another kind', { mail_status: 'lost' }],
    ['two ends: accepted and revoked', { ...ended[0], ...ended[1] }],
    ['two ends: accepted and declined', { ...ended[0], ...ended[2] }],
    ['two ends: revoked and declined', { ...ended[1], ...ended[2] }],
  ])('are not to be had with %s', async (_what, wrong) => {
    const { id: organization_id } = await postOrganization(await person())
    const spoilt = insert({ ...valid(), organization_id, ...wrong })
    await expect(spoilt).rejects.toThrow(/CHECK/)
  })
})

describe('seatgate_rate_limits', () => {
  it('count something, under a name', async () => {
    const insert = (key: string, count: number) =>
      run('INSERT INTO seatgate_rate_limits VALUES (?, ?, 1)', key, count)
    await expect(insert('', 1)).rejects.toThrow(/CHECK/)
    await expect(insert('user:ann', 0)).rejects.toThrow(/CHECK/)
    await insert('user:ann', 1)
    await expect(insert('user:ann', 2)).rejects.toThrow(/UNIQUE/)
  })
})

describe('users', () => {
  it('cannot be deleted while a membership is left [HOOK-27]', async () => {
    const owner = await person()
    const { id } = await postOrganization(owner)
    const remove = () => run('DELETE FROM users WHERE id = ?', owner.userId)
    await expect(remove()).rejects.toThrow(/user_has_memberships/)
    await expect(run('DELETE FROM users')).rejects.toThrow(/user_has_memberships/)
    await run('DELETE FROM seatgate_memberships WHERE organization_id = ?', id)
    expect((await remove()).meta.changes).toBe(1)
  })

  it('have a lower-case address of their own', async () => {
    const { email } = await person()
    const insert = (address: string) =>
      run(
        "INSERT INTO users (id, email, password_hash, created_at) VALUES (?, ?, 'none', 1)",
        crypto.randomUUID(),
        address
      )
    await expect(insert(email)).rejects.toThrow(/UNIQUE/)
    await expect(insert('Ada@example.com')).rejects.toThrow(/CHECK/)
  })
})

describe('entitlements', () => {
  it.each([
    ['a finite limit without a number', 1, 'finite', null],
    ['a negative limit', 1, 'finite', -1],
    ['a number beside "unlimited"', 1, 'unlimited', 5],
    ['a number beside "unknown"', 1, 'unknown', 0],
    ['a kind that there is not', 1, 'many', null],
    ['version 0', 0, 'unlimited', null],
  ])('refuse %s [BILL-23]', async (_what, version, kind, seats) => {
    const { id } = await postOrganization(await person())
    const insert = run(
      'INSERT INTO seatgate_entitlements (organization_id, version, limit_kind, limit_seats, reason, updated_at) VALUES (?, ?, ?, ?, NULL, 1)',
      id,
      version,
      kind,
      seats
    )
    await expect(insert).rejects.toThrow(/CHECK/)
  })
})

describe('guards', () => {
  it('abort a batch with their code, and no part of it is left', async () => {
    const mark = crypto.randomUUID()
    const batch = testEnv.DB.batch([
      testEnv.DB.prepare('INSERT INTO seatgate_seat_fences VALUES (?, ?, 1)').bind(mark, mark),
      testEnv.DB.prepare("INSERT INTO seatgate_guards VALUES ('last_owner')"),
    ])
    await expect(batch).rejects.toThrow(/guard:last_owner/)
    expect(await all(`SELECT 1 FROM seatgate_seat_fences WHERE seat_id = '${mark}'`)).toEqual([])
    expect(await all('SELECT 1 FROM seatgate_guards')).toEqual([])
  })

  it('let a batch through if its condition holds', async () => {
    await run("INSERT INTO seatgate_guards SELECT 'stale' WHERE 1 = 0")
    expect(await all('SELECT 1 FROM seatgate_guards')).toEqual([])
  })

  it.each([['INSERT OR IGNORE'], ['INSERT OR REPLACE'], ['REPLACE']])(
    'abort on %s',
    async (verb) => {
      await expect(run(`${verb} INTO seatgate_guards VALUES ('stale')`)).rejects.toThrow(
        /guard:stale/
      )
    }
  )
})

describe('operations and sessions', () => {
  it('keep one answer for each actor and key, and refuse text that is no JSON', async () => {
    const insert = (actor: string, id: string, outcome = '{}') =>
      run("INSERT INTO seatgate_operations VALUES (?, ?, 'digest', ?, 1)", actor, id, outcome)
    await insert('ada', 'once')
    await insert('grace', 'once')
    await expect(insert('ada', 'once')).rejects.toThrow(/UNIQUE/)
    await expect(insert('ada', '')).rejects.toThrow(/CHECK/)
    await expect(insert('ada', 'x'.repeat(256))).rejects.toThrow(/CHECK/)
    await expect(insert('ada', 'broken', '{')).rejects.toThrow(/CHECK/)
  })

  it('take no text for a token’s hash that is not as long as one', async () => {
    await expect(
      run("INSERT INTO seatgate_sessions VALUES ('a plain token', 'ada', NULL, 1, 1, 1)")
    ).rejects.toThrow(/CHECK/)
  })
})
