import { vi } from 'vitest'

/** Timers stand still until they are told to go on, and those of `AbortSignal.timeout` with them. */
export function standingTimers(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  vi.spyOn(AbortSignal, 'timeout').mockImplementation((milliseconds) => {
    const controller = new AbortController()
    const expire = () => controller.abort(new DOMException('Too late.', 'TimeoutError'))
    setTimeout(expire, milliseconds)
    return controller.signal
  })
}

/** An answer that never comes: it ends with the signal alone. */
export function silence(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error))
  })
}
