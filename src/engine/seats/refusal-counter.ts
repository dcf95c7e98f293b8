/** How long refusals are counted before they are on record again. */
export const WINDOW_MS = 10 * 60_000

const MOST_ORGANIZATIONS = 10_000

/**
 * Counts refusals for want of a seat, in this isolate: a rush of them writes one event a window and not
 * one each. What an isolate has counted when it ends is not on record.
 */
export class RefusalCounts {
  readonly #counts = new Map<string, { window: number; refusals: number }>()

  /** Counts one. Answers how many are to be on record now; 0 if they were in this window. */
  count(organizationId: string, window: number): number {
    const last = this.#counts.get(organizationId)
    const refusals = (last?.refusals ?? 0) + 1
    const due = last?.window !== window
    this.#keep(organizationId, { window, refusals: due ? 0 : refusals })
    return due ? refusals : 0
  }

  /** Takes back what could not be put on record: somebody else has done so in this window. */
  putBack(organizationId: string, window: number, refusals: number): void {
    const later = this.#counts.get(organizationId)?.refusals ?? 0
    this.#keep(organizationId, { window, refusals: later + refusals })
  }

  // Whoever was refused longest ago is forgotten first.
  #keep(organizationId: string, count: { window: number; refusals: number }): void {
    this.#counts.delete(organizationId)
    this.#counts.set(organizationId, count)
    const [oldest] = this.#counts.keys()
    if (this.#counts.size > MOST_ORGANIZATIONS && oldest !== undefined) this.#counts.delete(oldest)
  }
}
