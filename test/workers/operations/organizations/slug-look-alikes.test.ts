import { describe, expect, it } from 'vitest'
import {
  createOrganization,
  getOrganizationBySlug,
  updateSlug,
  type Seatgate,
} from '../../../../src/index.ts'
import {
  type FlatOptions,
  asUser,
  embedded,
  seatgateWith,
  everything,
  freshSlug,
  unwrap,
  codeOf,
  createKit,
  newUser,
  PASSWORD,
  shareOf,
} from '../../../kit/index.ts'

const kit = createKit()
const { seatgate } = kit

/** A slug, as a creation, as a change and over HTTP: all of them refuse it, and nothing is written. */
async function refusedEverywhere(slug: unknown, options: Partial<FlatOptions> = {}) {
  const organization = await kit.organization()
  const { owner, as } = organization
  const by = seatgateWith(options)
  const client = embedded(options)
  const token = asUser({ userId: owner })
  const rows = await everything()
  const change = { slug, confirmSlug: organization.slug, password: PASSWORD }
  const answers = [
    await createOrganization(
      by,
      { caller: { userId: owner } },
      { name: 'Acme', slug: slug as never }
    ),
    await updateSlug(by, as(owner), change as never),
  ]
  for (const answer of answers) {
    if (answer.ok || answer.error.code !== 'validation_error') throw new Error(codeOf(answer))
    expect(Object.keys(answer.error.errors)).toEqual(['slug'])
  }
  for (const response of [
    await client.post('/organizations', { name: 'Acme', slug }, token),
    await client.post(`/organizations/${organization.id}/slug`, change, token),
  ]) {
    expect(response.status).toBe(422)
    const { errors } = await response.json<{ errors: object }>()
    expect(Object.keys(errors)).toEqual(['slug'])
  }
  expect(await everything()).toEqual(rows)
}

async function founded(slug: string, by: Seatgate = seatgate) {
  const caller = { userId: await newUser() }
  return { caller, made: await createOrganization(by, { caller }, { name: 'Acme', slug }) }
}

describe('a slug', () => {
  const ODD: [string, string][] = [
    ['a Cyrillic letter', 'аcme-corp'],
    ['a Greek letter', 'acme-cοrp'],
    ['full-width letters', 'ａｃｍｅ'],
    ['mathematical letters', '𝐚𝐜𝐦𝐞'],
    ['capital letters', 'Acme-Corp'],
    ['a capital letter at its end', 'acmE'],
    ['the sign of the kelvin', 'acme-\u212ang'],
    ['a dotted capital', '\u0130stanbul'],
    ['a dotless letter', 'acme-ıd'],
    ['a long s', 'acme-ſ'],
    ['a ligature', 'oﬃce'],
    ['a zero-width space', 'ac\u200bme'],
    ['a soft hyphen', 'ac\u00adme'],
    ['another hyphen', 'acme\u2010corp'],
    ['an accent apart', 'acme\u0301'],
    ['a direction override', '\u202eemca'],
    ['a NUL', 'acme\u0000'],
    ['a line break before it', '\nacme'],
    ['a line break behind it', 'acme\n'],
    ['a line separator', 'acme\u2028'],
    ['a space behind it', 'acme '],
    ['an encoded letter', 'acm%65'],
    ['a path in it', '../acme'],
    ['an at sign', 'acme@corp'],
    ['Arabic digits', 'acme-٣'],
    ['half a character', 'acme\ud800'],
    ['65,536 letters', 'a'.repeat(65_536 - 300)],
  ]
  it.each(shareOf(ODD, 7))('is refused with %s', (_what, slug) => refusedEverywhere(slug))

  it.each([[7], [0], [true], [['acme-corp']], [{}], [{ toString: 'acme' }]])(
    'is refused if it is %j, which is no text',
    (slug) => refusedEverywhere(slug)
  )

  const IDS = [
    ['00000000-0000-0000-0000-000000000000'],
    ['a0000000-0000-4000-8000-00000000000f'],
    ['A0000000-0000-4000-8000-00000000000F'],
    ['abcdefab-cdef-abcd-efab-cdefabcdefab'],
  ]
  it.each(shareOf(IDS, 2))(
    'is refused in the form of an id, for any form of the host: %s',
    async (slug) => {
      await refusedEverywhere(slug)
      await refusedEverywhere(slug, { slugFormat: /./ })
      await refusedEverywhere(slug, {
        slugFormat: /^[0-9a-f-]+$/i,
        slugLength: { min: 1, max: 99 },
      })
    }
  )

  it('that is another organization’s id is refused, so that no user can shadow it', async () => {
    const { id } = await kit.organization()
    await refusedEverywhere(id, { slugFormat: /./ })
    const named = await founded(freshSlug())
    const { caller } = named
    const { slug } = unwrap(await createOrganization(seatgate, { caller }, { name: id }))
    expect(slug).not.toBe(id)
  })

  it('is one and the same in every case: it is found, and is not free', async () => {
    const slug = `acme-${freshSlug()}`
    const { made } = await founded(slug)
    const { id } = unwrap(made)
    for (const name of [slug, slug.toUpperCase(), `Acme-${slug.slice(5)}`]) {
      expect(await getOrganizationBySlug(seatgate, name)).toMatchObject({ id })
    }
    for (const name of [slug.toUpperCase(), `Acme-${slug.slice(5)}`]) await refusedEverywhere(name)
    const lookAlikes = [`а${slug.slice(1)}`, `\uff41${slug.slice(1)}`, `${slug}\u200b`]
    for (const name of lookAlikes) expect(await getOrganizationBySlug(seatgate, name)).toBeNull()
  })

  it('made of a name has only plain letters, and is always free [B13]', async () => {
    const caller = { userId: await newUser() }
    const mark = crypto.randomUUID().slice(0, 8)
    const made = async (name: string) => {
      return unwrap(await createOrganization(seatgate, { caller }, { name })).slug
    }
    expect(await made(`Zürich ${mark} AG`)).toBe(`zurich-${mark}-ag`)
    expect(await made(`x ${mark} \u212a`)).toBe(`x-${mark}-k`)
    expect(await made(`${'x'.repeat(60)} ${mark}`)).toBe(`${'x'.repeat(60)}-${mark.slice(0, 2)}`)
    expect(await made('Admin')).toBe('admin-2')
    expect(await made('ab')).toBe('ab-2')
    expect(await made('1234')).toBe('org-1234')
    for (const name of ['חברה', '漢字', '🏢']) {
      expect(await made(name)).toMatch(/^org(-2|-[a-z]{6})?$/)
    }
  })
})

