import { describe, expect, it } from 'vitest'
import {
  actingInConsole,
  german,
  impersonationPages,
  seatgateConsole,
} from '../../../src/console/index.ts'
import {
  createImpersonationKit,
  createKit,
  PASSWORD,
  person,
  postMember,
  REASON,
  SECRET,
  type Person,
} from '../../kit/index.ts'
import { authenticating, leads, mounted, operators, readAll, shownAfter } from './console-kit.ts'

const TOKEN = /sg_impersonation-\w+/

/** A console with impersonations over an organization with an owner and a member, and an operator. */
async function acted() {
  const isOperator = (userId: string) => operators.has(userId)
  const kit = createImpersonationKit({ secret: SECRET }, { isOperator })
  const [owner, member, operator] = [await person(), await person(), await person()]
  operators.add(operator.userId)
  const { context } = kit
  const pages = mounted(context, {
    authenticate: actingInConsole(context, authenticating(context)),
    sections: [impersonationPages],
    languages: [german],
  })
  const slug = leads(await pages.post('/new', owner, { name: 'Acted' })).split('/')[2] ?? ''
  await postMember({ id: slug } as Parameters<typeof postMember>[0], owner, member)
  const input = { organization: slug, user: owner.userId, reason: REASON, minutes: '15' }
  const begin = (fields: Record<string, string> = {}, who = operator) =>
    pages.post('/impersonations', who, { ...input, proof: PASSWORD, ...fields })
  const read = async (path: string, who: Person) => (await pages.get(path, who)).text()
  return { kit, owner, member, operator, pages, slug, input, begin, read }
}

/** The cookie of the token that a response sets, as a browser keeps it. */
function actingIn(response: Response) {
  const cookies = response.headers.getSetCookie()
  const text = cookies.find((one) => one.startsWith('seatgate_console_acting=')) ?? ''
  const [pair = '', ...attributes] = text.split('; ')
  return { cookie: pair, attributes }
}

