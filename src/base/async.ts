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
