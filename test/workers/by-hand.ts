/**
 * What somebody does to the stores by hand, past the library: drift, to be found and repaired.
 *
 * @module
 */
import { runInDurableObject } from 'cloudflare:test'
import { verifySeats } from '../../src/index.ts'
import { ledgerOf } from './faults.ts'
import { testEnv } from './setup.ts'
import { answered, type TestOrganization, type World } from './world.ts'

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
    `INSERT INTO memberships (id, organization_id, user_id, role, seat_id, created_at, updated_at)
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
    `INSERT INTO invitations (id, organization_id, email, role, token_hash, seat_id, expires_at,
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
  { seatgate }: World,
  organization: TestOrganization
): Promise<string[]> {
  const verified = answered(await verifySeats(seatgate, organization.asOperator))
  return verified.differences.map(({ kind }) => kind)
}
