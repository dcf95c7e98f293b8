import { reset, type D1Migration } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import type { WakeUp } from '../../src/index.ts'
import type { SeatLedger } from '../../src/worker/seat-ledger.ts'

/** What the tests find in their environment. */
export interface TestEnv {
  readonly DB: D1Database
  readonly SEATS: DurableObjectNamespace<SeatLedger>
  readonly AUDIT_QUEUE: Queue<WakeUp>
  readonly TEST_BUCKET: R2Bucket
  readonly TEST_MIGRATIONS: D1Migration[]
  readonly FUZZ_REQUESTS: string
  readonly FUZZ_SEED: string
}

export const testEnv = env as unknown as TestEnv

/** How many requests the fuzz of the routes makes, and with which seed: see `npm run fuzz`. */
export const FUZZ = {
  requests: Number(testEnv.FUZZ_REQUESTS),
  seed: Number(testEnv.FUZZ_SEED),
}

const RESETS = 5

/** Empties every store. For tests that compare all there is: what others have left takes them time. */
export async function freshStores(): Promise<void> {
  const { DB, TEST_MIGRATIONS } = testEnv
  // As one text, which D1 runs as one: apart they would take longer than most tests.
  const text = TEST_MIGRATIONS.flatMap(({ queries }) => queries).join(';\n')
  const made = new Set<string>()
  const migrations = text.replaceAll(
    /\bCREATE ([A-Z ]+) IF NOT EXISTS (\w+)/g,
    (again, kind: string, name: string) => {
      if (made.has(name)) return again
      made.add(name)
      return `CREATE ${kind} ${name}`
    }
  )
  for (let resets = 1; ; resets++) {
    await reset()
    try {
      await DB.prepare(migrations).run()
      return
    } catch (error) {
      // The host's own queue may be at work on what others have left, and keep the database from being
      // emptied: then a table is there already. It is at its end soon.
      if (resets === RESETS) throw error
    }
  }
}
