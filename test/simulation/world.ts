/**
 * One history's world: both stores, the queue, the sinks, and the processes that use them.
 *
 * @module
 */
import { drizzle } from 'drizzle-orm/d1'
import type { Report, WakeUpQueue } from '../../src/index.ts'
import { expandSeats, quantitySink, type BillingConnection } from '../../src/parts/billing/index.ts'
import { auditQueueHandler, sweepHandler } from '../../src/worker/index.ts'
import { createFlat, type FullSeatgate } from '../kit/flat-options.ts'
import { SeatLedger } from '../../src/worker/seat-ledger.ts'
import { bindDatabase, type BatchListener } from './database.ts'
import { configure, type HostOptions } from './host.ts'
import type { LedgerCall } from './ledger-object.ts'
import { createLedgers, type Ledgers } from './ledgers.ts'
import { crash, type Isolate, type Surroundings } from './network.ts'
import { createQueue, type SimulatedQueue } from './queue.ts'
import { listeningSink, type HeardByOrganization } from './sinks.ts'
import type { Connection } from './sqlite.ts'
import { sweepPayments, type Payments } from './paying.ts'

/** A Worker's isolate with its own Seatgate. */
export interface Worker {
  readonly isolate: Isolate
  readonly seatgate: FullSeatgate
  /** Its connection to the billing provider, where organizations pay. */
  readonly connection?: BillingConnection
  /** Work after the answer that is not done yet. */
  busy: number
}

export interface World {
  readonly connection: Connection
  readonly ledgers: Ledgers
  readonly queue: SimulatedQueue
  readonly heard: ReadonlyMap<string, HeardByOrganization>
  startWorker(name: string): Worker
  /** Ends every Worker. */
  stopWorkers(): void
  /** Runs the cron handler once; true until it is done. */
  sweep(): { readonly busy: () => boolean }
  /** The last id that was given. */
  readonly ids: { last: number }
}

/** What is told to whoever watches. */
export interface Listeners {
  readonly batch: BatchListener
  readonly call: (call: LedgerCall) => void
}

// Wake-ups that nobody gets: what is forwarded, and when, is the exploration's own to say.
const UNHEARD: WakeUpQueue = { send: async () => {}, sendBatch: async () => {} }

export function createWorld(
  surroundings: Surroundings,
  connection: Connection,
  host: HostOptions,
  listeners: Listeners,
  payments: Payments | null = null
): World {
  const { scheduler, random, trace } = surroundings
  const ids = { last: 0 }
  let isolates: Isolate[] = []
  const newId = () => `00000000-0000-4000-8000-${String(++ids.last).padStart(12, '0')}`
  const bind = (isolate: Isolate) =>
    bindDatabase(surroundings, connection, isolate, listeners.batch)
  class TracedLedger extends SeatLedger {
    protected override readonly importPage = host.importPage
    protected override readonly report = ({ event, organizationId }: Report) =>
      trace.note(`ledger ${organizationId} reports ${event}`)
  }
  const ledgers = createLedgers(surroundings, TracedLedger, bind, listeners.call)
  const heard = new Map<string, HeardByOrganization>(host.sinks.map((id) => [id, new Map()]))

  const startWorker = (name: string): Worker => {
    const isolate: Isolate = { name, alive: true, died: () => {} }
    const database = drizzle(bind(isolate))
    const sinks = [...heard].map(([id, events]) => listeningSink(surroundings, isolate, id, events))
    const worker = { isolate, busy: 0 }
    const paid = payments?.connectionOf(isolate)
    const now = () => new Date(scheduler.now())
    if (paid?.quantity === 'true_up') sinks.push(quantitySink(paid, { database, now }))
    isolates = [...isolates.filter(({ alive }) => alive).slice(-50), isolate]
    const seatgate = createFlat({
      ...configure(surroundings, isolate, host, database, ledgers.boundTo(isolate)),
      sinks,
      queue: host.queue ? queue.boundTo(isolate) : UNHEARD,
      waitUntil: (work) => {
        worker.busy += 1
        void work.finally(() => (worker.busy -= 1))
      },
      report: ({ event }) => trace.note(`${name} reports ${event}`),
      now,
      newId,
      random: () => random(),
      newSecret: () => crypto.getRandomValues(new Uint8Array(32)),
    })
    if (paid === undefined) return Object.assign(worker, { seatgate })
    return Object.assign(worker, { seatgate: expandSeats(seatgate, paid), connection: paid })
  }

  const queue = createQueue(surroundings, (batch) => {
    const { isolate, seatgate } = startWorker('consumer')
    return { isolate, done: auditQueueHandler(seatgate)(batch) }
  })

  return {
    connection,
    ledgers,
    queue,
    heard,
    startWorker,
    ids,
    stopWorkers() {
      for (const isolate of isolates) crash(isolate)
      isolates = []
    },
    sweep() {
      const worker = startWorker('cron')
      const { isolate, seatgate } = worker
      let busy = true
      isolate.died = () => (busy = false)
      const swept = async () => {
        await sweepHandler(seatgate)()
        if (worker.connection) await sweepPayments(worker)
      }
      void swept().then(() => (busy = false))
      return { busy: () => busy }
    },
  }
}
