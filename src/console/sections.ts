import { has } from '../engine/changes/part.ts'
import { hasJoining } from '../hono/router-parts.ts'
import { linkRules } from '../operations/joining/invite-link.ts'
import type { GroupsContext } from '../parts/groups/groups.ts'
import type { ImpersonationContext } from '../parts/impersonation/impersonation.ts'
import type { KeysContext } from '../parts/keys/keys.ts'
import type { OwnRolesContext } from '../parts/roles/own-roles.ts'
import type { ScimContext } from '../parts/scim/scim.ts'
import { readsActing } from './acting.ts'
import { keyPages } from './pages/api-key-pages.tsx'
import { memberGroupPages } from './pages/group-pages.tsx'
import { actingNotice, actingPages } from './pages/impersonation-pages.tsx'
import { linkPages } from './pages/link-pages.tsx'
import { ownRolePages } from './pages/role-pages.tsx'
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

const hasKeys = /* @__PURE__ */ has<KeysContext>('keys')

/**
 * The page of an organization's API keys: for `sections` of `seatgateConsole`. It needs `apiKeys`; otherwise
 * the console throws a `TypeError`.
 *
 * @example
 * ```ts
 * seatgateConsole(seatgate, { authenticate, sections: [apiKeyPages] })
 * ```
 */
export const apiKeyPages: ConsoleSection = {
  key: 'apiKeys',
  path: '/api-keys',
  permission: 'organization:update',
  mount(setup, routes) {
    const { seatgate } = setup
    if (!hasKeys(seatgate)) throw new TypeError('apiKeyPages needs keys in createSeatgate.')
    keyPages({ ...setup, seatgate }, routes)
  },
}

const hasOwnRoles = /* @__PURE__ */ has<OwnRolesContext>('ownRoles')

/**
 * The pages of an organization's roles: for `sections` of `seatgateConsole`. They need `ownRoles`; otherwise
 * the console throws a `TypeError`.
 *
 * @example
 * ```ts
 * seatgateConsole(seatgate, { authenticate, sections: [rolePages] })
 * ```
 */
export const rolePages: ConsoleSection = {
  key: 'roles',
  path: '/roles',
  permission: 'organization:update',
  mount(setup, routes) {
    const { seatgate } = setup
    if (!hasOwnRoles(seatgate)) throw new TypeError('rolePages needs ownRoles in createSeatgate.')
    ownRolePages({ ...setup, seatgate }, routes)
  },
}

const hasGroups = /* @__PURE__ */ has<GroupsContext>('groups')

/**
 * The pages of an organization's groups: for `sections` of `seatgateConsole`. They need `groups`; otherwise
 * the console throws a `TypeError`.
 *
 * @example
 * ```ts
 * seatgateConsole(seatgate, { authenticate, sections: [groupPages] })
 * ```
 */
export const groupPages: ConsoleSection = {
  key: 'groups',
  path: '/groups',
  permission: 'members:manage',
  mount(setup, routes) {
    const { seatgate } = setup
    if (!hasGroups(seatgate)) throw new TypeError('groupPages needs groups in createSeatgate.')
    memberGroupPages({ ...setup, seatgate }, routes)
  },
}

const hasImpersonation = /* @__PURE__ */ has<ImpersonationContext>('impersonation')

/**
 * The pages of operators who act as a user: what an organization sees of it, and an operator's own, with a
 * banner while they act. For `sections` of `seatgateConsole`. They need `impersonation`, and `authenticate` made
 * by `actingInConsole`; otherwise the console throws a `TypeError`.
 *
 * @example
 * ```ts
 * seatgateConsole(seatgate, {
 *   authenticate: actingInConsole(seatgate, authenticate),
 *   sections: [impersonationPages],
 * })
 * ```
 */
export const impersonationPages: ConsoleSection = {
  key: 'impersonations',
  path: '/impersonations',
  permission: 'audit:read',
  notice: actingNotice,
  mount(setup, routes) {
    const { seatgate, options } = setup
    if (!hasImpersonation(seatgate) || !readsActing(options.authenticate)) {
      throw new TypeError(
        'impersonationPages needs impersonation in createSeatgate, and authenticate by actingInConsole.'
      )
    }
    actingPages({ ...setup, seatgate }, routes)
  },
}
