import type { Metric } from './metric.ts'

/** A wake-up on the queue: ids only. Losing one costs time, never an event. */
export interface WakeUp {
  readonly organizationId: string
  /** Whether people in line come in, and not only events are forwarded. */
  readonly line?: true
}

/** Where wake-ups are sent; a Cloudflare Queue is one. */
export interface WakeUpQueue {
  send(message: WakeUp, options?: { readonly delaySeconds?: number }): Promise<unknown>
  sendBatch(messages: readonly { readonly body: WakeUp }[]): Promise<unknown>
}

/** Something that went wrong where no caller could be told. `error` may hold personal data. */
export interface Report {
  readonly event: string
  readonly organizationId?: string
  readonly error: unknown
}

/** What the host's runtime gives: the time, ids, randomness, and where reports and metrics go. */
export interface Runtime {
  readonly now: () => Date
  /** Returns an id that was never returned before. */
  readonly newId: () => string
  /** Returns 32 bytes that cannot be guessed. */
  readonly newSecret: () => Uint8Array<ArrayBuffer>
  /** Returns a number from 0 up to 1. */
  readonly random: () => number
  readonly report: (report: Report) => void
  readonly measure: (metric: Metric) => void
  /** Keeps work alive after the answer; null if the answer waits for it. */
  readonly waitUntil: ((work: Promise<unknown>) => void) | null
}
