import * as fc from 'fast-check'
import { Hono, type MiddlewareHandler } from 'hono'
import { routePath } from 'hono/route'
import { describe, expect, it } from 'vitest'
import { aliasTarget } from '../../../src/hono/load-organization-from-slug.ts'

const ORIGIN = 'https://app.example'

/** Answers where a request is to go, as the middleware asks it. */
function redirecting(newSlug: string, parameter = 'org'): MiddlewareHandler {
  return async (c) =>
    c.json(
      aliasTarget({
        url: c.req.url,
        routePath: routePath(c),
        parameter,
        oldSlug: c.req.param(parameter) ?? '',
        newSlug,
      })
    )
}

interface Host {
  request(url: string): Response | Promise<Response>
}

async function target(app: Host, pathAndQuery: string): Promise<string | null> {
  const response = await app.request(ORIGIN + pathAndQuery)
  if (response.status !== 200) throw new Error(`${pathAndQuery} was answered ${response.status}`)
  return response.json()
}

const plain = new Hono().use('/o/:org/*', redirecting('new'))

describe('aliasTarget', () => {
  it.each([
    ['/o/old', '/o/new'],
    ['/o/old/', '/o/new/'],
    ['/o/old/old/x', '/o/new/old/x'],
    ['/o/%6Fld/x', '/o/new/x'],
    ['/o/OLD/x', '/o/new/x'],
    ['/o/old//evil.example', '/o/new//evil.example'],
    ['/o/old/%2e%2e%2Fx', '/o/new/%2e%2e%2Fx'],
    ['/o/old/caf%C3%A9/%zz', '/o/new/caf%C3%A9/%zz'],
    ['/o/old?org=old', '/o/new?org=new'],
    ['/o/old?org=old2', '/o/new?org=old2'],
    ['/o/old?org=OLD', '/o/new?org=OLD'],
    ['/o/old?xorg=old&org=old&orgx=old', '/o/new?xorg=old&org=new&orgx=old'],
    ['/o/old?org=old&org=older&org=old', '/o/new?org=new&org=older&org=new'],
    ['/o/old?q=old&old=org&old', '/o/new?q=old&old=org&old'],
    ['/o/old?org', '/o/new?org'],
    ['/o/old?org=', '/o/new?org='],
    ['/o/old?org=old=old', '/o/new?org=old=old'],
    ['/o/old?a=%20+b&&=&c', '/o/new?a=%20+b&&=&c'],
    ['/o/old??org=old', '/o/new??org=old'],
    ['/o/old?q=/o/old', '/o/new?q=/o/old'],
  ])('sends %s to %s [PIPE-32]', async (from, to) => {
    expect(await target(plain, from)).toBe(to)
  })

  it('does not take the rest of the path for the slug [PIPE-32]', async () => {
    const app = new Hono().use('/:org/:section', redirecting('new'))
    expect(await target(app, '/org/x?org=old2')).toBe('/new/x?org=old2')
    const named = new Hono().use('/org/:org/*', redirecting('new'))
    expect(await target(named, '/org/org/org?org=org')).toBe('/org/new/org?org=new')
  })

  it('finds the parameter wherever the route is mounted [PIPE-32]', async () => {
    const sub = new Hono().use('/o/:org/*', redirecting('new'))
    const mounted = new Hono().route('/api/v1', new Hono().route('/in', sub))
    expect(await target(mounted, '/api/v1/in/o/old/x?y=z')).toBe('/api/v1/in/o/new/x?y=z')
    const based = new Hono().basePath('/old').use('/:org/x', redirecting('new'))
    expect(await target(based, '/old/old/x')).toBe('/old/new/x')
    const byParameter = new Hono().route('/:tenant', new Hono().use('/:org', redirecting('new')))
    expect(await target(byParameter, '/old/old')).toBe('/old/new')
  })

  it.each([
    ['/o/:org{[a-z-]+}/*', '/o/old/x', '/o/new/x'],
    ['/o/:org{[^/]+}/*', '/o/old/x', '/o/new/x'],
    ['/:v{v[0-9]+}/:org', '/v1/old', '/v1/new'],
    ['/:v{[^/]+}/:org', '/v1/old', '/v1/new'],
    ['/:v{[0-9]{1,2}}/:org', '/1/old', '/1/new'],
    ['/o/:org?', '/o/old', '/o/new'],
    ['/o/:org', '/o/old', '/o/new'],
  ])('reads the pattern %s [PIPE-32]', async (pattern, from, to) => {
    expect(await target(new Hono().use(pattern, redirecting('new')), from)).toBe(to)
  })

  it('replaces the parameter that it was given, and no other [PIPE-32]', async () => {
    const app = new Hono().use('/:organization/:org/:orga', redirecting('new', 'org'))
    expect(await target(app, '/old/old/old?organization=old&org=old')).toBe(
      '/old/new/old?organization=old&org=new'
    )
  })

  it('never redirects to its own address [PIPE-33]', async () => {
    const same = new Hono().use('/o/:org/*', redirecting('old'))
    for (const from of ['/o/old', '/o/old/x?org=old', '/o/old?']) {
      expect(await target(same, from)).toBeNull()
    }
  })

  it('never redirects to another site [PIPE-33]', () => {
    const request = { routePath: '/:org/:rest', parameter: 'org', oldSlug: '', newSlug: '' }
    expect(aliasTarget({ ...request, url: `${ORIGIN}//evil.example` })).toBeNull()
    const odd = { routePath: '/*/:org', parameter: 'org', oldSlug: 'old', newSlug: 'evil.example' }
    expect(aliasTarget({ ...odd, url: `${ORIGIN}//old` })).toBeNull()
  })

  it.each([
    ['names another parameter', { routePath: '/o/:team' }],
    ['has fewer segments', { routePath: '/a/b/c/:org' }],
    ['has another slug there', { routePath: '/:org' }],
    ['is no pattern', { routePath: '*' }],
  ])('leads nowhere where the route %s', (_how, changed) => {
    const request = {
      url: `${ORIGIN}/o/old`,
      routePath: '/o/:org',
      parameter: 'org',
      oldSlug: 'old',
      newSlug: 'new',
    }
    expect(aliasTarget(request)).toBe('/o/new')
    expect(aliasTarget({ ...request, ...changed })).toBeNull()
  })

  it('writes a slug of other letters as a URL has it', async () => {
    const app = new Hono().use('/o/:org/*', redirecting('строй'))
    expect(await target(app, '/o/old/x?org=old')).toBe(
      `/o/${encodeURIComponent('строй')}/x?org=${encodeURIComponent('строй')}`
    )
  })

  // Characters that the URL parser leaves as they are: what goes in is what must come out.
  const inPath = "abzAZ019-._~!$&'()*+,;=:@|".split('')
  const inQuery = 'abzAZ019-._~!$()*+,;:@/?|'.split('')
  const encoded = [
    '%20',
    '%2F',
    '%2f',
    '%3F',
    '%26',
    '%3D',
    '%C3%A9',
    '%',
    '%zz',
    '%6Fld',
    'old',
    'org',
  ]
  const textOf = (letters: string[], minLength = 0) =>
    fc
      .array(fc.constantFrom(...letters, ...encoded), { minLength, maxLength: 5 })
      .map((parts) => parts.join(''))
  const dots = /^(\.|%2e){1,2}$/i
  const segment = textOf(inPath, 1).filter((text) => !dots.test(text))
  const rest = fc
    .array(fc.oneof(segment, fc.constantFrom('old', '', 'org')), { maxLength: 4 })
    .map((segments) => segments.map((each) => `/${each}`).join(''))
  const oldSlug = fc.constantFrom('old', '%6Fld', 'o%6cd', '%6f%6C%64')
  const pair = fc.oneof(
    fc.constantFrom('org=old', 'org=%6Fld', 'o%72g=old').map((text) => [text, true] as const),
    fc
      .tuple(fc.oneof(textOf(inQuery), fc.constantFrom('org', 'ORG', 'orgs')), textOf(inQuery))
      .map(([name, value]) => [`${name}=${value}`, isSlug(name, value)] as const),
    fc
      .constantFrom('', 'org', 'old', '=', '=old', 'org=old2', 'org==old')
      .map((text) => [text, false] as const)
  )
  const query = fc.array(pair, { maxLength: 5 })

  it('replaces the segment and the exact parameter, and not one byte else [PIPE-32 PIPE-33]', async () => {
    const apps = ['', '/old', '/api/old'].map(
      (base) =>
        [base, new Hono().basePath(base || '/').use('/o/:org/*', redirecting('new'))] as const
    )
    let asked = 0
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: apps.length - 1 }),
        oldSlug,
        rest,
        query,
        async (index, slug, tail, pairs) => {
          const [base, app] = apps[index]!
          const search = (text: string) => (pairs.length > 0 ? `?${text}` : '')
          const from = `${base}/o/${slug}${tail}${search(pairs.map(([text]) => text).join('&'))}`
          fc.pre(new URL(from, ORIGIN).href === ORIGIN + from && !from.endsWith('?'))
          asked += 1
          const to = await target(app, from)
          const replaced = pairs.map(([text, whole]) =>
            whole ? `${text.slice(0, text.indexOf('='))}=new` : text
          )
          expect(to).toBe(`${base}/o/new${tail}${search(replaced.join('&'))}`)
          expect(new URL(to!, ORIGIN).origin).toBe(ORIGIN)
          expect(to!.startsWith('//')).toBe(false)
          expect(to).not.toBe(from)
        }
      ),
      { numRuns: 1000, seed: 32 }
    )
    expect(asked).toBeGreaterThanOrEqual(1000)
  })
})

function isSlug(name: string, value: string): boolean {
  try {
    return decodeURIComponent(name) === 'org' && decodeURIComponent(value) === 'old'
  } catch {
    return false
  }
}
