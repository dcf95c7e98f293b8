import type { EventState } from '../../src/testing/index.ts'
import type { LedgerCall } from './ledger-object.ts'

/** Tells repairs of what was wrong from those of what was only under way. */
export interface Repairs {
  /** `isStray` says whether the ledger has a seat now that D1 has not. */
  call(call: LedgerCall, isStray: (seatId: string) => boolean): void
  /** Repairs that had no reason, as long as nobody does anything by hand. */
  mistaken(events: readonly EventState[]): readonly EventState[]
}

/**
 * Two things go wrong by themselves and for long. Somebody gets the seat of an invitation, the
 * confirmation is lost, and the ledger is promised the seat for that invitation once more, by a late
 * request or by an alarm that came before the batch: it is reserved until that would have expired. And
 * the first request for a seat, given up for lost, arrives when whoever got the seat has gone again, and
 * after it a confirmation that was given up for lost, too: it is held for nobody.
 */
export function watchRepairs(): Repairs {
  const confirmed = new Set<string>()
  const confirmedTooLate = new Set<string>()
  return {
    call({ method, request }, isStray) {
      if (method !== 'confirm') return
      const { seatId, until } = request as { seatId: string; until: number | null }
      if (until === null) confirmed.add(seatId)
      if (isStray(seatId)) confirmedTooLate.add(seatId)
    },
    mistaken(events) {
      const idsOf = (asked: string) =>
        new Set(events.flatMap((event) => (event.action === asked ? [event.target_id] : [])))
      const [promised, assigned] = [idsOf('seat.reserved'), idsOf('seat.assigned')]
      const lost = [...assigned].filter((id) => promised.has(id) && !confirmed.has(id))
      const strayed = [...new Set([...promised, ...assigned])].filter((id) =>
        confirmedTooLate.has(id)
      )
      return events.filter(({ action, metadata }) => {
        if (action !== 'seat.drift_repaired') return false
        const { differences } = metadata as { differences: Record<string, number> }
        const { seat_state: states = 0, leaked_seat: leaked = 0, ...others } = differences
        const isExplained = states <= lost.length && leaked <= strayed.length
        return Object.keys(others).length > 0 || !isExplained
      })
    },
  }
}
