import type { Hono } from 'hono'
import type { Seatgate } from '../seatgate.ts'
import { filesIn, type FileSource } from './console-files.ts'
import { mountPages } from './mount-pages.ts'
import type { ConsoleEnv, ConsoleOptions } from './visit.ts'

/**
 * Creates the same pages as `seatgateConsole`, for a small Worker: it does not contain the scripts, the styles
 * and the texts in English, and reads them from a binding of static assets. Let the directory of the binding
 * be `node_modules/seatgate/dist/console/files`, or have the files of that directory at its root.
 *
 * @throws {TypeError} if an option is wrong, or if neither `verifyPassword` nor `stepUp` is configured.
 *
 * @example
 * ```ts
 * import { consoleWithAssets } from 'seatgate/console'
 *
 * app.route('/console', consoleWithAssets(seatgate, { assets: env.ASSETS, authenticate }))
 * ```
 */
export function consoleWithAssets(
  seatgate: Seatgate,
  { assets, ...options }: ConsoleOptions & { readonly assets: FileSource }
): Hono<ConsoleEnv> {
  return mountPages('consoleWithAssets', { seatgate, options, files: filesIn(assets) })
}
