import { describe, expect, it } from 'vitest'
import { addMember, joinRules } from '../../../src/index.ts'
import { inviteLinkPages, scimTokenPages, seatgateConsole } from '../../../src/console/index.ts'
import { createKit, person, postMember, SECRET } from '../../kit/index.ts'
import { acme, leads, pushed, shownAfter } from './console-kit.ts'

const withLinks = () =>
  acme(
    { joining: joinRules({ verifyDomain: () => true, links: {} }) },
    { sections: [inviteLinkPages] }
  )

const LINK = /value="http:\/\/localhost(\/admin\/console\/link)#token=([\w-]{43})"/

/** The cookie that a response sets. */
const cookieOf = ({ headers }: Response) => (headers.get('set-cookie') ?? '').split(';')[0] ?? ''

describe('the page of links', () => {
  it('makes a link, shows it once, lists its uses and revokes it, in two trips a page', async () => {
    const { kit, owner, pages, slug } = await withLinks()
    const path = `/org/${slug}/invitations/links`
    expect(await (await pages.get(path, owner)).text()).toContain('No invite links.')
    const fields = { role: 'member', uses: '3', days: '2', operation: crypto.randomUUID() }
    const made = await pages.post(path, owner, fields)
    expect(made.headers.get('cache-control')).toBe('no-store')
    expect(await made.text()).toMatch(LINK)
    const again = await pages.post(path, owner, fields)
    expect(again.status).toBe(303)
    const before = kit.trips()
    const list = await (await pages.get(path, owner)).text()
    expect(kit.trips() - before).toBeLessThanOrEqual(2)
    expect(list).toContain('3 of 3 left')
    expect(list).toContain('in 2 days')
    expect(list).not.toMatch(LINK)
    const [, id = ''] = /links\/([\w-]+)\/revoke/.exec(list) ?? []
    const revoked = await pages.post(`${path}/${id}/revoke`, owner)
    expect(leads(revoked)).toContain(path)
    expect(await (await pages.get(path, owner)).text()).toContain('No invite links.')
  })

  it('shows the refusal of a link that is not valid', async () => {
    const { owner, pages, slug } = await withLinks()
    const path = `/org/${slug}/invitations/links`
    const refused = await pages.post(path, owner, { role: 'member', uses: '0', days: '2' })
    const shown = await pages.get(leads(refused), null, {
      cookie: `session=${owner.token}; ${cookieOf(refused)}`,
    })
    expect(await shown.text()).toContain('data-refusal="validation_error"')
  })

  it('is refused to a member, without a link to it', async () => {
    const { owner, member, pages, slug } = await withLinks()
    await postMember({ id: slug } as Parameters<typeof postMember>[0], owner, member)
    const path = `/org/${slug}/invitations/links`
    expect(await (await pages.get(`/org/${slug}/members`, owner)).text()).toContain(path)
    expect((await pages.get(path, member)).status).toBe(403)
    expect(await (await pages.get(`/org/${slug}/members`, member)).text()).not.toContain(path)
  })

  it('needs links in joinRules', () => {
    const { seatgate } = createKit({ secret: SECRET })
    const options = { authenticate: () => null, sections: [inviteLinkPages] }
    expect(() => seatgateConsole(seatgate, options)).toThrow(TypeError)
  })
})

describe('the page that a link opens', () => {
  it('asks to sign in, then names the organization and joins', async () => {
    const { kit, owner, member, pages, slug } = await withLinks()
    const fields = { role: 'admin', uses: '1', days: '1' }
    const made = await pages.post(`/org/${slug}/invitations/links`, owner, fields)
    const [, , token = ''] = LINK.exec(await made.text()) ?? []
    expect(await (await pages.get('/link', null)).text()).toContain('Paste the link')

    const kept = await pages.post('/link', null, { token: `https://x.example/link#token=${token}` })
    expect([kept.status, leads(kept)]).toEqual([303, '/link'])
    const cookie = cookieOf(kept)
    const stranger = await (await pages.get('/link', null, { cookie })).text()
    expect(stranger).toContain('/sign-in?return_to=')
    expect(stranger).not.toContain('Acme')

    const asMember = {
      cookie: `session=${member.token}; ${cookie}`,
      'sec-fetch-site': 'same-origin',
    }
    const before = kit.trips()
    const shown = await (await pages.get('/link', null, asMember)).text()
    expect(kit.trips() - before).toBeLessThanOrEqual(2)
    expect(shown).toMatch(/you can join <bdi>Acme<\/bdi> as <strong>admin<\/strong>/)
    const joined = await pages.post('/link/join', null, { name: 'Acme' }, asMember)
    expect(leads(joined)).toMatch(/^\/org\/[\w-]+\/members\?outcome=/)
    expect((await pages.get(`/org/${slug}/members`, member)).status).toBe(200)

    const late = await person()
    const asLate = { ...asMember, cookie: `session=${late.token}; ${cookie}` }
    expect(await (await pages.get('/link', null, asLate)).text()).toContain(
      'data-refusal="link_used_up"'
    )
  })

  it('refuses a form of another site', async () => {
    const { pages } = await withLinks()
    const headers = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }
    expect((await pages.post('/link', null, { token: 'x' }, headers)).status).toBe(403)
  })
})

