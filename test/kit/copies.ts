/**
 * Copies of what the library has made: the same rows once more, under new names. A team takes it a
 * dozen operations, a copy of one takes a single trip.
 *
 * @module
 */
import { newSession } from '../../host/identity/sessions.ts'
import type { InvitationWithToken } from '../../src/index.ts'
import { openToken, sealToken } from '../../src/operations/invitations/token.ts'
import { sha256 } from '../../src/proof/encoding.ts'
import { everything, type Rows } from './rows.ts'
import { testEnv } from './environment.ts'
import { SECRET } from './kit.ts'

/** Something, and the rows that came to be with it. */
export interface Original<T> {
  readonly made: T
  readonly rows: Rows
}

/** Makes something, and keeps what it is made of. */
export async function originalOf<T>(make: () => Promise<T>): Promise<Original<T>> {
  const before = await everything()
  const made = await make()
  const after = Object.entries(await everything())
  const rows = after.map(([table, now]) => {
    const known = new Set(before[table])
    return [table, now.filter((row) => !known.has(row))] as const
  })
  return { made, rows: Object.fromEntries(rows) }
}

/** What a copy has tokens of its own for. */
export interface Tokens {
  readonly invitations: readonly InvitationWithToken[]
  readonly sessions?: readonly { readonly token: string }[]
}

/** Puts a copy into D1. */
export async function copyOf<T>(
  { made, rows }: Original<T>,
  { invitations, sessions = [] }: Tokens
): Promise<T> {
  const names = new Map<string, string>()
  const renamed = (text: string) => text.replaceAll(NAME, (name) => newNameOf(names, name))
  for (const { id, email, expiresAt, token } of invitations) {
    const copy = { id: renamed(id), email: renamed(email), expiresAt: new Date(expiresAt) }
    const random = crypto.getRandomValues(new Uint8Array(32))
    const { envelope, tokenHash } = sealToken(SECRET, random, copy)
    names.set(openToken(SECRET, token)!.tokenHash, tokenHash).set(token, envelope)
  }
  for (const { token } of sessions) {
    const session = await newSession()
    names.set(await sha256(token), session.tokenHash).set(token, session.token)
  }
  const filled = Object.entries(rows).filter(([, all]) => all.length > 0)
  await testEnv.DB.batch(
    filled
      .filter(([table]) => !LEFT_OUT.has(table))
      .map(([table, all]) => insertion(table, all.map(renamed)))
  )
  return copied(made, (text) => names.get(text) ?? renamed(text)) as T
}

// Whatever is named at random: ids, hashes of tokens, slugs.
const NAME = /[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}|[\da-f]{64}|[\da-f]{32}/g

// Two are kept by triggers; the other is what is still to be forwarded, and the original has been.
const LEFT_OUT: ReadonlySet<string> = new Set([
  'seatgate_member_counts',
  'seatgate_audit_retention',
  'seatgate_audit_outbox',
])

function newNameOf(names: Map<string, string>, name: string): string {
  const newName = names.get(name) ?? (name.includes('-') ? crypto.randomUUID() : hex(name.length))
  names.set(name, newName)
  return newName
}

function hex(length: number): string {
  const half = () => crypto.randomUUID().replaceAll('-', '')
  return (half() + half()).slice(0, length)
}

function insertion(table: string, rows: readonly string[]): D1PreparedStatement {
  const row = JSON.parse(rows[0]!) as Record<string, unknown>
  // An id that is a number is D1's to give.
  const columns = Object.keys(row).filter((name) => name !== 'id' || typeof row[name] !== 'number')
  const values = columns.map((column) => `value ->> '$.${column}'`)
  return testEnv.DB.prepare(
    `INSERT INTO "${table}" (${columns.map((column) => `"${column}"`).join(', ')})
     SELECT ${values.join(', ')} FROM json_each(?)`
  ).bind(`[${rows.join(',')}]`)
}

/** The same with other texts; functions stay behind, as they know the original. */
function copied(value: unknown, text: (original: string) => string): unknown {
  if (typeof value === 'string') return text(value)
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  if (Array.isArray(value)) return value.map((item) => copied(item, text))
  const entries = Object.entries(value).filter(([, item]) => typeof item !== 'function')
  return Object.fromEntries(entries.map(([key, item]) => [key, copied(item, text)]))
}
