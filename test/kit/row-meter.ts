/**
 * Counts what an operation costs in every store: before its answer, and after it. The queue's consumer
 * belongs to the work after it.
 *
 * @module
 */
import { runInDurableObject } from 'cloudflare:test'
import type { Around } from '../../bench/meter.ts'
import type { LedgerNamespace } from '../../src/index.ts'
import { auditQueueHandler } from '../../src/worker/index.ts'
import { testEnv } from './environment.ts'
import type { Kit } from './kit.ts'

/** What was counted, either before the answer or after it. */
export interface Count {
  trips: number
  statements: number
  read: number
  written: number
  calls: number
  objectRead: number
  /** Alarms included: setting one is billed as a row. */
  objectWritten: number
  messages: number
}

/** What an operation costs until its answer, and what follows. */
export interface RowCost {
  readonly answer: Count
  readonly after: Count
}

/** A statement that was sent to D1, with its rows. */
export interface SentStatement {
  readonly sql: string
  readonly read: number
  readonly written: number
}

type Cursor = SqlStorageCursor<Record<string, SqlStorageValue>>

const none = (): Count => ({
  trips: 0,
  statements: 0,
  read: 0,
  written: 0,
  calls: 0,
  objectRead: 0,
  objectWritten: 0,
  messages: 0,
})

export function createRowMeter() {
  let count = none()
  let sent: SentStatement[] = []
  const cursors = new Set<Cursor>()
  let alarms = 0
  let wakeUps = 0

  const ofObject = () => {
    let [read, written] = [0, alarms]
    for (const cursor of cursors) {
      read += cursor.rowsRead
      written += cursor.rowsWritten
    }
    return { read, written }
  }
  const clear = () => {
    count = none()
    cursors.clear()
    alarms = 0
  }
  const total = (): Count => {
    const { read, written } = ofObject()
    return { ...count, objectRead: read, objectWritten: written }
  }

  const watched = new Set<string>()
  const watch = async (organizationId: string) => {
    if (watched.has(organizationId)) return
    watched.add(organizationId)
    const ledger = testEnv.SEATS.getByName(organizationId)
    await runInDurableObject(ledger, (_ledger, { storage }) => {
      const { exec } = storage.sql
      storage.sql.exec = ((...query: Parameters<typeof exec>) => {
        const cursor = exec.apply(storage.sql, query)
        cursors.add(cursor as unknown as Cursor)
        return cursor
      }) as typeof exec
      const setAlarm = storage.setAlarm.bind(storage)
      storage.setAlarm = (...args) => {
        alarms += 1
        return setAlarm(...args)
      }
    })
  }
  const watchedLedger = (organizationId: string) =>
    new Proxy(
      {},
      {
        get:
          (_target, method: string) =>
          async (...asked: unknown[]) => {
            await watch(organizationId)
            const ledger = testEnv.SEATS.getByName(organizationId) as unknown as Record<
              string,
              CallableFunction
            >
            return ledger[method]!(...asked)
          },
      }
    )

  const around: Around = async (trip, run) => {
    const into = count
    if (trip.store === 'queue') into.messages += 1
    if (trip.store === 'ledger') into.calls += 1
    if (trip.store !== 'd1') return run()
    into.trips += 1
    into.statements += trip.asked.length
    const answer = await run()
    for (const [index, meta] of metas(answer).entries()) {
      into.read += meta.rows_read
      into.written += meta.rows_written
      const sql = trip.asked[index] ?? ''
      sent.push({ sql, read: meta.rows_read, written: meta.rows_written })
    }
    return answer
  }

  return {
    around,
    /** The ledgers, whose rows are counted. */
    namespace: {
      getByName: (organizationId) => watchedLedger(organizationId),
    } as LedgerNamespace,

    /** Acts, waits for the work after the answer, and serves the queue. */
    async measure<T>(
      kit: Kit,
      act: () => Promise<T>
    ): Promise<{ value: T; cost: RowCost; sent: readonly SentStatement[] }> {
      clear()
      sent = []
      const value = await act()
      // A confirmation may have begun: what is not awaited counts as work after the answer.
      const answer = total()
      clear()
      await kit.settled()
      const messages = kit.wakeUps.slice(wakeUps)
      wakeUps = kit.wakeUps.length
      if (messages.length > 0) {
        await auditQueueHandler(kit.seatgate)(batchOf(messages))
        await kit.settled()
      }
      return { value, cost: { answer, after: total() }, sent }
    },
  }
}

function batchOf(bodies: readonly unknown[]): MessageBatch {
  const messages = bodies.map((body) => ({ body, ack: () => {}, retry: () => {} }))
  return { messages } as unknown as MessageBatch
}

function metas(answer: unknown): D1Meta[] {
  const results = (Array.isArray(answer) ? answer : [answer]) as ({ meta?: D1Meta } | null)[]
  return results.flatMap((result) => (result?.meta ? [result.meta] : []))
}