describe('a slug of the host’s own form', () => {
  it.each<[string, RegExp, string, string]>([
    ['digits first', /^[0-9][a-z0-9]+$/, '1abc', 'abc'],
    ['underscores', /^[a-z_]+$/, 'my_org', 'my-org'],
    ['other letters', /^\p{Ll}+$/u, 'zürich', 'zürich-1'],
    ['dots', /^[a-z.]+$/, 'acme.corp', 'acme/corp'],
  ])('with %s is taken, and another is not', async (_what, slugFormat, fits, not) => {
    const by = seatgateWith({ slugFormat })
    const taken = (await founded(fits, by)).made
    expect(unwrap(taken).slug).toBe(fits)
    expect(await getOrganizationBySlug(by, fits)).toMatchObject({ id: unwrap(taken).id })
    await refusedEverywhere(not, { slugFormat })
  })

  it('that forgives case still has no capital letters: two would be one', async () => {
    await refusedEverywhere('ACME', { slugFormat: /^[a-z]+$/i })
    await refusedEverywhere('\u0130stanbul', { slugFormat: /^\p{L}+$/u })
    await refusedEverywhere('ÄPFEL', { slugFormat: /^\p{L}+$/u })
  })

  it.each([
    ['a NUL', 'acme\u0000'],
    ['a NUL first', '\u0000acme'],
    ['nothing but NULs', '\u0000\u0000\u0000'],
    ['half a character', 'acme\ud800'],
    ['a line break', 'acme\ncorp'],
  ])('that allows anything still has no character that a store cuts short: %s', (_what, slug) =>
    refusedEverywhere(slug, { slugFormat: /[^]/ })
  )

  it('is checked like the first time, however often', async () => {
    const by = seatgateWith({ slugFormat: /^[a-z]+$/ })
    for (let time = 0; time < 5; time++) {
      const slug = `x${crypto.randomUUID().replaceAll(/[^a-z]/g, '')}abc`
      expect(codeOf((await founded(slug, by)).made)).toBe('ok')
    }
  })

  it('has its length checked as the host configures', async () => {
    const options = { slugLength: { min: 1, max: 3 }, reservedSlugs: ['no'] }
    const by = seatgateWith(options)
    expect(codeOf((await founded('x', by)).made)).toBe('validation_error')
    expect(codeOf((await founded('xyz', by)).made)).toBe('ok')
    expect(codeOf((await founded('api', by)).made)).toBe('ok')
    await refusedEverywhere('wxyz', options)
    await refusedEverywhere('no', options)
  })
})

describe('a path with a strange name for an organization', () => {
  const NAMES = [
    ['%00'],
    ['acme%00'],
    ['%E0%A4%A'],
    ['%ff'],
    ['..%2f..%2fetc'],
    ['%2e%2e'],
    ['__proto__'],
    ['constructor'],
    ['%D0%B0cme'],
    ['%EF%BD%81cme'],
    ["'%20OR%201=1--"],
    ['%F0%9F%8F%A2'],
    ['x'.repeat(8000)],
  ]
  it.each(shareOf(NAMES, 5))('is 404 on every route: %s', async (name) => {
    const userId = await newUser()
    const client = embedded()
    const token = asUser({ userId })
    const rows = await everything()
    const path = `/organizations/${name}`
    for (const response of [
      await client.get(path, token),
      await client.patch(path, { name: 'Mine' }, token),
      await client.send('DELETE', path, { confirmName: 'x', password: PASSWORD }, token),
      await client.post(`${path}/slug`, { slug: 'mine', confirmSlug: 'x', password: 'x' }, token),
      await client.get(`/o/${name}`, token),
      await client.get(`${path}/members`, token),
    ]) {
      expect(response.status).toBe(404)
    }
    expect(await everything()).toEqual(rows)
  })
})
