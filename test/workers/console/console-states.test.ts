import { describe, expect, it } from 'vitest'
import { billing, setSeatLimit } from '../../../src/index.ts'
import { seatgateConsole } from '../../../src/console/index.ts'
import {
  addEvents,
  connected,
  keys,
  type Connected,
  operator,
  seatgateWith,
  sinkOf,
  testEnv,
  unwrap,
} from '../../kit/index.ts'
import { acme, mounted } from './console-kit.ts'

const idOf = async (slug: string) =>
  (await testEnv.DB.prepare('SELECT id FROM seatgate_organizations WHERE slug = ?')
    .bind(slug)
    .first<string>('id')) ?? ''

describe('the invitations page', () => {
  it('shows that invitations are not set up without a secret', async () => {
    const { slug, owner } = await acme()
    const pages = mounted(seatgateWith({ secret: undefined as never }))
    const response = await pages.get(`/org/${slug}/invitations`, owner)
    expect(response.status).toBe(200)
    const html = await response.text()
    expect(html).toContain('Invitations are not set up')
    expect(html).not.toContain('<form')
    expect((await pages.get('/invitation', null)).status).toBe(404)
  })

  it('says in the row of an address how long a limited sender waits', async () => {
    const { owner, pages, slug } = await acme({ invitationLimits: { perUser: 1, inBulk: 1 } })
    const invite = (addresses: string) =>
      pages.post(
        `/org/${slug}/invitations`,
        owner,
        { addresses, role: 'member' },
        { 'sec-fetch-site': 'same-origin', accept: 'application/json' }
      )
    await invite('one@example.com')
    const answer = await (await invite('two@example.com three@example.com')).text()
    expect(answer).toMatch(/Try again in [\d,]+ seconds\./)
  })
})

describe('the seats page', () => {
  it('names the members who are suspended, and the time, if the seats stay over the limit', async () => {
    const { kit, owner, pages, slug } = await acme({
      provider: 'd1',
      billing: billing({ plans: {}, baseSeats: 5, whenOver: 'allow_with_grace', overGraceDays: 9 }),
    })
    const fields = { addresses: 'late@example.com', role: 'member' }
    await pages.post(`/org/${slug}/invitations`, owner, fields)
    const scope = { caller: operator, organization: slug }
    unwrap(await setSeatLimit(kit.seatgate, scope, { limit: 0 }))
    await kit.settled()
    const seats = await (await pages.get(`/org/${slug}/seats`, owner)).text()
    expect(seats).toContain('over the limit')
    expect(seats).toMatch(/will be suspended in 9 days/)
    const bill = await (await pages.get(`/org/${slug}/billing`, owner)).text()
    expect(bill).toContain('Over the limit since')
    expect(bill).toContain(`href="/admin/console/org/${slug}/seats">Seats</a>`)
  })
})