describe('the pages of impersonations', () => {
  it('begin one with a proof: the browser keeps its token for the pages of the organization', async () => {
    const { operator, owner, pages, begin, slug, read, kit } = await acted()
    const begun = await begin()
    const path = leads(begun)
    expect([begun.status, path]).toEqual([
      303,
      expect.stringMatching(/^\/org\/[\da-f-]{36}\/members$/),
    ])
    const { cookie, attributes } = actingIn(begun)
    expect(cookie).toMatch(TOKEN)
    const below = `/admin/console${path.replace('/members', '')}`
    expect(attributes).toEqual(
      expect.arrayContaining(['HttpOnly', 'SameSite=Lax', `Path=${below}`, 'Max-Age=900'])
    )
    const headers = { cookie: `session=${operator.token}; ${cookie}` }
    const before = kit.trips()
    const shown = await pages.get(path, null, headers)
    expect(kit.trips() - before).toBeLessThanOrEqual(2)
    const html = await shown.text()
    expect(shown.headers.get('cache-control')).toBe('no-store')
    expect(html).toContain(`You are acting as <code>${owner.userId}</code>`)
    expect(html).not.toMatch(TOKEN)
    expect(await read(`/org/${slug}/members`, owner)).not.toContain('You are acting as')
    // Without the cookie the operator is no member.
    expect((await pages.get(path, operator)).status).toBe(404)
  })

  it('end it from the banner, and by the list of the operator', async () => {
    const { operator, owner, pages, begin, read, slug } = await acted()
    for (const by of ['banner', 'list']) {
      const begun = await begin()
      const { cookie } = actingIn(begun)
      const acting = {
        cookie: `session=${operator.token}; ${cookie}`,
        'sec-fetch-site': 'same-origin',
      }
      const html = await (await pages.get(leads(begun), null, acting)).text()
      const [, path = ''] = /action="\/admin\/console(\/org\/[^"]+\/end)"/.exec(html) ?? []
      const [, , organization = '', , id = ''] = path.split('/')
      const own = await read('/impersonations', operator)
      expect(own).toContain(`End acting as ${owner.userId}`)
      expect(own).not.toMatch(TOKEN)
      const ended =
        by === 'banner'
          ? await pages.post(path, null, {}, acting)
          : await pages.post('/impersonations/end', operator, { organization, id })
      expect(leads(ended)).toContain('/impersonations?outcome=')
      expect(ended.headers.get('set-cookie')).toContain('"actingEnded"'.replaceAll('"', '%22'))
      expect(actingIn(ended).attributes).toContain('Max-Age=0')
      const after = await pages.get(leads(begun), null, acting)
      expect(leads(after)).toContain('/impersonations?outcome=')
    }
    expect(await read('/impersonations', operator)).toContain('No operator is acting as a member.')
    const earlier = await read(`/org/${slug}/impersonations/earlier`, owner)
    expect(earlier.match(/Acting as a user (started|ended)/g)?.length).toBe(4)
    expect(earlier).toContain(REASON)
  })

  it('forget one that has ended elsewhere, so that the operator is again the operator', async () => {
    const { operator, owner, member, pages, begin, slug } = await acted()
    const begun = await begin({ user: member.userId })
    const { cookie } = actingIn(begun)
    const path = leads(begun)
    await pages.post(`/org/${slug}/members/${member.userId}/remove`, owner, { confirmed: 'yes' })
    for (const stale of [cookie, 'seatgate_console_acting=no-token']) {
      const headers = { cookie: `session=${operator.token}; ${stale}` }
      const answer = await pages.get(path, null, headers)
      expect(leads(answer)).toMatch(/^\/impersonations\?outcome=/)
      const below = `/admin/console${path.replace('/members', '')}`
      expect(actingIn(answer).attributes).toEqual(
        expect.arrayContaining(['Max-Age=0', `Path=${below}`])
      )
    }
  })

  it('show the organization who acts as whom, why and until when, in two trips a page', async () => {
    const { kit, operator, owner, pages, begin, read, slug } = await acted()
    const path = `/org/${slug}/impersonations`
    expect(await read(path, owner)).toContain('No operator is acting as a member.')
    await begin({ reason: 'Ticket <b> 4711' })
    const html = await read(path, owner)
    expect(html).toContain(operator.email)
    expect(html).toContain(owner.email)
    expect(html).toContain('Ticket &lt;b&gt; 4711')
    expect(html).toContain('in 15 minutes')
    expect(html).not.toMatch(TOKEN)
    for (const [page, who] of [
      [path, owner],
      [`${path}/earlier`, owner],
      ['/impersonations', operator],
    ] as const) {
      const before = kit.trips()
      expect((await pages.get(page, who)).headers.get('cache-control')).toBe('no-store')
      expect(kit.trips() - before, page).toBeLessThanOrEqual(2)
    }
  })

  it('go on to earlier ones', async () => {
    const { owner, operator, pages, slug, kit, input } = await acted()
    for (let value = 0; value < 30; value += 1) {
      const begun = await pages.post('/impersonations', operator, { ...input, proof: PASSWORD })
      const list = await (await pages.get('/impersonations', operator)).text()
      const [, at = '', id = ''] =
        /name="organization" value="([^"]+)".*?name="id" value="([^"]+)"/.exec(list) ?? []
      expect(begun.status).toBe(303)
      await pages.post('/impersonations/end', operator, { organization: at, id })
    }
    await kit.settled()
    const found = await readAll(
      pages,
      owner,
      `/org/${slug}/impersonations/earlier`,
      /user (ended)/g
    )
    expect(found.length).toBeGreaterThan(1)
    expect(found.flat().length).toBe(30)
  })

  it('explain what is wrong in a form, and begin no impersonation', async () => {
    const { operator, member, pages, input, read } = await acted()
    const submit = (fields: Record<string, string>) =>
      shownAfter(pages, '/impersonations', operator, { ...input, proof: PASSWORD, ...fields })
    expect(await submit({ proof: 'wrong' })).toContain('data-refusal="invalid_password"')
    expect(await submit({ reason: 'short' })).toContain('data-refusal="validation_error"')
    expect(await submit({ minutes: '' })).toContain('data-refusal="validation_error"')
    expect(await submit({ minutes: '61' })).toContain('data-refusal="validation_error"')
    expect(await submit({ user: operator.userId })).toContain('Must not be an operator.')
    expect(await submit({ organization: 'absent' })).toContain('organization_not_found')
    expect(await submit({ user: 'nobody' })).toContain('data-refusal="not_a_member"')
    expect(await read('/impersonations', operator)).toContain('No operator is acting')
    const twice = { user: member.userId, operation: crypto.randomUUID() }
    await submit(twice)
    expect(await submit(twice)).toContain('You already act as this user.')
    for (let value = 0; value < 9; value += 1) await submit({})
    expect(await submit({})).toContain('The limit is reached: ten for you')
  })

  it('are refused to others, whose pages have no link to them', async () => {
    const { owner, member, operator, pages, slug, begin, read } = await acted()
    expect(await read('/platform', operator)).toContain('/admin/console/impersonations')
    const path = `/org/${slug}/impersonations`
    const stranger = await person()
    for (const page of [path, `${path}/earlier`]) {
      expect((await pages.get(page, member)).status).toBe(403)
      expect((await pages.get(page, stranger)).status).toBe(404)
    }
    expect(await read(`/org/${slug}/members`, member)).not.toContain(path)
    for (const who of [owner, member, stranger]) {
      expect((await pages.get('/impersonations', who)).status).toBe(403)
      expect(await read('/platform', who)).not.toContain('/admin/console/impersonations')
      const refused = await begin({}, who)
      expect(actingIn(refused).cookie).toBe('')
      expect(refused.headers.get('set-cookie')).toContain('organization_not_found')
    }
    const forged = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }
    for (const act of ['/impersonations', '/impersonations/end', `${path}/x/end`])
      expect((await pages.post(act, operator, {}, forged)).status).toBe(403)
  })

  it('let an operator who acts as a user see no page of operators, and end no other one', async () => {
    const { operator, member, pages, begin } = await acted()
    const { cookie } = actingIn(await begin({ user: member.userId }))
    const other = leads(await begin())
    const acting = {
      cookie: `session=${operator.token}; ${cookie}`,
      'sec-fetch-site': 'same-origin',
    }
    // As if a browser sent the cookie everywhere.
    expect((await pages.get('/impersonations', null, acting)).headers.get('location')).toContain(
      '/sign-in'
    )
    const html = await (await pages.get('/impersonations', operator)).text()
    const ids = [...html.matchAll(/name="id" value="([^"]+)"/g)].map(([, id]) => id)
    const outcomes: string[] = []
    for (const id of ids) {
      const path = `${other.replace('/members', '')}/impersonations/${id}/end`
      const { headers } = await pages.post(path, null, {}, acting)
      outcomes.push(decodeURIComponent(headers.get('set-cookie') ?? ''))
    }
    expect(outcomes.filter((one) => one.includes('actingEnded')).length).toBe(1)
    const left = await (await pages.get('/impersonations', operator)).text()
    expect(left.match(/name="id"/g)?.length).toBe(1)
  })

  it('are in German', async () => {
    const { owner, pages, slug } = await acted()
    const german = { 'accept-language': 'de' }
    const response = await pages.get(`/org/${slug}/impersonations`, owner, german)
    expect(await response.text()).toContain('Handeln als Benutzer')
  })

  it('need impersonation, and the way to authenticate', () => {
    const { seatgate } = createKit({ secret: SECRET })
    const options = { authenticate: () => null, sections: [impersonationPages] }
    expect(() => seatgateConsole(seatgate, options)).toThrow(TypeError)
    const { context } = createImpersonationKit({ secret: SECRET })
    expect(() => seatgateConsole(context, options)).toThrow(TypeError)
    const authenticate = actingInConsole(context, () => null)
    expect(() => seatgateConsole(context, { ...options, authenticate })).not.toThrow()
  })
})
