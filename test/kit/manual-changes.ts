/**
 * What somebody does to the stores by hand, past the library: drift, to be found and repaired.
 *
 * @module
 */
import { runInDurableObject } from 'cloudflare:test'
import { expect } from 'vitest'
import { forwardOrganization, seatUsage, verifySeats } from '../../src/index.ts'
import { leak, miscounted, overshoot } from '../../src/testing/index.ts'
import { copyOf, originalOf, type Original } from './copies.ts'
import { ledgerOf } from './faults.ts'
import { invite } from './invitations.ts'
import { readState } from './invariants.ts'
import { testEnv } from './environment.ts'
import {
  unwrap,
  createKit,
  join,
  knownOrganization,
  newOrganization,
  type TestOrganization,
  type Kit,
} from './kit.ts'

/** Runs SQL on D1. */
export async function inD1(sql: string, ...values: unknown[]): Promise<void> {
  await testEnv.DB.prepare(sql)
    .bind(...values)
    .run()
}

/** Runs SQL in a ledger's own storage. */
export async function inLedger(
  organization: TestOrganization,
  sql: string,
  ...values: unknown[]
): Promise<void> {
  await runInDurableObject(ledgerOf(organization), (_ledger, { storage }) => {
    storage.sql.exec(sql, ...values)
  })
}

/** Puts a member into D1, with a seat or without. */
export async function insertMember(
  { id }: TestOrganization,
  userId: string,
  seatId: string | null
): Promise<void> {
  await inD1(
    `INSERT INTO seatgate_memberships (id, organization_id, user_id, role, seat_id, created_at, updated_at)
     VALUES (?, ?, ?, 'member', ?, 0, 0)`,
    crypto.randomUUID(),
    id,
    userId,
    seatId
  )
}

/** Puts an open invitation into D1 that holds a seat. */
export async function insertInvitation({ id }: TestOrganization, seatId: string): Promise<void> {
  const email = `${seatId}@example.com`
  await inD1(
    `INSERT INTO seatgate_invitations (id, organization_id, email, role, token_hash, seat_id, expires_at,
       created_at, updated_at) VALUES (?, ?, ?, 'member', ?, ?, ?, 0, 0)`,
    crypto.randomUUID(),
    id,
    email,
    seatId.replaceAll('-', '').repeat(2),
    seatId,
    Date.now() + 3_600_000
  )
}

/** The kinds of what differs, in the order in which it is told. */
export async function differencesOf(
  { seatgate }: Kit,
  organization: TestOrganization
): Promise<string[]> {
  const verified = unwrap(await verifySeats(seatgate, organization.asOperator))
  return verified.differences.map(({ kind }) => kind)
}

/** An organization of three members and an invitation, and its seats as they are. */
export async function team(kit: Kit) {
  const organization = await newOrganization(kit, 6)
  const member = await join(kit, organization)
  const other = await join(kit, organization)
  const invitation = await invite(kit, organization)
  await forwardOrganization(kit.seatgate, organization.id)
  const { members, invitations } = await readState(organization.id)
  const seatOf = (userId: string) =>
    members.find(({ user_id }) => user_id === userId)!.seat_id ?? ''
  return {
    organization,
    member,
    other,
    invitation,
    seat: seatOf(member),
    otherSeat: seatOf(other),
    promisedSeat: invitations[0]!.seat_id ?? '',
  }
}

/** What {@link team} answers. */
export type ManualTeam = Awaited<ReturnType<typeof team>>

let original: Promise<Original<ManualTeam>> | undefined

/** A copy of such an organization, whose ledger has its seats from D1. */
export async function copiedTeam(kit: Kit): Promise<ManualTeam> {
  original ??= originalOf(() => team(createKit()))
  const { invitation } = (await original).made
  const copy = await copyOf(await original, { invitations: [invitation] })
  const organization = knownOrganization(copy.organization)
  unwrap(await seatUsage(kit.seatgate, organization.asOperator))
  return { ...copy, organization }
}

/** Seats and counters are as D1 has them. What was done by hand is not on record, so that is not asked. */
export async function expectRepaired({ id }: TestOrganization): Promise<void> {
  const state = await readState(id)
  expect([
    ...overshoot(state, { quiet: true, usedWhenLowered: 100 }),
    ...leak(state),
    ...miscounted(state),
  ]).toEqual([])
}

/** What was put on record as repaired. */
export async function repairsOf({ id }: TestOrganization) {
  return (await readState(id)).events.filter(({ action }) => action === 'seat.drift_repaired')
}

/** How often there is which. */
export function tally(kinds: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const kind of kinds) counts[kind] = (counts[kind] ?? 0) + 1
  return counts
}

const OF_ORGANIZATIONS = (
  'seatgate_memberships seatgate_invitations seatgate_member_counts seatgate_entitlements seatgate_seat_ledgers seatgate_seat_fences ' +
  'seatgate_audit_events seatgate_audit_outbox seatgate_sink_cursors'
).split(' ')

/** Remembers what D1 has of an organization; answers how to bring it back there. */
export async function pointInD1({ id }: TestOrganization): Promise<() => Promise<void>> {
  const database = testEnv.DB
  const then = await database.batch<Record<string, unknown>>(
    OF_ORGANIZATIONS.map((table) =>
      database.prepare(`SELECT * FROM ${table} WHERE organization_id = ?`).bind(id)
    )
  )
  const { results: triggers } = await database
    .prepare("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name IN (?, ?)")
    .bind('seatgate_audit_events', 'seatgate_memberships')
    .all<{ name: string; sql: string }>()
  return async () => {
    await database.batch([
      ...triggers.map(({ name }) => database.prepare(`DROP TRIGGER ${name}`)),
      ...OF_ORGANIZATIONS.flatMap((table, index) => [
        database.prepare(`DELETE FROM ${table} WHERE organization_id = ?`).bind(id),
        ...(then[index]?.results ?? []).map((row) =>
          database
            .prepare(`INSERT INTO ${table} VALUES (${Object.keys(row).map(() => '?')})`)
            .bind(...Object.values(row))
        ),
      ]),
      ...triggers.map(({ sql }) => database.prepare(sql)),
    ])
  }
}

/** Remembers what a ledger has; answers how to bring it back there. */
export async function pointInLedger(organization: TestOrganization): Promise<() => Promise<void>> {
  const inStorage = (act: (sql: SqlStorage) => unknown) =>
    runInDurableObject(ledgerOf(organization), (_ledger, { storage }) => act(storage.sql))
  const rows = (sql: SqlStorage, table: string) => [...sql.exec(`SELECT * FROM ${table}`).raw()]
  let then: Record<'seats' | 'ledger', SqlStorageValue[][]> = { seats: [], ledger: [] }
  await inStorage((sql) => {
    then = { seats: rows(sql, 'seats'), ledger: rows(sql, 'ledger') }
  })
  return async () => {
    await inStorage((sql) => {
      // Without a ledger the triggers count nothing.
      sql.exec('DELETE FROM ledger')
      sql.exec('DELETE FROM seats')
      for (const table of ['seats', 'ledger'] as const) {
        for (const row of then[table]) {
          sql.exec(`INSERT INTO ${table} VALUES (${row.map(() => '?')})`, ...row)
        }
      }
    })
  }
}