describe('the page of SCIM tokens', () => {
  it('makes a token, shows it once, and revokes it, in two trips a page', async () => {
    const { kit, owner, pages, path } = await pushed()
    const made = await pages.post(path, owner, { name: 'Directory <b>' })
    expect(made.headers.get('cache-control')).toBe('no-store')
    const [, secret = ''] = /readonly=""[^>]*value="([^"]{20,})"/.exec(await made.text()) ?? []
    expect(secret).not.toBe('')
    const before = kit.trips()
    const list = await (await pages.get(path, owner)).text()
    expect(kit.trips() - before).toBeLessThanOrEqual(2)
    expect(list).toContain('<bdi>Directory &lt;b&gt;</bdi>')
    expect(list).not.toContain(secret)
    const [, id = ''] = /directory\/([\w-]+)\/revoke/.exec(list) ?? []
    await pages.post(`${path}/${id}/revoke`, owner)
    expect(await (await pages.get(path, owner)).text()).toContain('No tokens yet.')
  })

  it('makes one token of a form that is sent twice, as a reload does', async () => {
    const { owner, pages, path } = await pushed()
    const html = await (await pages.get(path, owner)).text()
    const [, operation = ''] = /name="operation"[^>]*value="([^"]+)"/.exec(html) ?? []
    const fields = { name: 'Directory', operation }
    expect((await pages.post(path, owner, fields)).status).toBe(200)
    expect(await shownAfter(pages, path, owner, fields)).toContain('The token was created.')
    const list = await (await pages.get(path, owner)).text()
    expect(list.match(/\/revoke"/g)).toHaveLength(1)
  })

  it('lets owners make tokens, and administrators revoke them', async () => {
    const { owner, admin, pages, path } = await pushed()
    await pages.post(path, owner, { name: 'Directory' })
    const html = await (await pages.get(path, admin)).text()
    expect(html).toContain('Revoke the token Directory')
    expect(html).not.toContain('Create a token')
    const refused = await pages.post(path, admin, { name: 'Another' })
    expect(decodeURIComponent(cookieOf(refused))).toContain('insufficient_role')
  })

  it('needs scim', () => {
    const { seatgate } = createKit({ secret: SECRET })
    const options = { authenticate: () => null, sections: [scimTokenPages] }
    expect(() => seatgateConsole(seatgate, options)).toThrow(TypeError)
  })
})

describe('configured permissions', () => {
  const GRANTS = {
    ownerRole: 'owner',
    roles: ['owner', 'admin', 'auditor', 'inviter', 'member'],
    grants: { admin: ['*'], auditor: ['audit:read'], inviter: ['members:invite'] },
    joining: joinRules({ verifyDomain: () => true, links: {} }),
  } as const

  it('decide which pages and acts a role is shown', async () => {
    const { kit, owner, pages, slug } = await acme(GRANTS, { sections: [inviteLinkPages] })
    const as = async (role: string) => {
      const one = await person()
      const scope = { caller: { userId: owner.userId }, organization: slug }
      const added = await addMember(kit.seatgate, scope, { userId: one.userId, role })
      expect(added.ok).toBe(true)
      const html = await (await pages.get(`/org/${slug}/members`, one)).text()
      const named = [...html.matchAll(/org\/[\w-]+\/([\w/-]+)"/g)].map(([, name]) => name)
      const statuses: Record<string, number> = {}
      for (const page of ['requests', 'domains', 'audit', 'settings', 'invitations/links']) {
        statuses[page] = (await pages.get(`/org/${slug}/${page}`, one)).status
      }
      return { named, statuses, manages: html.includes('Manage ') }
    }
    const auditor = await as('auditor')
    expect(auditor.named).toContain('audit')
    for (const page of ['requests', 'domains', 'settings', 'invitations/links'])
      expect(auditor.named).not.toContain(page)
    expect(auditor.manages).toBe(false)
    const inviter = await as('inviter')
    expect(inviter.named).toContain('invitations/links')
    expect(inviter.named).not.toContain('audit')
    // What a role is shown is what it gets.
    for (const { named, statuses } of [auditor, inviter, await as('admin')]) {
      for (const [page, status] of Object.entries(statuses))
        expect([page, status]).toEqual([page, named.includes(page) ? 200 : 403])
    }
  })
})
