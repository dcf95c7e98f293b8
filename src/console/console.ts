import type { Hono } from 'hono'
import type { Seatgate } from '../seatgate.ts'
import { mountPages } from './mount-pages.ts'
import { ownFiles } from './console-files.ts'
import type { ConsoleEnv, ConsoleOptions } from './visit.ts'

/**
 * Creates the pages on which people administer their organizations: members, invitations, requests to
 * join, domains, seats, billing, the audit trail and its log streams, and those of operators. They are
 * rendered on the server and work without scripts; they call the functions of this library, and show what
 * the role of the caller may see. Mount them at any path.
 *
 * Responses have a content security policy without inline scripts and styles. A form of another site is
 * refused. The pages load from their own origin only.
 *
 * @throws {TypeError} if an option is wrong, or if neither `verifyPassword` nor `stepUp` is configured.
 *
 * @example
 * ```ts
 * import { seatgateConsole } from 'seatgate/console'
 *
 * app.route('/console', seatgateConsole(seatgate, { authenticate, signInUrl: '/login' }))
 * ```
 */
export function seatgateConsole(seatgate: Seatgate, options: ConsoleOptions): Hono<ConsoleEnv> {
  return mountPages('seatgateConsole', { seatgate, options, files: ownFiles })
}
