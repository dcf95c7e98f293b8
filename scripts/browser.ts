import { existsSync } from 'node:fs'
import sparticuz from '@sparticuz/chromium'
import { chromium, type BrowserServer } from 'playwright-core'

/** What decides which browser is started. */
export interface Machine {
  readonly chromePath: string | undefined
  readonly platform: string
  readonly arch: string
  /** Returns the path of the browser of the package, which has one for Linux on x64. */
  packaged(): Promise<string>
  launch(options: LaunchOptions): Promise<BrowserServer>
}

interface LaunchOptions extends Found {
  readonly host: string
  readonly args: string[]
}

interface Found {
  readonly executablePath?: string
  readonly channel?: string
  readonly args?: readonly string[]
}

const NO_BROWSER =
  'The browser tests need Chromium: set CHROME_PATH to one, or install Google Chrome.'

// A container without user namespaces has no sandbox. The package's own arguments also ask for one process,
// which ends with the first context.
const UNSANDBOXED = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage']

const thisMachine = (): Machine => ({
  chromePath: process.env['CHROME_PATH'],
  platform: process.platform,
  arch: process.arch,
  packaged: () => sparticuz.executablePath(),
  launch: (options) => chromium.launchServer(options),
})

/**
 * Starts Chromium without any network but this machine's.
 *
 * @throws {Error} if there is none; the message says what to do.
 */
export async function startBrowser(machine: Machine = thisMachine()): Promise<BrowserServer> {
  try {
    const { args = [], ...found } = await foundBrowser(machine)
    return await machine.launch({
      host: '127.0.0.1',
      ...found,
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

async function foundBrowser({ chromePath, platform, arch, packaged }: Machine): Promise<Found> {
  if (chromePath !== undefined && chromePath !== '') {
    if (!existsSync(chromePath)) throw new Error(`There is no file ${chromePath}.`)
    return { executablePath: chromePath }
  }
  if (platform !== 'linux' || arch !== 'x64') return { channel: 'chrome' }
  return { executablePath: await packaged(), args: UNSANDBOXED }
}
