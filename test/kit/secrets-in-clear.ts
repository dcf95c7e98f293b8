/**
 * Finds secrets in what is stored: as they are, as bytes, in hex, in Base64 of either alphabet and at any
 * offset, and in JSON within JSON.
 *
 * @module
 */
import { runInDurableObject } from 'cloudflare:test'
import { testEnv } from './environment.ts'

const utf8 = (text: string) => new TextEncoder().encode(text)
const latin1 = (bytes: Iterable<number>) => String.fromCharCode(...bytes)
const unified = (text: string) => text.replaceAll('-', '+').replaceAll('_', '/')

/** An invitation's token: its text, the text of the bytes inside of it, and these bytes. */
export function secretsOf(token: string): readonly Uint8Array[] {
  const [raw] = JSON.parse(atob(unified(token)).slice(32)) as [string]
  const bytes = Uint8Array.from(atob(unified(raw)), (char) => char.charCodeAt(0))
  if (bytes.length !== 32) throw new Error('These are not the bytes of a token.')
  return [utf8(token), utf8(raw), bytes]
}

/** Where the tokens are in clear, as `table.column`, in D1 and in an organization's ledger. */
export async function inClear(
  organizationId: string,
  tokens: readonly string[]
): Promise<readonly string[]> {
  const stored = [...(await cellsOfDatabase()), ...(await cellsOfLedger(organizationId))]
  const places = stored.filter(([, value]) => containsToken(value, tokens)).map(([place]) => place)
  return [...new Set(places)].toSorted()
}

/** Whether a value tells one of the tokens. */
export function containsToken(value: unknown, tokens: readonly string[]): boolean {
  const forms = tokens.flatMap(secretsOf).flatMap(formsOf)
  const texts = [...textsIn(value)]
  return texts.some((text) => forms.some(([read, form]) => read(text).includes(form)))
}

type Form = readonly [read: (text: string) => string, form: string]

function formsOf(secret: Uint8Array): readonly Form[] {
  const hex = [...secret].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  // What stands before it decides how its bits fall; the characters at its ends are shared.
  const inBase64 = [0, 1, 2].map((offset) =>
    btoa(latin1([...Array.from({ length: offset }, () => 0), ...secret])).slice(4, -4)
  )
  return [
    [(text) => text, latin1(secret)],
    [(text) => text.toLowerCase(), hex],
    ...inBase64.map((form): Form => [unified, form]),
  ]
}

function* textsIn(value: unknown): Generator<string> {
  if (value instanceof ArrayBuffer) yield latin1(new Uint8Array(value))
  else if (isBytes(value)) yield latin1(value)
  else if (typeof value === 'string') {
    yield value
    const inside = parsed(value)
    if (typeof inside === 'string' || typeof inside === 'object') yield* textsIn(inside)
  } else if (typeof value === 'object' && value !== null) {
    yield* Object.keys(value)
    for (const each of Object.values(value)) yield* textsIn(each)
  }
}

// D1 answers a blob as an array of numbers.
const isBytes = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.length > 0 && value.every((each) => each >= 0 && each < 256)

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

type Cell = readonly [place: string, value: unknown]

const cellsOf = (table: string, rows: readonly unknown[]): readonly Cell[] =>
  rows.flatMap((row) =>
    Object.entries(row as object).map(([column, value]): Cell => [`${table}.${column}`, value])
  )

const TABLES = `SELECT name FROM sqlite_master WHERE type = 'table'
  AND name NOT LIKE '\\_cf%' ESCAPE '\\' AND name NOT LIKE 'sqlite%'`

async function cellsOfDatabase(): Promise<readonly Cell[]> {
  const { results } = await testEnv.DB.prepare(TABLES).all<{ name: string }>()
  const tables = await testEnv.DB.batch(
    results.map(({ name }) => testEnv.DB.prepare(`SELECT * FROM "${name}"`))
  )
  return tables.flatMap((rows, index) => cellsOf(results[index]!.name, rows.results))
}

async function cellsOfLedger(organizationId: string): Promise<readonly Cell[]> {
  const ledger = testEnv.SEATS.getByName(organizationId)
  return runInDurableObject(ledger, (_, { storage }) =>
    storage.sql
      .exec<{ name: string }>(TABLES)
      .toArray()
      .flatMap(({ name }) =>
        cellsOf(`ledger.${name}`, storage.sql.exec(`SELECT * FROM "${name}"`).toArray())
      )
  )
}