describe('the billing page', () => {
  /** A console over a subscription, as its owner. */
  async function paying() {
    const provider = { isDown: false }
    const test: Connected = connected({
      stripe: {
        fetch: (input, init) =>
          provider.isDown
            ? Promise.reject(new TypeError('fetch failed'))
            : test.standIn.fetch(input, init),
      },
    })
    const organization = await test.subscribed(4)
    const app = seatgateConsole(test.kit.seatgate, {
      authenticate: () => ({ userId: organization.owner }),
      billing: test.context.connection,
    })
    const read = async (path: string) => (await app.request(path)).text()
    const path = `/org/${organization.slug}/billing`
    const post = (act: string, fields: Record<string, string>) =>
      app.request(`${path}/${act}`, {
        method: 'POST',
        body: new URLSearchParams(fields),
        headers: { 'sec-fetch-site': 'same-origin' },
      })
    return { ...test, provider, organization, app, read, path, post }
  }

  it('shows what is known, with its age, while the provider cannot be reached', async () => {
    const test = await paying()
    test.advance(3 * 3600)
    test.provider.isDown = true
    const portal = await test.post('portal', {})
    const cookie = (portal.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
    expect(decodeURIComponent(cookie)).toContain('provider_unavailable')
    const shown = await test.app.request(portal.headers.get('location') ?? '', {
      headers: { cookie },
    })
    expect(shown.status).toBe(200)
    const html = await shown.text()
    expect(html).toContain('data-refusal="provider_unavailable"')
    expect(html).toContain('Try again in a moment')
    expect(html).toContain('team')
    expect(html).toMatch(/As of 3 hours ago/)
  })

  it('shows the price of another plan and the members that exceed it, and leads to the provider', async () => {
    const test = await paying()
    for (let more = 0; more < 2; more += 1) await test.join(test.organization)
    expect(await test.read(test.path)).toMatch(/<option value="flat">flat<\/option>/)
    const flat = await (await test.post('preview', { plan: 'flat' })).text()
    expect(flat).toMatch(/Due now: \S+\d/)
    expect(flat).toContain(`action="${test.path}/portal"`)
    const fewer = await (await test.post('preview', { seats: '1' })).text()
    expect(fewer).toContain('2 seats must be freed first')
  })
})

describe('the page of the waitlist', () => {
  it('shows the first user, while a seat is free, when they join', async () => {
    const { pages, owner, member, slug } = await acme()
    await testEnv.DB.prepare(
      `INSERT INTO seatgate_join_requests
         (id, organization_id, user_id, role, path, state, place, created_at, updated_at)
       VALUES (?, ?, ?, 'member', 'request', 'waiting', 1, 1, 1)`
    )
      .bind(crypto.randomUUID(), await idOf(slug), member.userId)
      .run()
    const html = await (await pages.get(`/org/${slug}/requests`, owner)).text()
    expect(html).toContain('Next in line')
    expect(html).toContain('joins within a minute')
  })
})

describe('the pages of log streams', () => {
  it('name a stream that is missing and one that is switched off, which receive no event', async () => {
    const missing = {
      ...sinkOf('absent'),
      attach: () => new Error('There is no address.'),
    }
    const { owner, pages, slug } = await acme({
      sinks: [missing, { ...sinkOf('quiet'), disabled: true }, sinkOf('stream')],
    })
    const html = await (await pages.get(`/org/${slug}/sinks`, owner)).text()
    expect(html).toMatch(/<h2 id="sink-absent">absent<\/h2><p><span class="badge bad">Missing</)
    expect(html).toMatch(/<h2 id="sink-quiet">quiet<\/h2><p><span class="badge bad">Switched off</)
    expect(html).toMatch(/<h2 id="sink-stream">stream<\/h2><p><span class="badge good">Running</)
  })
})

describe('the pages of the trail', () => {
  it('show before the first checkpoint that no event is sealed', async () => {
    const { owner, pages, slug } = await acme({ auditLogKey: keys.privateKey })
    const html = await (await pages.get(`/org/${slug}/audit/verification`, owner)).text()
    expect(html).toContain('No checkpoint yet')
    expect(html).toMatch(/0 events sealed, \d+ not yet/)
  })

  it('show a bar for each day of the page, and lead from an event to its cause and its request', async () => {
    const { owner, pages, slug } = await acme()
    const id = await idOf(slug)
    await addEvents(id, 3, 20)
    await testEnv.DB.prepare(
      `INSERT INTO seatgate_audit_events (organization_id, sequence, id, action, outcome, actor_type, metadata,
         occurred_at, inserted_at, request_id, trace_id, cause_event_id)
       VALUES (?1, 30, 'effect', 'test.event', 'success', 'system', '{}', 8, 8, 'a&b', 'trace1', ?2)`
    )
      .bind(id, `${id}21.0`)
      .run()
    const path = `/org/${slug}/audit`
    const html = await (await pages.get(path, owner)).text()
    expect(html).toMatch(
      /aria-label="Events a day on this page".*<title>January 1, 1970: 4<\/title>/
    )
    expect(html.match(/<rect class="bar"/g)).toHaveLength(2)
    expect(html).toContain(`<a href="#${id}21.0">`)
    expect(html).toContain(`<li id="${id}21.0">`)
    const [, ofRequest = ''] = /<a href="(\?request_id=[^"]*)"/.exec(html) ?? []
    expect(ofRequest).toBe('?request_id=a%26b')
    for (const query of [ofRequest, '?trace_id=trace1']) {
      const shown = await (await pages.get(path + query, owner)).text()
      expect(shown.match(/<li id="/g)).toHaveLength(1)
    }
  })
})
