/**
 * The migration of `seatgate_audit_personal`, whose key has become the user: on the rows that older code
 * wrote, and wherever an apply has stopped.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { migrated, migrationNames } from '../../scripts/schema.ts'

const names = migrationNames()
const at = names.findIndex((name) => name.endsWith('_audit_personal_by_user.sql'))
const folder = fileURLToPath(new URL('../../migrations/', import.meta.url))
const textOf = (name: string) => readFileSync(folder + name, 'utf8')
const moving = textOf(names[at]!)
const statements = moving
  .replaceAll(/^--.*$/gm, '')
  .split(';')
  .filter((statement) => statement.trim() !== '')

const digest = (letter: string) => letter.repeat(64)

interface Written {
  readonly organization: string
  readonly actor: readonly [type: string, id: string | null]
  readonly effective?: string
  readonly digest: string | null
}

const EVENTS: readonly Written[] = [
  { organization: 'o', actor: ['user', 'ada'], effective: 'ada', digest: digest('a') },
  { organization: 'o', actor: ['user', 'ada'], effective: 'ada', digest: digest('a') },
  { organization: 'o', actor: ['operator', 'ops'], effective: 'ada', digest: digest('b') },
  { organization: 'o', actor: ['anonymous', null], digest: digest('c') },
  // Events of the host with actors of their own: by a caller without an id, and several by one caller.
  { organization: 'o', actor: ['user', 'ben'], digest: digest('d') },
  { organization: 'o', actor: ['user', 'cid'], effective: 'eva', digest: digest('e') },
  { organization: 'o', actor: ['job', 'nightly'], effective: 'eva', digest: digest('e') },
  { organization: 'o', actor: ['system', null], effective: 'eva', digest: digest('e') },
  { organization: 'o', actor: ['user', 'ada'], effective: 'ada', digest: null },
  // What was erased.
  { organization: 'o', actor: ['user', 'gone'], effective: 'gone', digest: digest('f') },
  { organization: 'other', actor: ['user', 'ada'], effective: 'ada', digest: digest('a') },
]

/** The rows of older code: under the caller of the batch. */
const ROWS: readonly (readonly [organization: string, digest: string, user: string | null])[] = [
  ['o', digest('a'), 'ada'],
  ['o', digest('b'), 'ops'],
  ['o', digest('c'), null],
  ['o', digest('d'), null],
  ['o', digest('e'), 'eva'],
  ['o', digest('9'), 'nobody'],
  ['other', digest('a'), 'ada'],
]

const MOVED = [
  ['', 'o', 'c'],
  ['ada', 'o', 'a'],
  ['ada', 'other', 'a'],
  ['ben', 'o', 'd'],
  ['cid', 'o', 'e'],
  ['eva', 'o', 'e'],
  ['nightly', 'o', 'e'],
  ['ops', 'o', 'b'],
]

function olderDatabase(): DatabaseSync {
  const database = migrated(names.slice(0, at))
  const event = database.prepare(
    `INSERT INTO seatgate_audit_events (organization_id, sequence, id, action, outcome, actor_type, actor_id,
       effective_user_id, personal_digest, occurred_at, inserted_at)
     SELECT ?1, 1 + count(*), ?1 || count(*), 'a.b', 'success', ?2, ?3, ?4, ?5, 1, 1
     FROM seatgate_audit_events WHERE organization_id = ?1`
  )
  for (const { organization, actor, effective = null, digest } of EVENTS) {
    event.run(organization, ...actor, effective, digest)
  }
  const row = database.prepare(
    `INSERT INTO seatgate_audit_personal (organization_id, digest, user_id, salt, ip_address, user_agent)
     VALUES (?, ?, ?, ?, '192.0.2.1', ?)`
  )
  for (const [organization, digest, user] of ROWS) {
    row.run(organization, digest, user, digest, `of ${digest[0]} in ${organization}`)
  }
  return database
}

function rowsOf(database: DatabaseSync) {
  const rows = database
    .prepare(
      'SELECT user_id, organization_id, digest, salt, ip_address, user_agent FROM seatgate_audit_personal'
    )
    .all()
  return rows.map(({ user_id, organization_id, digest, ...data }) => {
    const letter = String(digest)[0]
    const agent = `of ${letter} in ${String(organization_id)}`
    expect(data).toEqual({ salt: digest, ip_address: '192.0.2.1', user_agent: agent })
    return [user_id, organization_id, letter]
  })
}

function finish(database: DatabaseSync): DatabaseSync {
  for (const name of names.slice(at)) database.exec(textOf(name))
  return database
}

describe('the personal data of an older database', () => {
  test('stand under the user of each event that names them; others are gone', () => {
    expect(rowsOf(finish(olderDatabase()))).toEqual(MOVED)
  })

  test.each(statements.map((_, done) => done + 1))(
    'are the same if an apply has stopped behind statement %i, and when it is repeated',
    (done) => {
      const database = olderDatabase()
      for (const statement of statements.slice(0, done)) database.exec(statement)
      expect(rowsOf(finish(database))).toEqual(MOVED)
    }
  )

  test('cannot be changed or replaced afterwards, and are written as older code does', () => {
    const database = finish(olderDatabase())
    const write = (verb: string, user: string | null, letter: string) =>
      database
        .prepare(
          `${verb} INTO seatgate_audit_personal (organization_id, digest, user_id, salt) VALUES ('o', ?2, ?1, ?2)`
        )
        .run(user, digest(letter))
    const refusal = /audit_immutable/
    expect(() => write('INSERT OR REPLACE', null, 'c')).toThrow(refusal)
    expect(() => write('INSERT OR REPLACE', '', 'c')).toThrow(refusal)
    expect(() => write('INSERT OR REPLACE', 'ada', 'a')).toThrow(refusal)
    expect(() => database.exec("UPDATE seatgate_audit_personal SET ip_address = '::1'")).toThrow(
      refusal
    )
    write('INSERT', null, '1')
    database
      .prepare(
        `INSERT INTO seatgate_audit_personal (organization_id, digest, user_id, salt)
         SELECT 'o', value, ?, value FROM json_each(?) WHERE true`
      )
      .run(null, JSON.stringify(['2', '3'].map(digest)))
    const found = database
      .prepare("SELECT digest FROM seatgate_audit_personal WHERE user_id = '' AND salt < 'a'")
      .all()
    expect(found.map(({ digest }) => digest)).toEqual(['1', '2', '3'].map(digest))
  })
})
