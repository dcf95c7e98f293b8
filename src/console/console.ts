import type { Hono } from 'hono'
import { files } from '#console-assets'
import { checkOptionNames, namesOf } from '../base/names.ts'
import { checkAuthenticate } from '../hono/request.ts'
import { checkProof } from '../hono/routes/route-group.ts'
import type { Seatgate } from '../seatgate.ts'
import { hasForwarding, hasInvitations, hasJoining } from '../hono/router-parts.ts'
import { auditPages } from './pages/audit-pages.tsx'
import { billingPages } from './pages/billing-pages.tsx'
import { invitationPages } from './pages/invitation-pages.tsx'
import { invitedPages } from './pages/invited-pages.tsx'
import { joiningPages } from './pages/joining-pages.tsx'
import { memberPages } from './pages/member-pages.tsx'
import { organizationPages } from './pages/organization-pages.tsx'
import { platformPages } from './pages/platform-pages.tsx'
import { seatPages } from './pages/seat-pages.tsx'
import { sinkPages } from './pages/sink-pages.tsx'
import { consoleRoutes } from './routes.ts'
import type { ConsoleEnv, ConsoleOptions } from './visit.ts'

const OPTIONS = namesOf<ConsoleOptions>({
  authenticate: true,
  signInUrl: true,
  signOutUrl: true,
  brand: true,
  languages: true,
  signIn: true,
  billing: true,
})

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
  checkOptionNames('seatgateConsole', options, OPTIONS)
  checkAuthenticate('seatgateConsole', options.authenticate)
  checkProof('seatgateConsole', seatgate)
  const setup = { seatgate, options }
  const app = consoleRoutes(setup, (routes) => {
    organizationPages(setup, routes)
    memberPages(setup, routes)
    if (hasInvitations(seatgate)) {
      invitationPages({ seatgate, options }, routes)
      invitedPages({ seatgate, options }, routes)
    }
    if (hasJoining(seatgate)) joiningPages({ seatgate, options }, routes)
    seatPages(setup, routes)
    if (seatgate.billing !== null) billingPages(setup, routes)
    auditPages(setup, routes)
    if (hasForwarding(seatgate)) sinkPages({ seatgate, options }, routes)
    platformPages(setup, routes)
  })
  // A name has the hash of its content, so that it never changes.
  app.get('/assets/:name', (c) => {
    const file = Object.hasOwn(files, c.req.param('name')) ? files[c.req.param('name')] : undefined
    if (file === undefined) return c.notFound()
    return c.body(file.text, 200, {
      'content-type': file.type,
      'cache-control': 'public, max-age=31536000, immutable',
      'x-content-type-options': 'nosniff',
      // A worker has the policy of its script: this one reads the trail.
      'content-security-policy': `default-src 'none'; connect-src 'self'`,
    })
  })
  return app
}
