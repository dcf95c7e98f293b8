import type { Seatgate } from '../seatgate.ts'

/**
 * Runs work that the answer does not wait for, in parallel. A failure is reported and changes
 * nothing: whatever is done here, the outbox does again.
 */
export async function inBackground(
  seatgate: Seatgate,
  organizationId: string,
  work: readonly (() => Promise<unknown>)[]
): Promise<void> {
  const all = Promise.all(work.map(async (task) => task())).catch((error: unknown) => {
    seatgate.report({ event: 'background_failed', organizationId, error })
  })
  if (seatgate.waitUntil === null) await all
  else seatgate.waitUntil(all)
}
