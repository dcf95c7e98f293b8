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
}

export const testEnv = env as unknown as TestEnv

await applyD1Migrations(testEnv.DB, testEnv.TEST_MIGRATIONS)
