import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { consoleWithAssets, german, seatgateConsole } from '../../../src/console/index.ts'
import {
  createKit,
  PASSWORD,
  person,
  postMember,
  seatgateWith,
  testEnv,
  type Kit,
} from '../../kit/index.ts'
import { acme, authenticating, mounted } from './console-kit.ts'

/** Where a form leads, without the id of its outcome. */
const pathOf = ({ headers }: Response) =>
  headers.get('location')?.replace(/\?outcome=[\da-f]{8}$/, '')

const PAGES = [
  'members',
  'invitations',
  'requests',
  'domains',
  'seats',
  'seats/history',
  'seats/at?at=2030-01-01T00:00',
  'audit',
  'settings',
]

describe('a page of an organization', () => {
  it('lists the organizations of a person with the seats of each', async () => {
    const { owner, member, pages, slug } = await acme()
    await pages.post('/new', owner, { name: 'Second' })
    await postMember({ id: slug } as Parameters<typeof postMember>[0], owner, member)
    const html = await (await pages.get('?all', owner)).text()
    const rows = [...html.matchAll(/<bdi>(Acme|Second)<\/bdi>.*?data-label="Seats">([^<]*)</g)]
    expect(rows.map(([, name, seats]) => `${name}: ${parseInt(seats ?? '', 10)}`)).toEqual([
      'Second: 1',
      'Acme: 2',
    ])
  })

  it('has links, forms and files below the path that the console is mounted at', async () => {
    const { owner, pages, slug } = await acme()
    const html = await (await pages.get(`/org/${slug}/members`, owner)).text()
    const targets = [...html.matchAll(/\s(?:href|action|src)="([^"#]+)"/g)].map(([, to = '']) => to)
    expect(targets.length).toBeGreaterThan(8)
    expect(targets.filter((to) => !/^\/admin\/console([/?]|$)/.test(to))).toEqual([])
    const style = targets.find((to) => to.endsWith('.css')) ?? ''
    const file = await pages.get(style.replace('/admin/console', ''), null)
    expect(file.headers.get('cache-control')).toContain('immutable')
  })

  it('has a policy without inline scripts and styles, and neither in it', async () => {
    const { owner, pages, slug } = await acme()
    for (const page of PAGES) {
      const response = await pages.get(`/org/${slug}/${page}`, owner)
      const policy = response.headers.get('content-security-policy') ?? ''
      expect(policy).toContain("script-src 'self'")
      expect(policy).not.toContain('unsafe')
      expect(response.headers.get('cache-control')).toBe('no-store')
      const html = await response.text()
      expect(html).not.toMatch(/<style|\sstyle=|\son[a-z]+=|<script(?! type="module" src=)/)
    }
  })

  it('is a page with the reason and a time to retry, while D1 does not answer', async () => {
    let isDown = false
    const { owner, pages, slug } = await acme({
      around: (trip, run) =>
        isDown && trip.store === 'd1'
          ? Promise.reject(new Error('D1_ERROR: Network connection lost.'))
          : run(),
    })
    isDown = true
    for (const page of PAGES) {
      const response = await pages.get(`/org/${slug}/${page}`, owner)
      expect(response.status, page).toBe(503)
      expect(response.headers.get('retry-after')).toBe('5')
      expect(response.headers.get('content-security-policy')).toContain("script-src 'self'")
      expect(response.headers.get('cache-control')).toBe('no-store')
      expect(response.headers.get('referrer-policy')).toBe('same-origin')
      expect(await response.text()).toContain('data-refusal="unavailable"')
    }
    const refused = await pages.post(`/org/${slug}/settings/rename`, owner, { name: 'Later' })
    const outcome = decodeURIComponent(refused.headers.get('set-cookie') ?? '')
    expect([refused.status, outcome]).toEqual([303, expect.stringContaining('"unavailable"')])
  })

  it('of a former address leads members to the same page of the new one', async () => {
    const { owner, pages, slug } = await acme()
    const fields = { slug: `${slug}-moved`, confirm: slug, proof: PASSWORD }
    const moved = await pages.post(`/org/${slug}/settings/slug`, owner, fields)
    expect(pathOf(moved)).toBe(`/admin/console/org/${slug}-moved/settings`)
    const response = await pages.get(`/org/${slug}/seats`, owner)
    expect(response.headers.get('location')).toBe(`/admin/console/org/${slug}-moved/seats`)
  })
})

describe('a role', () => {
  it.each(['requests', 'domains', 'seats/history', 'audit', 'settings'])(
    'without the right gets no /%s',
    async (page) => {
      const { owner, member, pages, slug } = await acme()
      await postMember({ id: slug } as Parameters<typeof postMember>[0], owner, member)
      const response = await pages.get(`/org/${slug}/${page}`, member)
      expect(response.status).toBe(403)
      expect(await response.text()).not.toContain(owner.email)
    }
  )

  it('of a stranger gets the answer of an organization that does not exist', async () => {
    const { member, pages, slug } = await acme()
    for (const page of PAGES) {
      const response = await pages.get(`/org/${slug}/${page}`, member)
      expect(response.status, page).toBe(404)
      const absent = await pages.get(`/org/absent/${page}`, member)
      const text = (await response.text()).replaceAll(slug, 'absent')
      expect(text).toBe(await absent.text())
    }
  })
})

describe('a form', () => {
  it.each([
    { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' },
    { 'sec-fetch-site': 'same-site', origin: 'https://other.seatgate.test' },
    { origin: 'null' },
  ])('of another site is refused: %j', async (headers) => {
    const { owner, pages, slug } = await acme()
    const path = `/org/${slug}/settings/rename`
    const response = await pages.post(path, owner, { name: 'Taken' }, headers)
    expect(response.status).toBe(403)
    expect(await response.text()).toContain('data-refusal="cross_site_request"')
  })

  it('that is sent twice is one operation', async () => {
    const kit = createKit()
    const owner = await person()
    const pages = mounted(kit.seatgate)
    const fields = { name: 'Once', operation: crypto.randomUUID() }
    const [first, again] = [
      await pages.post('/new', owner, fields),
      await pages.post('/new', owner, fields),
    ]
    expect(pathOf(again)).toBe(pathOf(first))
    expect(await (await pages.get('?all', owner)).text()).toContain('1 organization')
    const straight = await pages.get('', owner)
    expect(straight.headers.get('location')).toBe(pathOf(first))
  })

  it('that is not UTF-8 or too large is refused', async () => {
    const { owner, pages, slug } = await acme()
    const path = `/org/${slug}/settings/rename`
    const large = await pages.post(path, owner, { name: 'x'.repeat(70_000) })
    expect(large.status).toBe(413)
    expect(await large.text()).toContain('data-refusal="payload_too_large"')
  })

  it('of a person without a session redirects to the sign-in page', async () => {
    const { pages, slug } = await acme()
    const page = await pages.get(`/org/${slug}/seats?x=1`, null)
    const back = encodeURIComponent(`/admin/console/org/${slug}/seats?x=1`)
    expect(page.headers.get('location')).toBe(`/sign-in?return_to=${back}`)
    const form = await pages.post(`/org/${slug}/leave`, null)
    expect(form.headers.get('location')).toBe(
      `/sign-in?return_to=${encodeURIComponent('/admin/console')}`
    )
  })
})

describe('the seats page', () => {
  it('shows that no member can be added while the limit is unknown', async () => {
    const { owner, pages, slug } = await acme({ provider: 'd1' })
    await testEnv.DB.prepare(
      `INSERT OR REPLACE INTO seatgate_entitlements (organization_id, version, limit_kind, limit_seats, updated_at)
      SELECT id, 9, 'unknown', NULL, 0 FROM seatgate_organizations WHERE slug = ?`
    )
      .bind(slug)
      .run()
    const html = await (await pages.get(`/org/${slug}/seats`, owner)).text()
    expect(html).toMatch(/role="alert"><p>The limit is unknown\. Members cannot be added for now\./)
    expect(html).toContain('Another member cannot be added')
  })
})

describe('an outcome', () => {
  it('is shown once, only on the page of its act', async () => {
    const { owner, pages, slug } = await acme()
    const path = `/org/${slug}/settings`
    const renamed = await pages.post(`${path}/rename`, owner, { name: 'Renamed' })
    const [cookie = ''] = (renamed.headers.get('set-cookie') ?? '').split(';')
    const show = async (at: string) => {
      const headers = { cookie: `session=${owner.token}; ${cookie}` }
      const response = await pages.get(at, null, headers)
      const removed = response.headers.get('set-cookie')?.includes('Max-Age=0') ?? false
      return [(await response.text()).includes('The organization was renamed.'), removed]
    }
    const own = (renamed.headers.get('location') ?? '').replace('/admin/console', '')
    expect(await show(path)).toEqual([false, false])
    expect(await show(`${path}?outcome=00000000`)).toEqual([false, false])
    expect(await show(`${path}?outcome=${encodeURIComponent('x; y')}`)).toEqual([false, false])
    expect(await show(own)).toEqual([true, true])
  })
})

describe('a console with assets', () => {
  /** The files of the directory: those of the module, and the texts. */
  const directory = (seatgate: Kit['seatgate']) => {
    const own = mounted(seatgate)
    const asked: string[] = []
    let isDown = false
    const english = {
      language: 'en',
      texts: { ...german.texts, members: 'Members of the directory' },
      events: {},
    }
    return {
      asked,
      down: (now: boolean) => void (isDown = now),
      async fetch(request: Request) {
        const name = new URL(request.url).pathname.slice(1)
        asked.push(name)
        if (isDown) return new Response('', { status: 404 })
        return name.startsWith('english-')
          ? Response.json(english)
          : own.get(`/assets/${name}`, null)
      },
    }
  }
  const withAssets = (seatgate: Kit['seatgate'], assets: ReturnType<typeof directory>) =>
    new Hono().route(
      '/admin/console',
      consoleWithAssets(seatgate, { assets, authenticate: authenticating(seatgate) })
    )

  it('reads its texts once, and its scripts and styles on demand', async () => {
    const { kit, owner, slug } = await acme()
    const assets = directory(kit.seatgate)
    const app = withAssets(kit.seatgate, assets)
    const get = (path: string) =>
      app.request(`/admin/console${path}`, { headers: { cookie: `session=${owner.token}` } })
    const html = await (await get(`/org/${slug}/members`)).text()
    expect(html).toContain('<h1>Members of the directory</h1>')
    await get(`/org/${slug}/members`)
    expect(assets.asked).toEqual([expect.stringMatching(/^english-[\da-f]{12}\.json$/)])
    const [, style = ''] = /href="\/admin\/console(\/assets\/console-[^"]+)"/.exec(html) ?? []
    const file = await get(style)
    expect([file.status, file.headers.get('content-type')]).toEqual([
      200,
      'text/css; charset=utf-8',
    ])
    expect(await file.text()).toContain('color-scheme')
    expect((await get('/assets/english.json')).status).toBe(404)
    expect((await get('/assets/..%2fsecret.js')).status).toBe(404)
    const seats = await (await get(`/org/${slug}/seats`)).text()
    const [, script = ''] = /src="\/admin\/console(\/assets\/islands-[^"]+)"/.exec(seats) ?? []
    expect((await get(script)).headers.get('content-type')).toBe('text/javascript; charset=utf-8')
  })

  it('reads the texts again after they could not be read', async () => {
    const { kit, owner, slug } = await acme()
    const assets = directory(kit.seatgate)
    const app = withAssets(kit.seatgate, assets).onError((error, c) => c.text(error.message, 503))
    const get = () =>
      app.request(`/admin/console/org/${slug}/members`, {
        headers: { cookie: `session=${owner.token}` },
      })
    assets.down(true)
    const failed = await get()
    expect([failed.status, await failed.text()]).toEqual([503, expect.stringContaining('english-')])
    assets.down(false)
    expect((await get()).status).toBe(200)
  })
})

