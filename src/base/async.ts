import type { Runtime } from './runtime.ts'

/** The promise did not settle in time. The request that was sent may still take effect. */
export class TimedOut extends Error {
  override readonly name = 'TimedOut'
}

/**
 * Waits for a promise for a number of seconds.
 *
 * @throws {TimedOut} if it has not settled by then.
 */
export async function within<T>(seconds: number, answer: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => late.reject(new TimedOut(`No answer within ${seconds} s.`)),
    seconds * 1000
  )
  try {
    return await Promise.race([answer, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Runs tasks after the response where the host provides `waitUntil`; otherwise waits for them. A task
 * that fails is reported and does not stop the others.
 */
export async function inBackground(
  { waitUntil, report }: Pick<Runtime, 'waitUntil' | 'report'>,
  organizationId: string,
  tasks: readonly (() => Promise<unknown>)[]
): Promise<void> {
  const done = Promise.all(
    tasks.map(async (task) => {
      try {
        await task()
      } catch (error) {
        report({ event: 'background_failed', organizationId, error })
      }
    })
  )
  if (waitUntil === null) await done
  else waitUntil(done)
}

const LONGEST_BACKOFF_SECONDS = 12 * 60 * 60
const JITTER = 1 / 4

/** The longest time between two attempts. A sink can ask for it; no backoff is as long. */
export const LONGEST_WAIT_SECONDS = 24 * 60 * 60

/**
 * Returns how long to wait after a number of failures in a row: 1 s, doubling, at most 12 h, and up to a
 * quarter more so that many sinks do not return at once.
 */
export function backoffSeconds(attempts: number, random: () => number): number {
  const seconds = Math.min(2 ** (attempts - 1), LONGEST_BACKOFF_SECONDS)
  return seconds * (1 + random() * JITTER)
}

/**
 * Returns for how long a sink asked not to be called, at most a day; 0 for a value that is not a positive
 * number.
 */
export function patienceSeconds(asked: unknown): number {
  return typeof asked === 'number' && asked > 0 ? Math.min(asked, LONGEST_WAIT_SECONDS) : 0
}
