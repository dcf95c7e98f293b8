/**
 * One Durable Object: its storage, which stays, and the instance that uses it, if there is one.
 *
 * @module
 */
import type { SeatLedger } from '../../src/worker/seat-ledger.ts'
import { readLedger, type LedgerState } from '../../src/testing/index.ts'
import type { Isolate } from './network.ts'
import type { ObjectStorage } from './object-storage.ts'
import type { Connection } from './sqlite.ts'

/** A moment at which a ledger may have changed. */
export interface LedgerCall {
  readonly organizationId: string
  readonly method: string
  /** Whose call it is, and what was asked; null: an alarm. */
  readonly by: Isolate | null
  readonly request: unknown
  /** What was answered; undefined: nothing yet. */
  readonly answer?: unknown
  /** Whether anybody still waits for the answer. */
  readonly awaited: boolean
  /** Calls that this object has not answered yet, with this one. */
  readonly underWay: number
}

export interface LedgerObject {
  readonly name: string
  readonly storage: ObjectStorage
  instance: { readonly isolate: Isolate; readonly ledger: SeatLedger } | null
  /** Rejects the calls under way. */
  readonly underWay: Set<(error: Error) => void>
  /** Counts up with every change of the alarm, so that what was planned before is void. */
  alarmChanges: number
  alarmRunning: boolean
  alarmGivenUp: boolean
  /** When the alarm was due as it was kept. */
  kept: number | null
  /** What its tables held after so many writes. */
  seen: { readonly writes: number; readonly state: LedgerState | null } | null
}

export function newObject(name: string, storage: ObjectStorage): LedgerObject {
  return {
    name,
    storage,
    instance: null,
    underWay: new Set(),
    alarmChanges: 0,
    alarmRunning: false,
    alarmGivenUp: false,
    kept: null,
    seen: null,
  }
}

/** What its tables hold; null: it has not started. */
export function stateOf(object: LedgerObject): LedgerState | null {
  const writes = object.storage.connection.writes()
  if (object.seen?.writes !== writes) object.seen = { writes, state: read(object.storage) }
  return object.seen.state
}

function read({ connection }: ObjectStorage): LedgerState | null {
  const exec = (sql: string) => ({ toArray: () => connection.all(sql) })
  return readLedger({ exec } as unknown as SqlStorage)
}

/** Empties it. */
export function clear(connection: Connection): void {
  for (const table of ['ledger', 'import', 'released', 'seats']) {
    connection.exec(`DROP TABLE IF EXISTS ${table}`)
  }
}
