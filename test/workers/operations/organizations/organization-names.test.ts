import { describe, expect, it } from 'vitest'
import {
  createOrganization,
  listOrganizations,
  renameOrganization,
  softDeleteOrganization,
} from '../../../../src/index.ts'
import {
  everything,
  freshSlug,
  lastEventOf,
  unwrap,
  codeOf,
  createKit,
  newUser,
  PASSWORD,
} from '../../../kit/index.ts'

const kit = createKit()
const { seatgate } = kit

describe('a name', () => {
  it.each([
    ['a zero-width space', '\u200b'],
    ['zero-width joiners', '\u200d\u200c\u200d'],
    ['a byte order mark', '\ufeff'],
    ['soft hyphens', '\u00ad\u00ad'],
    ['word joiners', '\u2060'],
    ['spaces of every width', '\u2003\u3000\u00a0'],
    ['Hangul fillers', '\u115f\u3164\uffa0'],
    ['accents without a letter', '\u0301\u0308'],
    ['direction marks', '\u200e\u200f\u061c'],
    ['variation selectors', '\ufe0f\u{e0100}'],
    ['tag characters', '\u{e0041}\u{e0042}'],
    ['a line separator between zero-width spaces', '\u200b\u2028\u200b'],
    ['a blank Braille pattern', '\u2800'],
    ['characters that are to be ignored', '\u2065\u{e0080}'],
  ])('is refused if it is only %s', (_what, name) => refusedEverywhere(name))

  it.each([
    ['an override to the left', 'Acme \u202egnp.exe'],
    ['an override to the right', '\u202dAcme'],
    ['an embedding', 'Acme \u202bInc.\u202c'],
    ['an isolate', '\u2067Acme\u2069'],
    ['the end of an isolate alone', 'Acme\u2069'],
    ['a line separator', 'Acme\u2028Inc.'],
    ['a paragraph separator', 'Acme\u2029Inc.'],
    ['a next line', 'Acme\u0085Inc.'],
    ['a NUL', 'Acme\u0000'],
    ['an escape', '\u001b[31mAcme'],
    ['half a character', 'Acme\udc00'],
  ])('is refused with %s in it', (_what, name) => refusedEverywhere(name))

  it.each([
    ['of right-to-left letters', 'خطوط'],
    ['of both directions', 'Acme \u200fעברית'],
    ['that needs a joiner', 'نمی\u200cخواهم'],
    ['of an emoji with joiners', '👩\u200d👩\u200d👧'],
    ['with an accent apart', 'Ame\u0301lie'],
    ['of astral letters', '𠮷野家'],
    ['of quotes and code', `'; DROP TABLE seatgate_organizations; --<script>"\\`],
    ['of percent signs', '100% _%_'],
    ['that is a number', '007'],
    ['that is a property of every object', '__proto__'],
    ['of JSON', '{"name":"x"}'],
  ])('%s is kept as it is, and confirms a deletion', async (_what, name) => {
    const caller = { userId: await newUser() }
    const { id } = unwrap(
      await createOrganization(seatgate, { caller }, { name, slug: freshSlug() })
    )
    const { data } = unwrap(await listOrganizations(seatgate, { caller }))
    expect(data[0]?.organization.name).toBe(name)
    const scope = { caller, organization: id }
    unwrap(await renameOrganization(seatgate, scope, { name: 'Between' }))
    unwrap(await renameOrganization(seatgate, scope, { name }))
    expect((await lastEventOf(id)).metadata).toEqual({ old_name: 'Between', new_name: name })
    const confirmed = { confirmName: name, password: PASSWORD }
    for (const confirmName of [`${name}\u200b`, ` ${name}`, name.slice(1)]) {
      const refusal = await softDeleteOrganization(seatgate, scope, { ...confirmed, confirmName })
      expect(codeOf(refusal)).toBe('validation_error')
    }
    unwrap(await softDeleteOrganization(seatgate, scope, confirmed))
  })

  it('in another normal form is another name', async () => {
    const caller = { userId: await newUser() }
    const { id } = unwrap(
      await createOrganization(seatgate, { caller }, { name: 'Am\u00e9lie', slug: freshSlug() })
    )
    const scope = { caller, organization: id }
    const confirm = (confirmName: string) =>
      softDeleteOrganization(seatgate, scope, { confirmName, password: PASSWORD })
    expect(codeOf(await confirm('Ame\u0301lie'))).toBe('validation_error')
    expect(codeOf(await confirm('Am\u00e9lie'))).toBe('ok')
  })

  it('of 255 characters that take four bytes each fits everywhere', async () => {
    const { owner, as } = await kit.organization()
    const name = '\u{1f4ba}'.repeat(127)
    unwrap(await renameOrganization(seatgate, as(owner), { name }))
    unwrap(await renameOrganization(seatgate, as(owner), { name: '\u6f22'.repeat(255) }))
    const deleted = await softDeleteOrganization(seatgate, as(owner), {
      confirmName: '\u6f22'.repeat(255),
      password: PASSWORD,
    })
    expect(codeOf(deleted)).toBe('ok')
  })
})

async function refusedEverywhere(name: string) {
  const { owner, as } = await kit.organization()
  const rows = await everything()
  const created = await createOrganization(
    seatgate,
    { caller: { userId: owner } },
    { name, slug: freshSlug() }
  )
  const renamed = await renameOrganization(seatgate, as(owner), { name })
  for (const refusal of [created, renamed]) {
    expect(refusal).toMatchObject({ error: { errors: { name: [expect.any(String)] } } })
  }
  expect(await everything()).toEqual(rows)
}
