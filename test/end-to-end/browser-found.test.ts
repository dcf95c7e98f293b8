import { describe, expect, it } from 'vitest'
import { startBrowser, type Machine } from '../../scripts/browser.ts'

const SENTENCE =
  'The browser tests need Chromium: set CHROME_PATH to one, or install Google Chrome.'

/** A machine, whether a browser starts on it, and the options that it was asked for. */
function machine(given: Partial<Machine>, starts: boolean) {
  const asked: object[] = []
  return {
    asked,
    chromePath: undefined,
    platform: 'linux',
    arch: 'x64',
    packaged: () => Promise.resolve('/tmp/chromium'),
    launch(options: object) {
      asked.push(options)
      return starts ? Promise.resolve({} as never) : Promise.reject(new Error('Cannot start.'))
    },
    ...given,
  } satisfies Machine & { asked: object[] }
}

describe('the browser of the tests', () => {
  it('is the browser of the package, or else an installed Chrome', async () => {
    const linux = machine({}, true)
    await startBrowser(linux)
    expect(linux.asked[0]).toMatchObject({ executablePath: '/tmp/chromium' })
    for (const [platform, arch] of [
      ['darwin', 'arm64'],
      ['win32', 'x64'],
      ['linux', 'arm64'],
    ] as const) {
      const other = machine({ platform, arch }, true)
      await startBrowser(other)
      expect(other.asked[0]).toMatchObject({ channel: 'chrome' })
    }
  })

  it('is the one at CHROME_PATH on each platform', async () => {
    for (const platform of ['linux', 'darwin', 'win32']) {
      const own = machine({ platform, chromePath: process.execPath }, true)
      await startBrowser(own)
      expect(own.asked[0]).toMatchObject({ executablePath: process.execPath })
    }
  })

  it.each([
    ['none is installed', { platform: 'darwin', arch: 'arm64' }],
    ['that of the package does not start', {}],
    ['the package has none', { packaged: () => Promise.reject(new Error('ENOENT')) }],
    ['CHROME_PATH leads to no file', { chromePath: '/nowhere/chrome' }],
  ])('is named with its remedy if %s', async (_case, given) => {
    await expect(startBrowser(machine(given, false))).rejects.toThrow(SENTENCE)
  })
})
