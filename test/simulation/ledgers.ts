/**
 * Durable Objects: one live instance each, made when it is called, gone when it is evicted. While it
 * awaits D1 other calls come in; what it writes between two awaits is written at once.
 *
 * @module
 */
import type { SeatLedger } from '../../src/worker/seat-ledger.ts'
import type { LedgerState } from '../../src/testing/index.ts'
import { createAlarms } from './alarms.ts'
import { clear, newObject, stateOf, type LedgerCall, type LedgerObject } from './ledger-object.ts'
import { crash, Disconnected, travel, type Isolate, type Surroundings } from './network.ts'
import { objectState, type ObjectStorage } from './object-storage.ts'
import { connect, type Connection } from './sqlite.ts'

const spare: Connection[] = []

type LedgerClass = new (ctx: DurableObjectState, env: { DB: D1Database }) => SeatLedger

export interface Ledgers {
  /** The namespace as an isolate has it bound. */
  boundTo(isolate: Isolate): { getByName(name: string): unknown }
  /** What an object's storage holds; null: it has not started. */
  stateOf(organizationId: string): LedgerState | null
  /** The object is reset: its calls fail, its storage stays. */
  evict(organizationId: string): void
  /** The object is as if it had never been. */
  loseStorage(organizationId: string): void
  /** Somebody writes to its storage. */
  byHand(organizationId: string, sql: string): void
  names(): readonly string[]
  /** When an object's alarm is due; null: none is set, or it is ringing. */
  alarmOf(organizationId: string): number | null
  /** Whether it is ringing: what is due is about to be settled. */
  isRinging(organizationId: string): boolean
  /** Rings it now. */
  ring(organizationId: string): void
  /** Remembers all objects as they are, out of memory. */
  keep(): void
  /** Brings all objects back to where they were kept. */
  goBack(): void
  /** Gives the connections back, for the next history. */
  close(): void
}

export function createLedgers(
  surroundings: Surroundings,
  Ledger: LedgerClass,
  bind: (isolate: Isolate) => D1Database,
  heard: (call: LedgerCall) => void
): Ledgers {
  const { random, sometimes, trace } = surroundings
  const objects = new Map<string, LedgerObject>()

  const objectNamed = (name: string): LedgerObject => {
    const there = objects.get(name)
    if (there) return there
    const storage: ObjectStorage = {
      connection: spare.pop() ?? connect(),
      alarmAt: null,
      rearmed() {
        if (made.alarmGivenUp && storage.alarmAt !== null) {
          sometimes('a call brought an alarm back')
          made.alarmGivenUp = false
        }
        alarms.plan(made, 0)
      },
    }
    const made = newObject(name, storage)
    objects.set(name, made)
    return made
  }

  const instanceOf = (object: LedgerObject) => {
    if (object.instance) return object.instance
    const isolate: Isolate = { name: `ledger ${object.name}`, alive: true, died: () => {} }
    isolate.died = () => reset(object)
    const ctx = objectState(object.storage, () => isolate.alive, object.name)
    const ledger = new Ledger(ctx as unknown as DurableObjectState, { DB: bind(isolate) })
    object.instance = { isolate, ledger }
    return object.instance
  }

  const reset = (object: LedgerObject) => {
    if (stateOf(object)?.stage) sometimes('a ledger went away while it imported')
    if (object.underWay.size > 0) sometimes('a ledger was evicted with calls under way')
    object.instance = null
    object.alarmRunning = false
    const error = new Disconnected('The object was reset.', random.chance(0.5))
    for (const fail of object.underWay) fail(error)
    object.underWay.clear()
    alarms.plan(object, 0)
  }

  const alarms = createAlarms(surroundings, instanceOf, heard)

  const call = (
    by: Isolate,
    object: LedgerObject,
    method: string,
    request: unknown,
    awaited: boolean
  ): Promise<unknown> => {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    if (random.chance(surroundings.weather.evicted)) {
      const instance = object.instance
      if (instance) crash(instance.isolate)
    }
    const instance = instanceOf(object)
    object.underWay.add(reject)
    const ledger = instance.ledger as unknown as Record<string, (r: unknown) => Promise<unknown>>
    const answering = ledger[method]!(request)
    const asked = { organizationId: object.name, method, by, request, awaited }
    heard({ ...asked, underWay: object.underWay.size })
    answering.then(
      (value) => {
        if (!instance.isolate.alive) return
        object.underWay.delete(reject)
        heard({ ...asked, answer: value, underWay: object.underWay.size })
        trace.note(`${object.name} ${method} ${JSON.stringify(value)}`)
        if (random.chance(surroundings.weather.evicted)) crash(instance.isolate)
        resolve(structuredClone(value))
      },
      (error: Error) => {
        object.underWay.delete(reject)
        reject(error)
      }
    )
    return promise
  }

  return {
    boundTo: (isolate) => ({
      getByName: (name: string) =>
        new Proxy(
          {},
          {
            get: (_target, method: string) => (request: unknown) =>
              travel(surroundings, isolate, {
                to: 'ledger',
                what: method,
                arrive: (awaited) => call(isolate, objectNamed(name), method, request, awaited),
              }),
          }
        ),
    }),
    stateOf(organizationId) {
      const object = objects.get(organizationId)
      return object ? stateOf(object) : null
    },
    evict(organizationId) {
      const instance = objects.get(organizationId)?.instance
      if (instance) crash(instance.isolate)
    },
    loseStorage(organizationId) {
      const object = objects.get(organizationId)
      if (!object) return
      sometimes("a ledger's storage was lost")
      object.storage.alarmAt = null
      if (object.instance) crash(object.instance.isolate)
      clear(object.storage.connection)
      alarms.plan(object, 0)
    },
    byHand(organizationId, sql) {
      objects.get(organizationId)?.storage.connection.all(sql)
    },
    names: () => [...objects.keys()],
    alarmOf(organizationId) {
      const object = objects.get(organizationId)
      return object && !object.alarmRunning ? object.storage.alarmAt : null
    },
    isRinging: (organizationId) => objects.get(organizationId)?.alarmRunning ?? false,
    ring(organizationId) {
      const object = objects.get(organizationId)
      if (object) void alarms.ring(object, 0)
    },
    keep() {
      for (const object of objects.values()) {
        object.kept = object.storage.alarmAt
        object.storage.connection.all('SAVEPOINT kept')
      }
    },
    goBack() {
      for (const object of objects.values()) {
        if (object.instance) object.instance.isolate.alive = false
        object.instance = null
        object.underWay.clear()
        object.alarmRunning = false
        object.storage.alarmAt = object.kept
        object.storage.connection.all('ROLLBACK TO kept')
        object.storage.connection.all('RELEASE kept')
      }
    },
    close() {
      for (const { storage, instance } of objects.values()) {
        if (instance) instance.isolate.alive = false
        clear(storage.connection)
        spare.push(storage.connection)
      }
      objects.clear()
    },
  }
}
