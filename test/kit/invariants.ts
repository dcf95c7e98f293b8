/**
 * The checkers of `seatgate/testing` on the real stores.
 */
import { runInDurableObject } from 'cloudflare:test'
import * as testing from '../../src/testing/index.ts'
import type { Circumstances, LedgerState, State } from '../../src/testing/index.ts'
import { testEnv } from './environment.ts'

export { violations as violationsIn } from '../../src/testing/index.ts'
export type {
  Circumstances,
  InvitationState,
  LedgerState,
  MemberState,
  OrganizationState,
  State,
} from '../../src/testing/index.ts'

/** Reads D1 first, in one batch, then the ledger. */
export async function readState(organizationId: string): Promise<State> {
  const stored = await testing.readStored(testEnv.DB, organizationId, new Date())
  return { ...stored, ledger: await readLedger(organizationId) }
}

export function readLedger(organizationId: string): Promise<LedgerState | null> {
  return runInDurableObject(testEnv.SEATS.getByName(organizationId), (_ledger, { storage }) =>
    testing.readLedger(storage.sql)
  )
}

/** Ledgers in D1 whose organization does not exist. */
export async function ledgersWithoutOrganization(): Promise<unknown[]> {
  const { results } = await testEnv.DB.prepare(
    `SELECT organization_id FROM seatgate_seat_ledgers
     WHERE organization_id NOT IN (SELECT id FROM seatgate_organizations)`
  ).all()
  return results
}

/** Everything that is wrong with an organization. */
export async function violations(
  organizationId: string,
  circumstances: Circumstances
): Promise<readonly string[]> {
  return testing.violations(await readState(organizationId), circumstances)
}

/** Checks all organizations, as a host does with `expectSound`. */
export function expectAllSound(
  provider: string,
  options: Omit<testing.SoundOptions, 'database' | 'ledger'> = {}
): Promise<void> {
  const ledger = provider === 'ledger' ? { ledger: readLedger } : {}
  return testing.expectSound({ database: testEnv.DB, ...ledger, ...options })
}
