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
