import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestProject } from 'vitest/node'
import { startBrowser } from '../../scripts/browser.ts'
import { startWorker } from '../../scripts/local-worker.ts'
import { temporaryDirectory } from '../end-to-end/temporary-directory.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The address of the reference host. */
    readonly url: string
    /** The address of the browser that all files share. */
    readonly browser: string
    /** Where the worker's output is read, with the mails in it. */
    readonly output: string
  }
}

/** The operator of the reference host under test. */
export const OPERATOR = 'operator@example.com'

/** Starts the reference host and one browser for all files. */
export default async function setup({ provide }: TestProject) {
  const directory = await temporaryDirectory()
  const lines: string[] = []
  const [worker, browser] = await Promise.all([
    startWorker({
      persistTo: directory.path,
      vars: {
        DEFAULT_SEAT_LIMIT: '3',
        OPERATOR_EMAILS: OPERATOR,
        JOINING_WHEN_FULL: 'wait',
        // No server listens there: the log stream is behind.
        AUDIT_WEBHOOK_URL: 'http://127.0.0.1:9/events',
      },
      onLine: (line) => lines.push(line),
    }),
    startBrowser(),
  ])
  const output = createServer((_, response) => response.end(lines.join('\n')))
  await new Promise<void>((resolve) => output.listen(0, '127.0.0.1', resolve))
  provide('url', worker.url)
  provide('browser', browser.wsEndpoint())
  provide('output', `http://127.0.0.1:${(output.address() as AddressInfo).port}`)
  return async () => {
    await Promise.all([browser.close(), worker.stop()])
    output.close()
    await directory.remove()
  }
}
