import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import sparticuz from '@sparticuz/chromium'
import { chromium, type BrowserServer } from 'playwright-core'
import type { TestProject } from 'vitest/node'
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
      vars: { DEFAULT_SEAT_LIMIT: '3', OPERATOR_EMAILS: OPERATOR, JOINING_WHEN_FULL: 'wait' },
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

/** Starts Chromium without any network but this machine's. */
export async function startBrowser(): Promise<BrowserServer> {
  const { executablePath, args = [], channel } = await foundBrowser()
  try {
    return await chromium.launchServer({
      host: '127.0.0.1',
      ...(executablePath !== undefined && { executablePath }),
      ...(channel !== undefined && { channel }),
      args: [
        ...args,
        '--disable-background-networking',
        '--no-first-run',
        '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
      ],
    })
  } catch (error) {
    throw new Error(`${NO_BROWSER} ${String(error)}`, { cause: error })
  }
}

const NO_BROWSER =
  'The browser tests need Chromium: set CHROME_PATH to one, or install Google Chrome.'

// A container without user namespaces has no sandbox. The package's own arguments also ask for one process,
// which ends with the first context.
const UNSANDBOXED = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage']

interface Found {
  readonly executablePath?: string
  readonly channel?: string
  readonly args?: readonly string[]
}

// The package has a browser for this platform alone.
async function foundBrowser(): Promise<Found> {
  const path = process.env['CHROME_PATH']
  if (path !== undefined && path !== '') {
    if (!existsSync(path)) throw new Error(`${NO_BROWSER} There is no file ${path}.`)
    return { executablePath: path }
  }
  if (process.platform !== 'linux' || process.arch !== 'x64') return { channel: 'chrome' }
  return { executablePath: await sparticuz.executablePath(), args: UNSANDBOXED }
}
