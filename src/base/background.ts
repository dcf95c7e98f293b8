import type { Runtime } from './runtime.ts'

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
