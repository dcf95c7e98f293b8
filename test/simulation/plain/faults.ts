/**
 * What goes wrong on the way from the Worker to its stores and back, the same in the simulation and in
 * workerd: of the trips of one operation one is lost, or its answer, or it arrives after the operation.
 *
 * @module
 */
import type { Random } from '../random.ts'

const FATES = ['lost request', 'lost answer', 'late request'] as const

interface Fault {
  readonly to: 'd1' | 'ledger'
  /** Which of the trips there, from 1. */
  readonly trip: number
  readonly fate: (typeof FATES)[number]
  readonly retryable: boolean
}

export interface Faults {
  /** The next trips are those of one operation; answers what is to go wrong, in words. */
  arm(random: Random): string
  /** What is late arrives. */
  arrive(): Promise<void>
  database(database: D1Database): D1Database
  ledgers(namespace: Namespace): Namespace
}

interface Namespace {
  getByName(name: string): object
}

class Lost extends Error {
  readonly retryable: boolean

  constructor(retryable: boolean) {
    super('Network connection lost.')
    this.retryable = retryable
  }
}

export function createFaults(): Faults {
  let due: Fault | null = null
  let left = 0
  const late: (() => Promise<unknown>)[] = []

  const travel = async <T>(to: Fault['to'], arrive: () => Promise<T>): Promise<T> => {
    if (due?.to !== to || --left > 0) return arrive()
    const { fate, retryable } = due
    due = null
    if (fate === 'lost answer') await arrive().catch(() => null)
    if (fate === 'late request') late.push(arrive)
    throw new Lost(retryable)
  }

  return {
    arm(random) {
      due = null
      if (!random.chance(0.3)) return 'nothing'
      const to = random.chance(0.6) ? 'd1' : 'ledger'
      // A change reads, claims its seat, and writes.
      const trip = to === 'd1' ? 1 + Number(random.chance(0.7)) : 1
      const fate = random.pick(FATES) ?? 'lost answer'
      due = { to, trip, fate, retryable: random.chance(0.5) }
      left = trip
      return `${fate} on trip ${trip} to ${to}`
    },
    async arrive() {
      due = null
      for (const arrive of late.splice(0)) await arrive().catch(() => null)
    },
    database(database) {
      return {
        prepare: (sql: string) => database.prepare(sql),
        batch: (statements: D1PreparedStatement[]) =>
          travel('d1', () => database.batch(statements)),
      } as unknown as D1Database
    },
    ledgers: (namespace) => ({
      getByName(name) {
        const stub = namespace.getByName(name) as Record<
          string,
          (request: unknown) => Promise<unknown>
        >
        const call = (_: object, method: string) => (request: unknown) =>
          travel('ledger', async () => stub[method]?.(request))
        return new Proxy({}, { get: call as never })
      },
    }),
  }
}
