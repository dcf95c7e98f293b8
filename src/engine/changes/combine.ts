import type { Prepared } from './prepare-change.ts'

/**
 * Combines two prepared changes into one, in this order. They must not need each other's seats: an
 * organization and a further member of it are two batches.
 *
 * @example
 * ```ts
 * const both = combine(workspace.value, joining.value)
 * await commitTogether(seatgate, both, { before: [insertUser] })
 * ```
 */
export function combine<A, B>(first: Prepared<A>, second: Prepared<B>): Prepared<readonly [A, B]> {
  return {
    value: [first.value, second.value],
    statements: [...first.statements, ...second.statements],
    takenSeats: [...first.takenSeats, ...second.takenSeats],
    freedSeats: [...first.freedSeats, ...second.freedSeats],
    organizationIds: [...new Set([...first.organizationIds, ...second.organizationIds])],
    markedIds: [...new Set([...first.markedIds, ...second.markedIds])],
    jobs: [...first.jobs, ...second.jobs],
    events: [...first.events, ...second.events],
    turns: [...first.turns, ...second.turns],
    info: first.info,
  }
}
