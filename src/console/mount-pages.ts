import type { Hono } from 'hono'
import { checkOptionNames, namesOf } from '../base/names.ts'
import { checkAuthenticate } from '../hono/request.ts'
import { checkProof } from '../hono/routes/route-group.ts'
import { hasForwarding, hasInvitations, hasJoining } from '../hono/router-parts.ts'
import { auditPages } from './pages/audit-pages.tsx'
import { billingPages } from './pages/billing-pages.tsx'
import { invitationPages, noInvitations } from './pages/invitation-pages.tsx'
import { invitedPages } from './pages/invited-pages.tsx'
import { joiningPages } from './pages/joining-pages.tsx'
import { memberPages } from './pages/member-pages.tsx'
import { organizationPages } from './pages/organization-pages.tsx'
import { platformPages } from './pages/platform-pages.tsx'
import { seatPages } from './pages/seat-pages.tsx'
import { sinkPages } from './pages/sink-pages.tsx'
import { consoleRoutes } from './routes.ts'
import type { Console, ConsoleEnv, ConsoleOptions } from './visit.ts'

const OPTIONS = namesOf<ConsoleOptions>({
  authenticate: true,
  signInUrl: true,
  signOutUrl: true,
  brand: true,
  languages: true,
  signIn: true,
  billing: true,
  sections: true,
})

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** Adds all pages that a configuration has, and the files that they load. */
export function mountPages(name: string, setup: Console): Hono<ConsoleEnv> {
  const { seatgate, options } = setup
  checkOptionNames(name, options, OPTIONS)
  checkAuthenticate(name, options.authenticate)
  checkProof(name, seatgate)
  const app = consoleRoutes(setup, (routes) => {
    organizationPages(setup, routes)
    memberPages(setup, routes)
    if (hasInvitations(seatgate)) {
      invitationPages({ ...setup, seatgate }, routes)
      invitedPages({ ...setup, seatgate }, routes)
    } else noInvitations(setup, routes)
    if (hasJoining(seatgate)) joiningPages({ ...setup, seatgate }, routes)
    seatPages(setup, routes)
    if (seatgate.billing !== null) billingPages(setup, routes)
    auditPages(setup, routes)
    if (hasForwarding(seatgate)) sinkPages({ ...setup, seatgate }, routes)
    platformPages(setup, routes)
    options.sections?.forEach(({ mount }) => mount(setup, routes))
  })
  // A name has the hash of its content, so that it never changes.
  app.get('/assets/:name', async (c) => {
    const name = c.req.param('name')
    const text = await setup.files.read(name)
    const type = TYPES[name.slice(name.lastIndexOf('.'))]
    if (text === null || type === undefined) return c.notFound()
    return c.body(text, 200, {
      'content-type': type,
      'cache-control': 'public, max-age=31536000, immutable',
      'x-content-type-options': 'nosniff',
      // A worker has the policy of its script: this one reads the trail.
      'content-security-policy': `default-src 'none'; connect-src 'self'`,
    })
  })
  return app
}
