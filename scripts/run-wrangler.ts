import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startGroup, type ProcessGroup } from './process-group.ts'

/** The project's directory. */
export const root = fileURLToPath(new URL('..', import.meta.url))
const wrangler = resolve(root, 'node_modules/wrangler/bin/wrangler.js')
// It is one file of ten megabytes, and to compile it takes a third of a start.
const COMPILED = resolve(root, 'node_modules/.cache/compiled')

/** Runs a command of wrangler's, which cannot outlive this process. */
export function runWrangler(
  args: readonly string[],
  onOutput: (text: string) => void
): ProcessGroup {
  const env = {
    NODE_COMPILE_CACHE: COMPILED,
    ...process.env,
    // No questions, no look-up of the newest version, no fetch of sample request data, no log files.
    CI: '1',
    WRANGLER_HIDE_BANNER: 'true',
    WRANGLER_SEND_METRICS: 'false',
    WRANGLER_WRITE_LOGS: 'false',
    CLOUDFLARE_CF_FETCH_ENABLED: 'false',
  }
  return startGroup([wrangler, ...args], { cwd: process.cwd(), env, onOutput })
}
