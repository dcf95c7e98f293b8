import type { Metric } from './metric.ts'

/** A wake-up on the queue. It carries ids only: losing one costs time, never an event. */
export interface WakeUp {
  readonly organizationId: string
  /** Whether the waitlist is served too, and not only events are forwarded. */
  readonly line?: true
}

/** Where wake-ups are sent; a Cloudflare Queue is one. */
export interface WakeUpQueue {
  send(message: WakeUp, options?: { readonly delaySeconds?: number }): Promise<unknown>
  sendBatch(messages: readonly { readonly body: WakeUp }[]): Promise<unknown>
}

/** An error that no response could carry. `error` may hold personal data. */
export interface Report {
  readonly event: string
  readonly organizationId?: string
  readonly error: unknown
}

/** The host's runtime: the time, ids, randomness, and the functions that receive reports and metrics. */
export interface Runtime {
  readonly now: () => Date
  /** Returns an id that was never returned before. */
  readonly newId: () => string
  /** Returns 32 random bytes. */
  readonly newSecret: () => Uint8Array<ArrayBuffer>
  /** Returns a number from 0 up to 1. */
  readonly random: () => number
  readonly report: (report: Report) => void
  readonly measure: (metric: Metric) => void
  /** Keeps work alive after the response; null if the response waits for it. */
  readonly waitUntil: ((work: Promise<unknown>) => void) | null
}
