import type { AuditEvent } from './event.ts'

/** What became of one delivery. `retry` is tried again later, in order. */
export type Delivery =
  | { readonly outcome: 'delivered' }
  | { readonly outcome: 'retry'; readonly reason: string; readonly afterSeconds?: number }

/**
 * Where audit events are forwarded to. Each organization's events come one at a time and in
 * sequence, at least once: the event's id tells a repeat. Throwing counts as `retry`.
 *
 * @example
 * ```ts
 * const log: Sink = {
 *   id: 'log',
 *   accepts: (action) => action.startsWith('organization.'),
 *   async deliver(event) {
 *     console.log(event.sequence, event.action)
 *     return { outcome: 'delivered' }
 *   },
 * }
 * ```
 */
export interface Sink {
  /** Names the sink's cursor: changing it starts a new sink. */
  readonly id: string
  /** Whether the sink takes events of this action. */
  accepts(action: string): boolean
  deliver(event: AuditEvent): Promise<Delivery>
}
