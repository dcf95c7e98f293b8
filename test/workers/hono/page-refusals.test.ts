import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import {
  loadActiveOrganization,
  loadOrganizationFromSlug,
  pageRefusals,
  requireMembership,
  requireOrganizationMfa,
  requireRole,
  requireSudo,
  statusOf,
  type PageRefusalsOptions,
} from '../../../src/hono/index.ts'
import type { Refusal, RefusalCode } from '../../../src/index.ts'
import { belonging, testEnv, createKit, newUser } from '../../kit/index.ts'

/** What a browser gets: the way to where it can be mended, or plain words. */
type Page =
  | { readonly to: string; readonly with?: Record<string, string> }
  | { readonly status: number; readonly says: RegExp }

const BACK = { return_to: '/o/acme/x?tab=2&y=%2F' }

/** One page for each code, with whatever the refusal carries. A code without one does not compile. */
const PAGES = {
  unauthenticated: [{}, { to: '/login', with: BACK }],
  no_session: [{}, { to: '/login', with: BACK }],
  no_scope: [{}, { to: '/login', with: BACK }],
  no_active_organization: [
    {},
    { to: '/organizations', with: { notice: 'no_active_organization' } },
  ],
  stale_sudo: [{}, { to: '/users/sudo', with: BACK }],
  org_mfa_required: [
    { enrollmentPath: '/users/settings/mfa', returnTo: '/o/acme' },
    { to: '/users/settings/mfa', with: { return_to: '/o/acme' } },
  ],
  insufficient_permission: [
    { requiredPermission: 'project:delete' },
    { status: 403, says: /role/ },
  ],
  insufficient_role: [{ requiredRoles: ['owner'] }, { status: 403, says: /role/ }],
  invalid_password: [{}, { status: 403, says: /password/ }],
  step_up_required: [{}, { status: 403, says: /proof of identity/ }],
  step_up_failed: [{}, { status: 403, says: /proof/ }],
  hook_refused: [
    { reason: 'no_guests', detail: 'Ask <b>Ada</b>.' },
    { status: 403, says: /Ask <b>Ada<\/b>\.$/ },
  ],
  host_conflict: [{}, { status: 409, says: /Conflicts with other data/ }],
  organization_not_found: [{}, { status: 404, says: /Organization not found/ }],
  not_found: [{}, { status: 404, says: /Not found/ }],
  not_a_member: [{}, { status: 404, says: /member/ }],
  already_member: [{}, { status: 409, says: /member/ }],
  not_pending: [{}, { status: 409, says: /No longer pending/ }],
  email_mismatch: [{}, { status: 403, says: /another address/ }],
  invitation_invalid: [{}, { status: 404, says: /Invitation not found/ }],
  invitation_mismatch: [{}, { status: 403, says: /another user/ }],
  invitation_expired: [{}, { status: 410, says: /expired/ }],
  invitation_revoked: [{}, { status: 410, says: /revoked/ }],
  invitation_declined: [{}, { status: 410, says: /declined/ }],
  invitation_already_accepted: [{}, { status: 409, says: /already accepted/ }],
  role_not_configured: [{}, { status: 409, says: /role no longer exists/ }],
  rate_limited: [{ retryAfterSeconds: 60 }, { status: 429, says: /attempts; try again later/ }],
  rate_limited_user: [{ retryAfterSeconds: 60 }, { status: 429, says: /You .* try again later/ }],
  rate_limited_organization: [
    { retryAfterSeconds: 60 },
    { status: 429, says: /This organization .* try again later/ },
  ],
  domain_not_verified: [{}, { status: 409, says: /DNS/ }],
  domain_taken: [{}, { status: 409, says: /another organization/ }],
  link_used_up: [{}, { status: 410, says: /used up/ }],
  owned_limit_reached: [
    { limit: 3, used: 3 },
    { status: 409, says: /The limit is 3/ },
  ],
  membership_limit_reached: [
    { limit: 9, used: 9 },
    { status: 409, says: /The limit is 9/ },
  ],
  address_not_allowed: [{}, { status: 403, says: /verified domain/ }],
  not_unique: [{}, { status: 409, says: /taken/ }],
  version_mismatch: [{}, { status: 412, says: /changed/ }],
  scim_invalid: [
    { scimType: 'invalidPath', detail: 'x' },
    { status: 400, says: /valid SCIM/ },
  ],
  last_owner: [{ organizations: [] }, { status: 409, says: /owner/ }],
  seat_limit_reached: [
    { limit: 5, used: 6 },
    { status: 409, says: /6 of 5 / },
  ],
  admin_must_enroll_first: [{}, { status: 409, says: /second factor/ }],
  operation_in_progress: [{}, { status: 409, says: /again/ }],
  idempotency_mismatch: [{}, { status: 422, says: /Idempotency-Key/ }],
  stored_result_unreadable: [{}, { status: 410, says: /stored result/ }],
  validation_error: [
    { errors: { name: ['Is required.', 'Is empty.'], slug: ['This slug is already taken.'] } },
    { status: 422, says: /\nname: Is required\. Is empty\.\nslug: This slug is already taken\.$/ },
  ],
  already_replayed: [{}, { status: 409, says: /Already retried/ }],
  not_dead: [{}, { status: 409, says: /dead letter/ }],
  too_many: [{}, { status: 409, says: /No more of these/ }],
  before_horizon: [{ horizon: 5 }, { status: 410, says: /were purged/ }],
  outdated_version: [
    { limit: 5, version: 7 },
    { status: 409, says: /newer version/ },
  ],
  invalid_cursor: [{}, { status: 400, says: /cursor/ }],
  invalid_json: [{}, { status: 400, says: /JSON/ }],
  invalid_encoding: [{}, { status: 400, says: /UTF-8/ }],
  unsupported_media_type: [{}, { status: 415, says: /application\/json/ }],
  cross_site_request: [{}, { status: 403, says: /another site/ }],
  payload_too_large: [{}, { status: 413, says: /large/ }],
  hook_failed: [{}, { status: 503, says: /check whether/ }],
  mfa_policy_aborted: [{}, { status: 503, says: /policy/ }],
  no_subscription: [{}, { status: 409, says: /no subscription/ }],
  already_subscribed: [{}, { status: 409, says: /a subscription already/ }],
  invalid_state: [{}, { status: 409, says: /does not allow this/ }],
  seats_in_use: [
    { mustFree: { seats: 1, candidates: [] } },
    { status: 409, says: /seats are in use/ },
  ],
  role_in_use: [{ uses: { members: 1 } }, { status: 409, says: /role is in use/ }],
  provider_refused: [{}, { status: 409, says: /provider refuses/ }],
  provider_unavailable: [{}, { status: 503, says: /provider/ }],
  seats_unavailable: [{}, { status: 503, says: /[Ss]eats/ }],
  unavailable: [{}, { status: 503, says: /at the moment/ }],
  schema_mismatch: [{}, { status: 503, says: /tables/ }],
} satisfies Record<RefusalCode, readonly [carries: object, page: Page]>

