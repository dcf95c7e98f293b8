import type { EventState } from './state.ts'

/** A delivery that a sink accepted, in the order of arrival. */
export interface Heard {
  readonly sequence: number
  readonly action: string
}

/**
 * Invariant 6, once quiet: a sink has received every event that it takes, the first deliveries in
 * sequence. Repeats are allowed.
 *
 * @example
 * ```ts
 * const wrong = undelivered(state.events, heard, (action) => action.startsWith('organization.'))
 * ```
 */
export function undelivered(
  events: readonly Pick<EventState, 'sequence' | 'action'>[],
  heard: readonly Heard[],
  accepts: (action: string) => boolean = () => true
): readonly string[] {
  const sequences = new Set(heard.map(({ sequence }) => sequence))
  const unheard = events.flatMap(({ sequence, action }) =>
    accepts(action) && !sequences.has(sequence) ? [`event ${sequence} ${action} was not heard`] : []
  )
  return [...unheard, ...disordered(heard)]
}

/** Invariant 6, at any time: the first deliveries of a sink's events are in sequence. */
export function disordered(heard: readonly Heard[]): readonly string[] {
  let highest = 0
  const known = new Set<number>()
  return heard.flatMap(({ sequence }) => {
    const late = !known.has(sequence) && sequence < highest
    known.add(sequence)
    highest = Math.max(highest, sequence)
    return late ? [`event ${sequence} came after ${highest}`] : []
  })
}
