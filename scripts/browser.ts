import { existsSync } from 'node:fs'
import sparticuz from '@sparticuz/chromium'
import { chromium, type BrowserServer } from 'playwright-core'

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