describe('the options', () => {
  it('set the brand, the way out and the languages', async () => {
    const { kit, owner, slug } = await acme()
    const pages = mounted(kit.seatgate, {
      brand: 'Acme Admin',
      signOutUrl: 'https://login.example/out',
      languages: [german],
    })
    const path = `/org/${slug}/members`
    const html = await (await pages.get(path, owner, { 'accept-language': 'fr, de;q=0.8' })).text()
    expect(html).toContain('<html lang="de">')
    expect(html).toContain('Mitglieder')
    expect(html).toContain('Acme Admin</a>')
    expect(html).toContain('href="https://login.example/out"')
    const other = await (await pages.get(path, owner, { 'accept-language': 'fr' })).text()
    expect(other).toContain('<html lang="en">')
  })

  it('are checked at set-up', () => {
    const seatgate = seatgateWith()
    expect(() => seatgateConsole(seatgate, {} as never)).toThrow(TypeError)
    const unknown = { authenticate: () => null, signinUrl: '/x' } as never
    expect(() => seatgateConsole(seatgate, unknown)).toThrow('signinUrl')
  })

  it('without joining and billing have no pages of them', async () => {
    const { slug, owner } = await acme()
    const pages = mounted(seatgateWith({ users: undefined as never, secret: undefined as never }))
    for (const page of ['requests', 'domains', 'billing']) {
      expect((await pages.get(`/org/${slug}/${page}`, owner)).status, page).toBe(404)
    }
  })
})
