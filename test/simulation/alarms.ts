/**
 * Alarms: one at a time, at least once, late by up to two seconds, and given up after six retries.
 *
 * @module
 */
import type { SeatLedger } from '../../src/worker/seat-ledger.ts'
import type { LedgerCall, LedgerObject } from './ledger-object.ts'
import type { Surroundings } from './network.ts'

const LAST_RETRY = 6

export interface Alarms {
  /** Plans the ringing of what is set now; what was planned before is void. */
  plan(object: LedgerObject, retries: number): void
  ring(object: LedgerObject, retries: number): Promise<void>
}

export function createAlarms(
  surroundings: Surroundings,
  instanceOf: (object: LedgerObject) => { readonly ledger: SeatLedger },
  heard: (call: LedgerCall) => void
): Alarms {
  const { scheduler, random, sometimes, trace } = surroundings
  const plan = (object: LedgerObject, retries: number) => {
    const change = ++object.alarmChanges
    const { alarmAt } = object.storage
    if (alarmAt === null) return
    const late = random.between(1, 2_000)
    scheduler.after(alarmAt - scheduler.now() + late, () => {
      if (change === object.alarmChanges) void ring(object, retries)
    })
  }

  const ring = async (object: LedgerObject, retries: number) => {
    // One alarm at a time: what is due meanwhile comes next.
    if (object.alarmRunning) {
      scheduler.after(500, () => {
        if (object.storage.alarmAt !== null) plan(object, retries)
      })
      return
    }
    const { alarmAt } = object.storage
    object.storage.alarmAt = null
    if (random.chance(surroundings.weather.failedAlarm)) {
      trace.note(`alarm ${object.name} failed ${retries}`)
      if (retries >= LAST_RETRY) {
        object.alarmGivenUp = true
        return sometimes('an alarm died six times')
      }
      object.storage.alarmAt = alarmAt
      object.alarmChanges += 1
      const change = object.alarmChanges
      scheduler.after(2_000 * 2 ** retries * (1 + random() / 4), () => {
        if (change === object.alarmChanges) void ring(object, retries + 1)
      })
      return
    }
    if (surroundings.databaseIsOut) sometimes('an alarm rang while D1 was out')
    const { ledger } = instanceOf(object)
    object.alarmRunning = true
    const done = ledger.alarm()
    heard(alarmCall(object))
    await done
    if (object.instance?.ledger !== ledger) return
    object.alarmRunning = false
    trace.note(`alarm ${object.name}`)
    heard(alarmCall(object))
  }
  return { plan, ring }
}

function alarmCall({ name, underWay }: LedgerObject): LedgerCall {
  return {
    organizationId: name,
    method: 'alarm',
    by: null,
    request: null,
    awaited: true,
    underWay: underWay.size,
  }
}
