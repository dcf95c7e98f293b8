/** For how long refusals are counted before the next event. */
export const WINDOW_MS = 10 * 60_000

const MOST_ORGANIZATIONS = 10_000

/**
 * Counts refusals for lack of a seat, in this isolate: a rush writes one event per window instead of one
 * per refusal. Counts that an isolate has not written when it ends are lost.
 */
export class RefusalCounts {
  readonly #counts = new Map<string, { window: number; refusals: number }>()

  /** Counts a refusal. Returns how many to record now; 0 if an event was recorded in this window. */
  count(organizationId: string, window: number): number {
    const last = this.#counts.get(organizationId)
    const refusals = (last?.refusals ?? 0) + 1
    const due = last?.window !== window
    this.#keep(organizationId, { window, refusals: due ? 0 : refusals })
    return due ? refusals : 0
  }

  /**
   * Adds refusals back that could not be recorded, because another writer recorded an event in this
   * window.
   */
  putBack(organizationId: string, window: number, refusals: number): void {
    const later = this.#counts.get(organizationId)?.refusals ?? 0
    this.#keep(organizationId, { window, refusals: later + refusals })
  }

  // Evicts the organization with the oldest refusal first.
  #keep(organizationId: string, count: { window: number; refusals: number }): void {
    this.#counts.delete(organizationId)
    this.#counts.set(organizationId, count)
    const [oldest] = this.#counts.keys()
    if (this.#counts.size > MOST_ORGANIZATIONS && oldest !== undefined) this.#counts.delete(oldest)
  }
}
