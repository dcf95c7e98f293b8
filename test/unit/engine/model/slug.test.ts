import { describe, expect, it } from 'vitest'
import { createSeatgate, d1Seats, type SeatgateOptions } from '../../../../src/index.ts'
import { generateSlug, slugErrors } from '../../../../src/engine/model/slug.ts'

const RESERVED =
  'admin api app auth billing blog cdn dashboard docs help login logout new oauth register settings signup static status support system webhooks www'.split(
    ' '
  )

const FORMAT = expect.stringMatching(/letter/)
const LENGTH = expect.stringMatching(/3 to 63/)
const RESERVED_ERROR = expect.stringMatching(/reserved/)

describe('generateSlug', () => {
  it.each([
    ['ORG-42', 'Acme Corp!', 'acme-corp'],
    ['ORG-43', '  My   Org  ', 'my-org'],
    ['ORG-44', 'hello', 'hello'],
    ['ORG-45', 'foo--bar', 'foo-bar'],
    ['ORG-47', '-leading-', 'leading'],
    ['ORG-48', '123-start', '123-start'],
    ['ORG-49', '!!!', ''],
    ['ORG-49', '', ''],
    ['ORG-50', 'Admin', 'admin'],
    ['ORG-4', 'My Cool Project', 'my-cool-project'],
    ['underscores', 'foo_bar', 'foo-bar'],
    ['B13', 'Zürich', 'zurich'],
    ['B13', 'Zu\u0308rich', 'zurich'],
    ['B13', 'Straße 7', 'strasse-7'],
    ['B13', 'STRAẞE', 'strasse'],
    ['B13', 'Crème Brûlée', 'creme-brulee'],
    ['B13', 'Łódź', 'lodz'],
    ['B13', 'Ærø & Søn', 'aero-son'],
    ['B13', 'İstanbul ıı', 'istanbul-ii'],
    ['B13', 'Đặng Þór', 'dang-thor'],
    ['letters that it does not know', 'Привет x', 'x'],
    ['letters that it does not know', '日本', ''],
    ['hyphens at both ends', '--a--b--', 'a-b'],
    ['line breaks', 'a\nb', 'a-b'],
  ])('%s: makes of %j the slug %j', (_id, name, slug) => {
    expect(generateSlug(name)).toBe(slug)
  })

  it('makes null of null [ORG-46]', () => {
    expect(generateSlug(null)).toBeNull()
  })

  it('takes time in proportion to the name', () => {
    const long = `${'a-'.repeat(200_000)}${'-'.repeat(200_000)}`
    expect(generateSlug(long)).toHaveLength(399_999)
  })

  it('does not change a slug', () => {
    for (const slug of ['acme-corp', 'abc', 'a1-b2']) expect(generateSlug(slug)).toBe(slug)
  })
})

const { slugs: rules } = createSeatgate({
  database: { batch: () => Promise.reject(new Error('No database is asked.')) },
  seats: d1Seats(),
  sessions: 'none',
} as unknown as SeatgateOptions)

describe('a slug', () => {
  it.each([
    ['ORG-52', 'acme-corp'],
    ['ORG-52', 'my-org-123'],
    ['ORG-52', 'abc'],
    ['ORG-52', 'a--b'],
    ['63 characters', 'a'.repeat(63)],
    ['ORG-60', 'admin-team'],
  ])('%s: may be %s', (_id, slug) => {
    expect(slugErrors(rules, slug)).toEqual([])
  })

  it.each([
    ['ORG-53', 'Acme', [FORMAT]],
    ['ORG-54', '1abc', [FORMAT]],
    ['ORG-55', 'ab', [LENGTH]],
    ['ORG-56', 'a'.repeat(64), [LENGTH]],
    ['ORG-57', 'has space', [FORMAT]],
    ['ORG-58', 'has_underscore', [FORMAT]],
    ['ORG-59', 'abc-', [FORMAT]],
    ['ORG-59', 'abc\n', [FORMAT]],
    ['a leading hyphen', '-abc', [FORMAT]],
    ['an accent', 'zürich', [FORMAT]],
    ['a NUL', 'abc\u0000', [FORMAT]],
    ['a dot', 'acme.corp', [FORMAT]],
    ['a slash', 'acme/corp', [FORMAT]],
    ['the form of an id', 'a0000000-0000-4000-8000-000000000000', [FORMAT]],
    ['ORG-63', '', [FORMAT, LENGTH]],
    ['ORG-63', '1', [FORMAT, LENGTH]],
    ['ORG-63', 'A'.repeat(64), [FORMAT, LENGTH]],
  ])('%s: may not be %j', (_id, slug, errors) => {
    expect(slugErrors(rules, slug)).toEqual(errors)
  })

  it.each(RESERVED)('may not be %s, which is reserved [ORG-60]', (word) => {
    expect(slugErrors(rules, word)).toEqual([RESERVED_ERROR])
  })

  it('has 23 reserved words [ORG-60]', () => {
    expect(RESERVED).toHaveLength(23)
  })
})