const cases = Object.entries(PAGES).map(
  ([code, [carries, page]]) => [code, { code, ...carries } as Refusal, page as Page] as const
)

/** Asks for a page that refuses. */
async function refusing(
  refusal: Refusal,
  options?: PageRefusalsOptions,
  path = '/o/acme/x?tab=2&y=%2F',
  method = 'GET'
) {
  const onRefusal = pageRefusals(options)
  const app = new Hono().all('*', (c) => onRefusal(c, refusal))
  return app.request(`https://app.example${path}`, { method })
}

describe('pageRefusals()', () => {
  it.each(cases)('%s [PIPE-58 PIPE-59]', async (code, refusal, page) => {
    for (const method of ['GET', 'POST']) {
      const response = await refusing(refusal, undefined, undefined, method)
      expect(response.headers.getSetCookie()).toEqual([])
      if ('to' in page) {
        expect(response.status).toBe(303)
        expect(response.headers.get('cache-control')).toBe('no-store')
        const location = new URL(response.headers.get('location')!, 'https://app.example')
        expect([location.origin, location.pathname]).toEqual(['https://app.example', page.to])
        // C3: a browser comes back with a GET, so that the path of a POST is no way back.
        const { with: parameters } = page
        const expected = method === 'POST' && parameters === BACK ? {} : parameters
        expect(Object.fromEntries(location.searchParams)).toEqual(expected)
        expect(await response.text()).toBe('')
      } else {
        expect(response.status).toBe(page.status)
        expect(response.status).toBe(statusOf(code as RefusalCode))
        expect(response.headers.get('content-type')).toMatch(/^text\/plain/)
        expect(response.headers.get('cache-control')).toBe('no-store')
        expect(response.headers.get('location')).toBeNull()
        expect(await response.text()).toMatch(page.says)
      }
    }
  })

  it.each(cases.filter(([, , page]) => 'status' in page && page.status === 503))(
    '%s has the time to retry, as its problem does [PIPE-58]',
    async (_code, refusal) => {
      expect((await refusing(refusal)).headers.get('retry-after')).toBe('5')
    }
  )

  it('accepts a refusal without its optional members [PIPE-58]', async () => {
    const text = async (refusal: Refusal) => (await refusing(refusal)).text()
    expect(await text({ code: 'hook_refused', reason: 'no_guests' })).toMatch(/no_guests$/)
    expect(await text({ code: 'last_owner' })).toMatch(/owner/)
    expect(await text({ code: 'insufficient_role' })).toMatch(/role/)
  })

  it.each(['//evil.example/a', '/\\evil.example', '/.//evil.example'])(
    'does not lead back to %j [PIPE-57 PIPE-59]',
    async (path) => {
      for (const code of ['unauthenticated', 'stale_sudo'] as const) {
        const response = await refusing({ code }, undefined, path)
        expect(new URL(response.headers.get('location')!, 'https://app.example').search).toBe(
          '?return_to=%2F'
        )
      }
    }
  )

  it('redirects to the host’s path, and keeps its query [PIPE-59]', async () => {
    const options = {
      loginPath: '/sign-in?theme=dark',
      organizationsPath: '/choose?all=1',
      sudoPath: '/again',
    }
    const to = async (refusal: Refusal) =>
      (await refusing(refusal, options, '/a')).headers.get('location')
    expect(await to({ code: 'unauthenticated' })).toBe('/sign-in?theme=dark&return_to=%2Fa')
    expect(await to({ code: 'no_active_organization' })).toBe(
      '/choose?all=1&notice=no_active_organization'
    )
    expect(await to({ code: 'stale_sudo' })).toBe('/again?return_to=%2Fa')
    const enrollmentPath = '/me?tab=mfa'
    expect(await to({ code: 'org_mfa_required', enrollmentPath, returnTo: '/a&b' })).toBe(
      '/me?tab=mfa&return_to=%2Fa%26b'
    )
  })

  it('redirects to the login page without a session, and back only after a GET [C3]', async () => {
    const { seatgate } = createKit({ provider: 'unlimited' })
    const onRefusal = pageRefusals()
    const app = new Hono()
      .use(loadActiveOrganization(seatgate, { authenticate: () => null }))
      .use('/settings', requireMembership(seatgate, { onRefusal }))
      .use('/billing', requireSudo(seatgate, { isFresh: () => true, onRefusal }))
      .all('*', (c) => c.text('in'))
    const ask = async (path: string, method: string) => {
      const response = await app.request(path, { method })
      return [response.status, response.headers.get('location')]
    }
    for (const path of ['/settings', '/billing']) {
      const back = `/login?return_to=${encodeURIComponent(`${path}?tab=2`)}`
      expect(await ask(`${path}?tab=2`, 'GET')).toEqual([303, back])
      expect(await ask(`${path}?tab=2`, 'HEAD')).toEqual([303, back])
      for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
        expect(await ask(`${path}?tab=2`, method)).toEqual([303, '/login'])
      }
    }
  })

  it('leads a POST without a second factor back to the organization [C3]', async () => {
    const { seatgate } = createKit({ provider: 'unlimited' })
    const onRefusal = pageRefusals()
    const app = new Hono()
      .use(async (c, next) => {
        c.set('caller' as never, { userId: 'ada' } as never)
        c.set('organization' as never, { slug: 'acme', enforceMfaForMembers: true } as never)
        await next()
      })
      .use(requireOrganizationMfa(seatgate, { mfaCheck: () => false, onRefusal }))
      .all('*', (c) => c.text('in'))
    const response = await app.request('/o/acme/projects/7/delete', { method: 'POST' })
    expect(response.headers.get('location')).toBe(
      '/users/settings/mfa?return_to=%2Forganizations%2Facme'
    )
  })

  it('answers for every middleware of a host that has pages [PIPE-58 PIPE-59]', async () => {
    const { seatgate } = createKit({ provider: 'unlimited' })
    const userId = await newUser()
    const [home] = await belonging(userId, 1)
    await testEnv.DB.prepare(
      'UPDATE seatgate_organizations SET enforce_mfa_for_members = 1 WHERE id = ?'
    )
      .bind(home!.id)
      .run()
    const onRefusal = pageRefusals()
    const app = new Hono()
      .use(
        '/o/:org/*',
        loadOrganizationFromSlug(seatgate, {
          authenticate: (c) => (c.req.header('authorization') ? { userId } : null),
          onRefusal,
        })
      )
      .use('/o/:org/mfa', requireOrganizationMfa(seatgate, { mfaCheck: () => false, onRefusal }))
      .use('/o/:org/sudo', requireSudo(seatgate, { isFresh: () => false, onRefusal }))
      .use('/o/:org/problem', requireRole(seatgate, 'owner'))
      .all('*', (c) => c.text('in'))
    const ask = async (path: string, headers = { authorization: 'any' }) => {
      const response = await app.request(path, { headers })
      return [response.status, response.headers.get('location')]
    }
    const back = encodeURIComponent(`/o/${home!.slug}`)
    expect(await ask(`/o/${home!.slug}/x`, {} as never)).toEqual([
      303,
      `/login?return_to=${back}%2Fx`,
    ])
    expect(await ask('/o/no-such/x')).toEqual([404, null])
    expect(await ask(`/o/${home!.slug}/mfa`)).toEqual([
      303,
      `/users/settings/mfa?return_to=${back}%2Fmfa`,
    ])
    expect(await ask(`/o/${home!.slug}/sudo`)).toEqual([
      303,
      `/users/sudo?return_to=${back}%2Fsudo`,
    ])
    expect(await ask(`/o/${home!.slug}/problem`)).toEqual([403, null])
    expect(await ask(`/o/${home!.slug}/x`)).toEqual([200, null])
  })
})
