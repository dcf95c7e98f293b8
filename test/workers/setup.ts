import { reset, type D1Migration } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import type { WakeUp } from '../../src/index.ts'
import type { SeatLedger } from '../../src/runtime/seat-ledger.ts'

/** What the tests find in their environment. */
export interface TestEnv {
  readonly DB: D1Database
  readonly SEATS: DurableObjectNamespace<SeatLedger>
  readonly AUDIT_QUEUE: Queue<WakeUp>
  readonly TEST_MIGRATIONS: D1Migration[]
  readonly SCALE: string
}

export const testEnv = env as unknown as TestEnv

/** Whether all is run of what takes long: `npm run scale`. Otherwise it is a share of it. */
export const WHOLE = testEnv.SCALE === 'whole'

/** Empties every store. For tests that compare all there is: what others have left takes them time. */
export async function freshStores(): Promise<void> {
  await reset()
  const { DB, TEST_MIGRATIONS } = testEnv
  // In one batch: a trip for each of them would take longer than most files.
  await DB.batch(TEST_MIGRATIONS.flatMap(({ queries }) => queries).map((sql) => DB.prepare(sql)))
}
