import type { EventDraft } from './event.ts'

/**
 * Lets the batch of these events commit at most once, however often a host sends it. One event is marked,
 * with a key of its own; it costs a written row. Events with a key of the host need no mark.
 */
export function onlyOnce(events: readonly EventDraft[]): readonly EventDraft[] {
  const marked = events.find(({ idempotencyKey }) => idempotencyKey === undefined)
  return events.map((event) => (event === marked ? { ...event, onlyOnce: true } : event))
}
