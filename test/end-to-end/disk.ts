/**
 * What is on disk while no process is at work: D1's file and the ledgers', as they were at that moment.
 *
 * @module
 */
import { randomUUID } from 'node:crypto'
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { prepareState } from '../../scripts/local-worker.ts'

type Row = Record<string, unknown>

interface Circumstances {
  readonly quiet: boolean
  readonly usedWhenLowered: number
}

/** As the checkers take it. */
export type StateOnDisk = Readonly<Record<string, unknown>>

// Loaded by path: what it imports has the types of another runtime.
const checkers = '../../src/testing/index.ts'

/** Everything that is wrong with an organization on disk. */
export async function violationsOnDisk(
  directory: string,
  organizationId: string,
  circumstances: Circumstances
): Promise<string[]> {
  const { violations } = (await import(checkers)) as {
    violations(state: StateOnDisk, circumstances: Circumstances): string[]
  }
  return inCopy(directory, (files) => violations(readState(files, organizationId), circumstances))
}

/** The rows that a query finds in D1's file. */
export function rowsOnDisk(directory: string, query: string): Promise<readonly Row[]> {
  return inCopy(directory, (files) =>
    files.flatMap((file) =>
      withTable(file, 'seatgate_organizations', (database) => database.prepare(query).all()).flat()
    )
  )
}

// Whoever opens a database that was left by a crash mends it: that is the runtime's to do.
async function inCopy<T>(directory: string, read: (files: readonly string[]) => T): Promise<T> {
  const copy = await mkdtemp(join(tmpdir(), 'seatgate-disk-'))
  try {
    await cp(join(directory, 'v3'), copy, { recursive: true })
    return read(await databasesIn(copy))
  } finally {
    await rm(copy, { recursive: true, force: true })
  }
}

/**
 * Puts people into D1 that nobody ever signs in as, and answers their ids: to hash a password takes
 * longer than all that is done with them.
 */
export async function putPeople(directory: string, count: number): Promise<readonly string[]> {
  await prepareState({ persistTo: directory })
  const ids = Array.from({ length: count }, () => randomUUID())
  const [put = 0] = (await databasesIn(join(directory, 'v3'))).flatMap((file) =>
    withTable(file, 'users', (database) => {
      const { changes } = database
        .prepare(
          `INSERT INTO users (id, email, password_hash, created_at)
           SELECT value, value || '@example.com', 'none', 0 FROM json_each(?)`
        )
        .run(JSON.stringify(ids))
      return Number(changes)
    })
  )
  if (put !== count) throw new Error(`${put} of ${count} people are there.`)
  return ids
}

async function databasesIn(directory: string): Promise<readonly string[]> {
  const files = await readdir(directory, { recursive: true })
  return files.filter((path) => path.endsWith('.sqlite')).map((path) => join(directory, path))
}

function readState(files: readonly string[], organizationId: string): StateOnDisk {
  const [d1] = files.flatMap((file) =>
    withTable(file, 'seatgate_organizations', (database) => {
      const all = (sql: string) => database.prepare(sql).all(organizationId) as Row[]
      const first = (sql: string) => all(sql)[0] ?? null
      return {
        organization: first(`SELECT name, slug, enforce_mfa_for_members, deleted_at
        FROM seatgate_organizations WHERE id = ?`),
        members: all(`SELECT user_id, role, status, seat_id, suspended_by
        FROM seatgate_memberships WHERE organization_id = ?`),
        invitations: all(`SELECT id, seat_id, role, expires_at <= ${Date.now()} AS expired,
        accepted_at, revoked_at, declined_at FROM seatgate_invitations WHERE organization_id = ?`),
        counts: first(
          'SELECT active, suspended, seats FROM seatgate_member_counts WHERE organization_id = ?'
        ),
        events:
          all(`SELECT sequence, action, actor_id, target_id, metadata FROM seatgate_audit_events
        WHERE organization_id = ? ORDER BY sequence`).map((event) => ({
            ...event,
            metadata: JSON.parse(String(event['metadata'])) as unknown,
          })),
        entitlement: first(`SELECT version, limit_kind, limit_seats
        FROM seatgate_entitlements WHERE organization_id = ?`),
        epoch: Number(
          first('SELECT epoch FROM seatgate_seat_ledgers WHERE organization_id = ?')?.['epoch'] ?? 0
        ),
        fences: all('SELECT seat_id FROM seatgate_seat_fences WHERE organization_id = ?').map(
          (row) => row['seat_id']
        ),
        horizon: Number(
          first(`SELECT coalesce(max(last_sequence), 0) AS horizon
          FROM seatgate_audit_purges WHERE organization_id = ?`)?.['horizon']
        ),
        line: all(`SELECT id FROM seatgate_join_requests
        WHERE organization_id = ? AND state = 'waiting' ORDER BY place`).map((row) => row['id']),
      }
    })
  )
  if (d1 === undefined) throw new Error('There is no database on disk.')
  const [ledger = null] = files.flatMap((file) =>
    withTable(file, 'ledger', (database) => {
      const row = database
        .prepare('SELECT * FROM ledger WHERE organization_id = ?')
        .get(organizationId)
      if (row === undefined) return undefined
      const { claims, ...counts } = row
      const claimed = JSON.parse(String(claims)) as Record<string, unknown>
      const seats = database.prepare('SELECT seat_id, holder, deadline FROM seats').all()
      return {
        ...counts,
        seats: seats.map(({ seat_id, holder, deadline }) => ({
          seat_id,
          holder,
          state: deadline === null && !(String(seat_id) in claimed) ? 'held' : 'reserved',
        })),
      }
    })
  )
  return { ...d1, ledger }
}

function withTable<T>(
  file: string,
  table: string,
  use: (database: DatabaseSync) => T | undefined
): T[] {
  const database = new DatabaseSync(file)
  try {
    const found = database
      .prepare(`SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?`)
      .get(table)
    const answer = found === undefined ? undefined : use(database)
    return answer === undefined ? [] : [answer]
  } finally {
    database.close()
  }
}
