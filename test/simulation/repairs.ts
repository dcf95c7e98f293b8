import type { EventState } from '../../src/testing/index.ts'
import type { LedgerCall } from './ledger-object.ts'

/** Tells repairs of what was wrong from those of what was only under way. */
export interface Repairs {
  call(call: LedgerCall): void
  /** Repairs that had no reason, as long as nobody does anything by hand. */
  mistaken(events: readonly EventState[]): readonly EventState[]
}

/**
 * One thing goes wrong by itself and for long: somebody gets the seat of an invitation, the
 * confirmation is lost, and the ledger is promised the seat for that invitation once more, by a late
 * request or by an alarm that came before the batch. It is reserved until that would have expired.
 */
export function watchRepairs(): Repairs {
  const confirmed = new Set<string>()
  return {
    call({ method, request }) {
      if (method !== 'confirm') return
      const { seatId, until } = request as { seatId: string; until: number | null }
      if (until === null) confirmed.add(seatId)
    },
    mistaken(events) {
      const idsOf = (asked: string) =>
        new Set(events.flatMap((event) => (event.action === asked ? [event.target_id] : [])))
      const promised = idsOf('seat.reserved')
      const lost = [...idsOf('seat.assigned')].filter(
        (id) => promised.has(id) && !confirmed.has(id)
      )
      return events.filter(({ action, metadata }) => {
        if (action !== 'seat.drift_repaired') return false
        const { differences } = metadata as { differences: Record<string, number> }
        const { seat_state: states = 0, ...others } = differences
        return Object.keys(others).length > 0 || states > lost.length
      })
    },
  }
}
