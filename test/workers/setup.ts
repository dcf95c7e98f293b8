import { applyD1Migrations, type D1Migration } from 'cloudflare:test'
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

await applyD1Migrations(testEnv.DB, testEnv.TEST_MIGRATIONS)
