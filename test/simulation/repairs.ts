import type { EventState } from '../../src/testing/index.ts'
import type { LedgerCall } from './ledger-object.ts'

/** Tells repairs of what was wrong from those of what was only under way. */
export interface Repairs {
  call(call: LedgerCall): void
  /** Repairs that had no reason, as long as nobody does anything by hand. */
  mistaken(events: readonly EventState[]): readonly EventState[]
}

/**
 * One thing goes wrong by itself and for long: an invitation's promise comes to the ledger after
 * somebody has asked for its seat to take it over, and then the confirmation of that is lost. The seat
 * is a member's, and reserved until the invitation would have expired.
 */
export function watchRepairs(): Repairs {
  const promised = new Set<string>()
  return {
    call({ method, request, answer }) {
      if (answer !== undefined) return
      if (method === 'confirm') {
        const { seatId, until } = request as { seatId: string; until: number | null }
        if (until !== null) promised.add(seatId)
        else promised.delete(seatId)
      }
      if (method === 'reserve') promised.delete((request as { seatId: string }).seatId)
    },
    mistaken(events) {
      const lost = events.filter(
        ({ action, target_id: seatId }) => action === 'seat.assigned' && promised.has(seatId)
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
