import { typeOfSeat, type SeatType } from './access/pools.ts'
import type { SeatLimit } from '../../src/index.ts'
import type { LedgerCall } from './ledger-object.ts'
import type { OrganizationView } from './people.ts'

interface Grant {
  readonly ok: boolean
  readonly value?: {
    readonly count: { readonly limit: SeatLimit; readonly held: number; readonly reserved: number }
  }
}

/**
 * Whoever takes a seat and has not waited for it leaves one for everybody in line: how many were left
 * is as the ledger said when it gave the seat.
 */
export function watchPassing(typeOf: (role: string) => SeatType = () => null) {
  const left = new Map<string, number>()
  return {
    call({ method, request, answer }: LedgerCall): void {
      if (answer === undefined || (method !== 'reserve' && method !== 'reserveEach')) return
      const requests = [request].flat() as readonly { readonly seatId: string }[]
      const answers = [answer as Grant | readonly Grant[]].flat()
      for (const [index, { seatId }] of requests.entries()) {
        const { limit, held, reserved } = answers[index]?.value?.count ?? {}
        if (limit?.kind !== 'finite') left.delete(seatId)
        else left.set(seatId, limit.seats - held! - reserved!)
      }
    },
    /** Who has passed whom between these two moments, one batch apart. */
    passed(before: OrganizationView, after: OrganizationView): readonly string[] {
      const line = before.requests.filter(({ place }) => place !== null)
      if (line.length === 0) return []
      const waited = new Set(line.map(({ user_id }) => user_id))
      const known = new Set([...seatsOf(before)].map(({ seat_id }) => seat_id))
      return seatsOf(after).flatMap(({ seat_id, user_id }) => {
        if (seat_id === null || known.has(seat_id) || waited.has(user_id ?? '')) return []
        const seats = left.get(seat_id) ?? Infinity
        const type = typeOfSeat(seat_id)
        const ahead = line.filter(({ role }) => typeOf(role) === type).length
        return ahead > Math.max(0, seats)
          ? [`${seat_id} was taken with ${ahead} in line for ${seats}`]
          : []
      })
    },
  }
}

const seatsOf = ({ members, unfinished }: OrganizationView) => [
  ...members,
  ...unfinished.map(({ seat_id }) => ({ seat_id, user_id: null })),
]
