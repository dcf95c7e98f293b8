import * as seatgate from '../../../src/index.ts'
import type { Result } from '../../../src/index.ts'
import type { FullSeatgate } from '../../kit/flat-options.ts'
import { administrator, as, once, type Deeds, type Occasion } from './deed.ts'

type Scope = ReturnType<typeof as>

const reading =
  (read: (library: FullSeatgate, scope: Scope) => Promise<Result<unknown>>) =>
  (occasion: Occasion) => {
    const by = administrator(occasion)
    return once(by, (library) => read(library, as(by, occasion)))
  }

/** What is read meanwhile. */
export const readings: Deeds = {
  seatUsage: [3, reading(seatgate.seatUsage)],
  explainSeats: [1, reading(seatgate.explainSeats)],
  listMembers: [1, reading(seatgate.listMembers)],
  listInvitations: [1, reading(seatgate.listInvitations)],
  listAuditEvents: [1, reading(seatgate.listAuditEvents)],
  countMembers: [1, reading(seatgate.countMembers)],
}
