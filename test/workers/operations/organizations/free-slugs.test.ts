import { describe, expect, it } from 'vitest'
import {
  commitTogether,
  createOrganization,
  prepareOrganization,
  updateSlug,
  type Organization,
} from '../../../../src/index.ts'
import {
  host,
  person,
  unwrap,
  codeOf,
  createKit,
  delays,
  newUser,
  PASSWORD,
  type KitOptions,
} from '../../../kit/index.ts'

const caller = async () => ({ caller: { userId: await newUser() } })

function makerOf(options: KitOptions = {}) {
  const { seatgate } = createKit(options)
  return async (name: string) =>
    unwrap(await createOrganization(seatgate, await caller(), { name })).slug
}

describe('a slug that was not asked for', () => {
  it('gets a suffix where the name is there already, however often [B13]', async () => {
    const { token } = await person()
    const slugs: string[] = []
    for (let time = 0; time < 5; time++) {
      const response = await host.post('/organizations', { name: 'Acme GmbH' }, token)
      expect(response.status).toBe(201)
      slugs.push((await response.json<Organization>()).slug)
    }
    expect(slugs.slice(0, 2)).toEqual(['acme-gmbh', 'acme-gmbh-2'])
    expect(slugs.slice(2).join(' ')).toMatch(/^acme-gmbh-[a-z]{6}( acme-gmbh-[a-z]{6}){2}$/)
    expect(new Set(slugs).size).toBe(5)
  })

  it.each([
    ['日本', /^org$/],
    ['日本', /^org-2$/],
    ['中国', /^org-[a-z]{6}$/],
    ['Api', /^api-2$/],
    ['!!!', /^org-[a-z]{6}$/],
    ['x', /^x-2$/],
    ['42', /^org-42$/],
    ['Straße', /^strasse$/],
    ['00000000-0000-4000-8000-00000000000a', /^org-00000000-0000-4000-8000-00000000000a$/],
    ['a0000000-0000-4000-8000-00000000000a', /^a0000000-0000-4000-8000-00000000000a-2$/],
    ['n'.repeat(255), /^n{63}$/],
    ['n'.repeat(255), /^n{61}-2$/],
    ['n'.repeat(255), /^n{56}-[a-z]{6}$/],
  ])('is made of %j [B13]', async (name, slug) => {
    expect(await makerOf()(name)).toMatch(slug)
  })

  it.each<[string, KitOptions, string]>([
    ['letters alone', { slugFormat: /^[a-z]+$/ }, 'Acme Inc'],
    ['letters and underscores', { slugFormat: /^[a-z_]+$/ }, 'Acme 7'],
    ['three letters', { slugFormat: /^[a-z]+$/, slugLength: { min: 3, max: 3 } }, 'Acme'],
    ['thirty letters', { slugLength: { min: 30, max: 30 } }, 'Acme'],
    ['a letter', { slugFormat: /^[a-z]$/, slugLength: { min: 1, max: 1 } }, '日本'],
  ])('fits the host’s own rules: %s [B13]', async (_what, options, name) => {
    const make = makerOf(options)
    const slugs = [await make(name), await make(name)]
    expect(new Set(slugs).size).toBe(2)
  })

  it('is asked for where the host’s rules accept no generated slug [B13]', async () => {
    const { seatgate } = createKit({ slugFormat: /^[0-9][a-z0-9]+$/ })
    const made = await createOrganization(seatgate, await caller(), { name: 'Acme' })
    const message = expect.stringContaining('Is required')
    expect(made).toMatchObject({ error: { errors: { slug: [message] } } })
  })

  it.each(delays)(
    'is free for each of twenty users with the same name at once (%i ms) [B13]',
    async (delayMs) => {
      const { seatgate } = createKit({ delayMs })
      const name = `Race ${delayMs}`
      const callers = await Promise.all(Array.from({ length: 20 }, caller))
      const made = await Promise.all(
        callers.map((scope) => createOrganization(seatgate, scope, { name }))
      )
      expect(made.map(codeOf)).toEqual(callers.map(() => 'ok'))
      expect(new Set(made.map((each) => unwrap(each).slug)).size).toBe(20)
    }
  )

  it('takes no further trip and no more rows with more organizations of the name [B13]', async () => {
    const kit = createKit()
    const costs: number[] = []
    for (let time = 0; time < 8; time++) {
      const before = kit.trips()
      await createOrganization(kit.seatgate, await caller(), { name: 'Costly' })
      costs.push(kit.trips() - before)
    }
    expect(costs.slice(1)).toEqual(costs.slice(1).map(() => costs[0]))
  })

  it('passes by a slug that still leads elsewhere [B13]', async () => {
    const { seatgate } = createKit()
    const scope = await caller()
    const { id, slug } = unwrap(await createOrganization(seatgate, scope, { name: 'Movers' }))
    const change = { slug: 'moved-away', confirmSlug: slug, password: PASSWORD }
    unwrap(await updateSlug(seatgate, { ...scope, organization: id }, change))
    expect(await makerOf()('Movers')).toBe('movers-2')
  })

  it('of a prepared organization has random letters, and is free [B13]', async () => {
    const { seatgate } = createKit()
    for (let time = 0; time < 3; time++) {
      const prepared = unwrap(await prepareOrganization(seatgate, await caller(), { name: 'Ann' }))
      expect(prepared.value.slug).toMatch(/^ann-[a-z]{6}$/)
      expect(codeOf(await commitTogether(seatgate, prepared, {}))).toBe('ok')
    }
  })

  it('of a hook’s draft is made of the name that it puts there [B13]', async () => {
    const beforeCreateOrganization = () => ({ ok: true, draft: { name: 'Hooked' } }) as const
    const make = makerOf({ hooks: { beforeCreateOrganization } })
    expect([await make('x'), await make('y')]).toEqual(['hooked', 'hooked-2'])
  })

  it('is answered again under the same operation id [B13]', async () => {
    const { seatgate } = createKit()
    const scope = await caller()
    const options = { operationId: 'once' }
    const made = await createOrganization(seatgate, scope, { name: 'Again' }, options)
    expect(await createOrganization(seatgate, scope, { name: 'Again' }, options)).toEqual(made)
  })
})

describe('a slug that was sent', () => {
  it('is refused if it is taken or reserved, on its own field [B13]', async () => {
    const { token } = await person()
    const post = (input: object) => host.post('/organizations', input, token)
    expect((await post({ name: 'Sent', slug: 'sent' })).status).toBe(201)
    for (const slug of ['sent', 'api', '', 'Sent', 'x']) {
      const response = await post({ name: 'Sent', slug })
      expect(response.status, slug).toBe(422)
      expect(Object.keys((await response.json<{ errors: object }>()).errors)).toEqual(['slug'])
    }
  })

  it('causes no error if it is absent [B12]', async () => {
    const { token } = await person()
    for (const input of [{}, { name: '' }, { name: 7 }, { name: null, slug: null }]) {
      const response = await host.post('/organizations', input, token)
      expect(response.status).toBe(422)
      expect(Object.keys((await response.json<{ errors: object }>()).errors)).toEqual(['name'])
    }
    const missing = await host.post('/organizations', {}, token)
    expect(await missing.json()).toMatchObject({ errors: { name: ['Is required.'] } })
  })
})
