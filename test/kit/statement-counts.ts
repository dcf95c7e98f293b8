/**
 * Worlds that count the statements which D1 is asked, and organizations of any size.
 *
 * @module
 */
import { expect } from 'vitest'
import type { Around, Trip } from '../../bench/meter.ts'
import { testEnv } from './environment.ts'
import { createKit, type Kit, type KitOptions } from './kit.ts'

declare global {
  interface ImportMeta {
    glob(patterns: readonly string[], options: object): Record<string, string>
  }
}

const [storageDocs = ''] = Object.values(
  import.meta.glob(['../../docs/storage.md'], { query: '?raw', import: 'default', eager: true })
)

/** How many statements the documentation says that something takes at most. */
export function documented(work: string): number {
  const section = /## How many statements\n([^]*?)\n## /.exec(storageDocs)?.[1] ?? ''
  const [, most] = new RegExp(`^\\| ${work} +\\| +([\\d,]+) +\\|`, 'm').exec(section) ?? []
  if (most === undefined) throw new Error(`docs/storage.md has no row "${work}".`)
  return Number(most.replaceAll(',', ''))
}

/** What D1 takes in one invocation of a Worker. */
export const MOST_STATEMENTS = 1000

/** A world that keeps what D1 was asked, work after the answer included. */
export function countingKit(options: KitOptions, create: (options: KitOptions) => Kit = createKit) {
  const trips: Trip[] = []
  const around: Around = (trip, run) => {
    if (trip.store === 'd1') trips.push(trip)
    return run()
  }
  const kit = create({ ...options, around })
  return {
    ...kit,
    async statementsOf(act: () => Promise<unknown>): Promise<number> {
      trips.length = 0
      await act()
      await kit.settled()
      expectWithinLimits(trips)
      return trips.reduce((sum, { asked }) => sum + asked.length, 0)
    },
  }
}

function expectWithinLimits(trips: readonly Trip[]): void {
  for (const { asked, bound = [] } of trips) {
    for (const sql of asked) expect(sql.length).toBeLessThan(100_000)
    for (const values of bound) {
      expect(values.length).toBeLessThanOrEqual(100)
      for (const value of values) expect(String(value).length).toBeLessThan(2_000_000)
    }
  }
}

const numbers = (count: number) => JSON.stringify(Array.from({ length: count }, (_, at) => at + 1))

/** Puts so many members into D1, each a user of the host, with a seat or without. */
export async function crowd(organizationId: string, count: number, seated = true): Promise<void> {
  const name = crypto.randomUUID()
  const run = (sql: string) => testEnv.DB.prepare(sql).bind(name, numbers(count))
  await testEnv.DB.batch([
    run(`INSERT INTO users (id, email, password_hash, created_at)
      SELECT 'u' || value || ?1, value || ?1 || '@example.com', 'none', 0 FROM json_each(?2)`),
    testEnv.DB.prepare(
      `INSERT INTO seatgate_memberships
         (id, organization_id, user_id, role, seat_id, created_at, updated_at)
       SELECT 'm' || value || ?1, ?3, 'u' || value || ?1, 'member',
         CASE WHEN ?4 THEN 's' || value || ?1 END, value, 1 FROM json_each(?2)`
    ).bind(name, numbers(count), organizationId, seated ? 1 : 0),
  ])
}

/** Puts so many open invitations of somebody's into D1, each with a seat. */
export async function invitees(
  organizationId: string,
  count: number,
  inviter: string
): Promise<void> {
  await testEnv.DB.prepare(
    `INSERT INTO seatgate_invitations (id, organization_id, email, role, token_hash, seat_id, expires_at,
       invited_by_id, created_at, updated_at)
     SELECT 'i' || value || ?1, ?2, value || ?1 || '@example.com', 'member',
       substr(hex(zeroblob(32)) || value || replace(?1, '-', ''), -64), 'is' || value || ?1, ?4,
       ?3, value, 1 FROM json_each(?5)`
  )
    .bind(crypto.randomUUID(), organizationId, inviter, Date.now() + 3_600_000, numbers(count))
    .run()
}

/** Puts so many people into the line by SQL, behind those who are there. Answers them in order. */
export async function line(organizationId: string, count: number): Promise<readonly string[]> {
  const name = crypto.randomUUID()
  await testEnv.DB.batch([
    testEnv.DB.prepare(
      `INSERT INTO users (id, email, password_hash, created_at)
       SELECT 'w' || value || ?1, 'w' || value || ?1 || '@example.com', 'none', 0
       FROM json_each(?2)`
    ).bind(name, numbers(count)),
    testEnv.DB.prepare(
      `INSERT INTO seatgate_join_requests (id, organization_id, user_id, role, path, state, place,
         created_at, updated_at)
       SELECT 'r' || value || ?1, ?3, 'w' || value || ?1, 'member', 'domain', 'waiting',
         1000 + value, value, 1 FROM json_each(?2)`
    ).bind(name, numbers(count), organizationId),
  ])
  return Array.from({ length: count }, (_, at) => `w${at + 1}${name}`)
}

/** How many people wait in line, of some organizations. */
export async function waitingIn(ids: readonly string[]): Promise<number> {
  const waiting = await testEnv.DB.prepare(
    `SELECT count(*) AS waiting FROM seatgate_join_requests WHERE state = 'waiting'
     AND organization_id IN (SELECT value FROM json_each(?))`
  )
    .bind(JSON.stringify(ids))
    .first<number>('waiting')
  return waiting ?? 0
}
