import type { Stage } from '../stage.ts'
import type { Operation } from '../subjects.ts'

/** A request that is ready, and the status that its answer must have. */
export interface Act {
  readonly path: string
  readonly method?: string
  readonly token: string
  readonly body?: unknown
  readonly status: number
}

export interface Person {
  readonly id: string
  readonly email: string
  readonly token: string
}

/** One person at least. */
export type People = readonly [Person, ...Person[]]

/** An organization of some size, made by the driver. */
export interface Organization {
  readonly id: string
  readonly slug: string
  readonly owner: Person
}

/** How a product is driven on its stage. */
export interface Driver {
  /** Makes the tables. */
  prepare(stage: Stage): Promise<void>
  /** Makes users with a session each. */
  people(stage: Stage, count: number): Promise<People>
  /** Makes an organization with so many members; a full one has no free seat. */
  organization(
    stage: Stage,
    options: { readonly members: number; readonly full?: boolean }
  ): Promise<Organization>
  /** Adds a user as a member. */
  adding(at: Organization, userId: string): Act
  /** Prepares an operation, for one request. It may send requests of its own. */
  readonly acts: Partial<Record<Operation, (stage: Stage, at: Organization) => Promise<Act>>>
}

let made = 0

/** People with ids that no other run of this process has. */
export function newPeople(count: number): People {
  const people = Array.from({ length: count }, () => {
    const id = `user${String(++made).padStart(8, '0')}`
    return { id, email: `${id}@bench.test`, token: `token-of-${id}-which-is-long-enough` }
  })
  return people as unknown as People
}

/** A slug that no other organization of this process has. It says the limit of one that is full. */
export function newSlug(limit: number | null = null): string {
  return limit === null ? `bench-${++made}` : `full-${limit}-${++made}`
}

/** Sends a request that must succeed. */
export async function must(stage: Stage, act: Act): Promise<Record<string, unknown>> {
  const { status, body } = await stage.fetch(act.path, act)
  if (status !== act.status) {
    throw new Error(
      `${stage.app}: ${act.method ?? 'GET'} ${act.path} is ${status}: ${JSON.stringify(body)}`
    )
  }
  return body as Record<string, unknown>
}

/** Inserts rows given as objects, in as few statements as D1 takes. */
export async function insert(
  { database }: Stage,
  table: string,
  rows: readonly Readonly<Record<string, unknown>>[]
): Promise<void> {
  const columns = Object.keys(rows[0] ?? {})
  const names = columns.map((name) => `"${name}"`).join(', ')
  const values = columns.map((name) => `value ->> '$.${name}'`).join(', ')
  for (let from = 0; from < rows.length; from += 1_000) {
    await database
      .prepare(`INSERT INTO "${table}" (${names}) SELECT ${values} FROM json_each(?)`)
      .bind(JSON.stringify(rows.slice(from, from + 1_000)))
      .run()
  }
}
