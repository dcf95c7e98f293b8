import type { Seatgate } from '../seatgate.ts'

/**
 * Runs work that the answer does not wait for, in parallel. A failure is reported and stops
 * nothing else: whatever is done here, the outbox does again.
 */
export async function inBackground(
  seatgate: Seatgate,
  organizationId: string,
  work: readonly (() => Promise<unknown>)[]
): Promise<void> {
  const tried = async (task: () => Promise<unknown>) => {
    try {
      await task()
    } catch (error) {
      seatgate.report({ event: 'background_failed', organizationId, error })
    }
  }
  const all = Promise.all(work.map(tried))
  if (seatgate.waitUntil === null) await all
  else seatgate.waitUntil(all)
}
