/** A wake-up that a test queue has received. */
export interface QueuedWakeUp {
  readonly organizationId: string
  readonly line?: true
}

/** The time of a test: it stands still until the test moves it. */
export interface TestClock {
  now(): Date
  /** Moves the time forward, and returns it. */
  advance(seconds: number): Date
  /** Sets the time, also backward. */
  set(time: Date): void
}

/** A report, as the library passes it to `runtime.report`. */
export interface TestReport {
  readonly event: string
  readonly organizationId?: string
  readonly error: unknown
}

/** Options of {@link createTestRuntime}. */
export interface TestRuntimeOptions {
  /**
   * The time at the beginning. Default: the system's clock, which Durable Objects have as well. The time
   * stands still from there.
   */
  readonly start?: Date
  /** Another seed gives other ids: needed for a second runtime on one database. Default 1. */
  readonly seed?: number
}

/** A runtime that a test controls. */
export interface TestRuntime {
  /** The group `runtime` of `createSeatgate`. */
  readonly runtime: {
    readonly queue: {
      send(message: QueuedWakeUp, options?: object): Promise<void>
      sendBatch(messages: readonly { readonly body: QueuedWakeUp }[]): Promise<void>
    }
    readonly waitUntil: (work: Promise<unknown>) => void
    readonly report: (report: TestReport) => void
    readonly now: () => Date
    readonly newId: () => string
    readonly newSecret: () => Uint8Array<ArrayBuffer>
    readonly random: () => number
  }
  readonly clock: TestClock
  /** The reports so far. Empty it with `reports.length = 0`. */
  readonly reports: TestReport[]
  /** The wake-ups that are not delivered yet. */
  readonly wakeUps: QueuedWakeUp[]
  /** Waits until all work after the answers is done. */
  settled(): Promise<void>
}

/**
 * Creates a runtime whose clock stands still, whose ids and random numbers are the same in each run, and
 * whose queue is in memory.
 * Pass its `runtime` to `createSeatgate`, and the whole to {@link quiet}.
 *
 * @example
 * ```ts
 * const test = createTestRuntime()
 * const seatgate = createSeatgate({ …, runtime: test.runtime })
 * test.clock.advance(3600)
 * ```
 */
export function createTestRuntime(options: TestRuntimeOptions = {}): TestRuntime {
  const { start = new Date(), seed = 1 } = options
  if (!Number.isInteger(seed) || seed < 0 || seed > 0xffff) {
    throw new TypeError('createTestRuntime: seed must be a whole number from 0 to 65535.')
  }
  let time = start.getTime()
  let ids = 0
  const random = randomFrom(seed)
  const reports: TestReport[] = []
  const wakeUps: QueuedWakeUp[] = []
  const background: Promise<unknown>[] = []
  return {
    runtime: {
      queue: {
        async send(message) {
          wakeUps.push(message)
        },
        async sendBatch(messages) {
          wakeUps.push(...messages.map(({ body }) => body))
        },
      },
      waitUntil: (work) => void background.push(work),
      report: (report) => void reports.push(report),
      now: () => new Date(time),
      newId: () => idOf(seed, ++ids),
      newSecret: () => Uint8Array.from({ length: 32 }, () => Math.floor(random() * 256)),
      random,
    },
    clock: {
      now: () => new Date(time),
      advance(seconds) {
        time += seconds * 1000
        return new Date(time)
      },
      set(to) {
        time = to.getTime()
      },
    },
    reports,
    wakeUps,
    async settled() {
      while (background.length > 0) await Promise.allSettled(background.splice(0))
    },
  }
}

// A UUID of version 4 in form.
function idOf(seed: number, number: number): string {
  const hexadecimal = (value: number, length: number) => value.toString(16).padStart(length, '0')
  return `00000000-${hexadecimal(seed, 4)}-4000-8000-${hexadecimal(number, 12)}`
}

// Mulberry32: equal seeds give equal numbers, from 0 up to 1.
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let bits = Math.imul(state ^ (state >>> 15), state | 1)
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61)
    return ((bits ^ (bits >>> 14)) >>> 0) / 4_294_967_296
  }
}
