/**
 * The storage of a Durable Object as the ledger sees it: synchronous SQL, and one alarm.
 *
 * @module
 */
import type { Connection } from './sqlite.ts'

/** Storage of one object. It outlives the instances that use it. */
export interface ObjectStorage {
  readonly connection: Connection
  /** When the alarm is due; null: none is set. */
  alarmAt: number | null
  /** Called when it was set or taken away. */
  rearmed: () => void
}

/**
 * The state that an instance is made with. Once its isolate is dead it cannot touch the storage: the
 * platform checks with every access that an instance is the one in force.
 */
export function objectState(storage: ObjectStorage, inForce: () => boolean, name: string) {
  const check = () => {
    if (!inForce()) throw new Error('This instance is no longer in force.')
  }
  const sql = {
    exec(text: string, ...params: unknown[]) {
      check()
      const rows = text.includes('CREATE TABLE')
        ? define(storage, text)
        : run(storage, text, params)
      return { toArray: () => rows, one: () => rows[0]! }
    },
  }
  return {
    id: { name },
    storage: {
      sql,
      transactionSync: <T>(act: () => T): T => {
        check()
        return storage.connection.atomically(act)
      },
      async setAlarm(at: number) {
        check()
        storage.alarmAt = at
        storage.rearmed()
      },
      async deleteAlarm() {
        check()
        storage.alarmAt = null
        storage.rearmed()
      },
      getAlarm: async () => storage.alarmAt,
    },
  }
}

// Several statements in one text.
function define({ connection }: ObjectStorage, text: string) {
  connection.exec(text)
  return []
}

function run({ connection }: ObjectStorage, text: string, params: readonly unknown[]) {
  return connection.all(text, params)
}
