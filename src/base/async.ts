import type { Runtime } from './runtime.ts'

/** An answer did not come in time; whatever was asked may still happen. */
export class TimedOut extends Error {
  override readonly name = 'TimedOut'
}

/**
 * Waits for an answer so many seconds.
 *
 * @throws {TimedOut} if it has not come by then.
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
 * Does what nobody needs to wait for, where the host keeps it alive after the answer; otherwise it is
 * waited for. What fails is reported, and keeps nothing else from being done.
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
