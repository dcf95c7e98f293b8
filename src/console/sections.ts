import { has } from '../engine/changes/part.ts'
import { hasJoining } from '../hono/router-parts.ts'
import { linkRules } from '../operations/joining/invite-link.ts'
import type { ScimContext } from '../parts/scim/scim.ts'
import { linkPages } from './pages/link-pages.tsx'
import { tokenPages } from './pages/scim-token-pages.tsx'
import type { ConsoleSection } from './visit.ts'

/**
 * The page of an organization's links to join, and the page that such a link opens: for `sections` of
 * `seatgateConsole`. It needs `joinRules` with `links`; otherwise the console throws a `TypeError`.
 *
 * @example
 * ```ts
 * seatgateConsole(seatgate, { authenticate, sections: [inviteLinkPages] })
 * ```
 */
export const inviteLinkPages: ConsoleSection = {
  key: 'links',
  path: '/invitations/links',
  permission: 'members:invite',
  mount(setup, routes) {
    const { seatgate } = setup
    if (!hasJoining(seatgate)) throw new TypeError('inviteLinkPages needs joinRules({ links }).')
    linkRules(seatgate)
    linkPages({ ...setup, seatgate }, routes)
  },
}

const hasScim = /* @__PURE__ */ has<ScimContext>('scim')

/**
 * The page of the tokens of an organization's identity provider: for `sections` of `seatgateConsole`. It
 * needs `scim`; otherwise the console throws a `TypeError`.
 *
 * @example
 * ```ts
 * seatgateConsole(seatgate, { authenticate, sections: [scimTokenPages] })
 * ```
 */
export const scimTokenPages: ConsoleSection = {
  key: 'directory',
  path: '/directory',
  permission: 'organization:update',
  mount(setup, routes) {
    const { seatgate } = setup
    if (!hasScim(seatgate)) throw new TypeError('scimTokenPages needs scim in createSeatgate.')
    tokenPages({ ...setup, seatgate }, routes)
  },
}
