import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Asks again and again until the answer is not undefined. Gives up after the deadline with an error
 * that says what was waited for and what the last attempt ran into.
 */
export async function waitFor<T>(
  what: string,
  timeoutSeconds: number,
  ask: () => Promise<T | undefined> | T | undefined,
  seen: () => unknown = () => undefined
): Promise<T> {
  const deadline = Date.now() + timeoutSeconds * 1000
  let failure: unknown
  for (;;) {
    try {
      const answer = await ask()
      if (answer !== undefined) return answer
      failure = undefined
    } catch (error) {
      failure = error
    }
    if (Date.now() >= deadline) break
    await sleep(100)
  }
  const last = failure ?? seen()
  const details = last === undefined ? '' : `; last seen: ${describe(last)}`
  throw new Error(`waited ${timeoutSeconds} s for ${what}${details}`)
}

function describe(value: unknown): string {
  return value instanceof Error ? String(value.cause ?? value) : JSON.stringify(value)
}
