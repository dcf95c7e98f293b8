import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { Email, MailDomain, normalizeEmail } from '../../../src/base/email.ts'
import {
  atMost,
  jsonNumber,
  lowerCase,
  parseInput,
  secretText,
  shortText,
  visibleText,
  wholeNumber,
} from '../../../src/base/input.ts'
import { Instant } from '../../../src/base/instant.ts'
import { checkOptionNames, nearest } from '../../../src/base/names.ts'
import { knownParameters } from '../../../src/base/parameters.ts'

const field = (schema: v.GenericSchema, value: unknown) =>
  parseInput(v.object({ field: schema }, 'Must be an object.'), { field: value })

function errorsOf(schema: v.GenericSchema, value: unknown) {
  const parsed = field(schema, value)
  if (parsed.ok || parsed.error.code !== 'validation_error') throw new Error('Was taken.')
  return parsed.error.errors
}

describe('an e-mail address', () => {
  it.each([
    [' Ann@Example.com ', 'ann@example.com'],
    ['ann+tag@example.com', 'ann+tag@example.com'],
    ["o'brien@example.com", "o'brien@example.com"],
    ['zoe@bücher.example', 'zoe@xn--bcher-kva.example'],
    ['zoe@BÜCHER.example', 'zoe@xn--bcher-kva.example'],
    ['zoe@bu\u0308cher.example', 'zoe@xn--bcher-kva.example'],
    ['zoe@xn--bcher-kva.example', 'zoe@xn--bcher-kva.example'],
    ['zoe@例え.テスト', 'zoe@xn--r8jz45g.xn--zckzah'],
    [`${'a'.repeat(64)}@example.com`, `${'a'.repeat(64)}@example.com`],
    [`a@${'b'.repeat(63)}.example`, `a@${'b'.repeat(63)}.example`],
  ])('is taken as one spelling: %j', (given, read) => {
    expect(field(Email, given)).toEqual({ ok: true, value: { field: read } })
    expect(normalizeEmail(given)).toBe(read)
    expect(normalizeEmail(read)).toBe(read)
  })

  it.each([
    ['B3 the Kelvin sign', '\u212aate@example.com'],
    ['B3 a dotted capital I', '\u0130da@example.com'],
    ['B3 a long s', 'lo\u017f@example.com'],
    ['B3 full-width letters', '\uff41nn@example.com'],
    ['B3 the Kelvin sign in the domain', 'ann@\u212aelvin.example'],
    ['B3 a full-width letter in the domain', 'ann@\uff45xample.com'],
    ['B3 a ligature in the domain', 'ann@o\ufb03ce.example'],
    ['B3 an ideographic full stop', 'ann@example\u3002com'],
    ['B3 a full-width full stop', 'ann@example\uff0ecom'],
    ['B4 a percent escape', 'zoe@ex%61mpl\u00e9.com'],
    ['B4 a percent escape alone', 'zoe@ex%61mple.com'],
    ['B4 a NUL behind it', 'zoe@example.com\u0000'],
    ['B4 a NUL within', 'zoe@exam\u0000pl\u00e9.com'],
    ['B4 a zero-width space', 'zoe@exam\u200bple.com'],
    ['B4 a soft hyphen', 'zoe@exam\u00adple.com'],
    ['B4 a word joiner', 'zoe@exam\u2060pl\u00e9.com'],
    ['B4 a variation selector', 'zoe@example\ufe0f.com'],
    ['B4 a tab within', 'zoe@exam\tpl\u00e9.com'],
    ['B4 user info', 'zoe@j\u00f6rg@acme.example'],
    ['B4 a port', 'zoe@\u00fcber.example:80'],
    ['B4 a path', 'zoe@\u00fcber.example/x'],
    ['B4 a no-break space behind it', 'zoe@example.com\u00a0'],
    ['B4 a byte order mark before it', '\ufeffzoe@example.com'],
    ['B4 punycode of ASCII', 'zoe@xn--example-.com'],
    ['B4 half a character', 'zoe@\ud800.example'],
    ['B5 two dots', 'a..b@example.com'],
    ['B5 a dot at the start', '.a@example.com'],
    ['B5 a dot at the end', 'a.@example.com'],
    ['B5 a local part of 65', `${'a'.repeat(65)}@example.com`],
    ['B5 no local part', '@example.com'],
    ['B5 IPv4', 'ann@127.0.0.1'],
    ['B5 an IPv4 literal', 'ann@[127.0.0.1]'],
    ['B5 an IPv6 literal', 'ann@[IPv6:::1]'],
    ['B5 IPv4 in hexadecimal', 'ann@0x7f.0x1'],
    ['B5 a last label of digits', 'ann@example.123'],
    ['B5 a last label that begins with a digit', 'ann@example.1a'],
    ['B5 one label', 'ann@localhost'],
    ['B5 the own machine', 'ann@mail.localhost'],
    ['B5 a domain that is never there', 'ann@example.invalid'],
    ['B5 a label of 64', `ann@${'b'.repeat(64)}.example`],
    ['B5 a hyphen before a label', 'ann@-example.com'],
    ['B5 a hyphen behind a label', 'ann@example-.com'],
    ['B5 an underscore', 'ann@exa_mple.com'],
    ['B5 an empty label', 'ann@example..com'],
    ['B5 a dot behind the domain', 'ann@example.com.'],
    ['B5 a dot before the domain', 'ann@.example.com'],
    ['B5 a quoted local part', '"ann lee"@example.com'],
    ['B5 a comment', 'ann(lee)@example.com'],
    ['B5 a name before it', 'Ann <ann@example.com>'],
    ['B5 two addresses', 'ann@example.com,ben@example.com'],
    ['nothing', ''],
  ])('is refused with %s', (_what, email) => {
    expect(errorsOf(Email, email)).toEqual({ field: ['Must be an e-mail address.'] })
  })

  it('is never another’s address, no matter which character takes a letter’s place [B3]', () => {
    for (let point = 0x80; point <= 0x10_ffff; point++) {
      const character = String.fromCodePoint(point)
      const local = normalizeEmail(`${character}ate@example.com`)
      if (/^[\0-\x7f]*$/.test(local)) throw new Error(`U+${point.toString(16)} became ${local}`)
    }
  })

  it('has a domain that only IDNA’s own letters lead to [B3 B4]', () => {
    for (let point = 0x80; point <= 0xffff; point++) {
      const read = normalizeEmail(`a@b${String.fromCodePoint(point)}c.example`)
      const faithful = !/^[\0-\x7f]*$/.test(read) || read.startsWith('a@xn--')
      if (!faithful) throw new Error(`U+${point.toString(16)} became ${read}`)
    }
  })

  it('keeps text that is no address, but for its letters A to Z', () => {
    expect(normalizeEmail(' ANN@LOCALHOST ')).toBe('ann@localhost')
    expect(normalizeEmail('\u212aATE')).toBe('\u212aate')
  })

  it('is at most 160 characters long [B9]', () => {
    const email = `${'a'.repeat(64)}@${'b'.repeat(60)}.${'c'.repeat(30)}.example`
    expect(errorsOf(Email, email)).toEqual({ field: ['Must be at most 160 characters long.'] })
  })
})

describe('a mail domain', () => {
  it.each([
    ['Acme.Example', 'acme.example'],
    ['bücher.example', 'xn--bcher-kva.example'],
    [' acme.example ', 'acme.example'],
  ])('is taken as one spelling: %j', (given, read) => {
    expect(field(MailDomain, given)).toEqual({ ok: true, value: { field: read } })
  })

  it.each([
    'j\u00f6rg@acme.example',
    'user:pass@\u00fcber.example',
    '\u00fcber.example:443',
    'acme.example\u0000',
    'ac\u00adme.example',
    'ac\u200bm\u00e9.example',
    'ex%61mpl\u00e9.com',
    'http://acme.example',
    '\u212aelvin.example',
    'acme',
    '127.0.0.1',
    'acme.123',
    '-acme.example',
    'a_cme.example',
    '*.acme.example',
  ])('is refused as %j [B4]', (domain) => {
    expect(errorsOf(MailDomain, domain)).toEqual({
      field: ['Must be a domain such as example.com.'],
    })
  })
})

describe('a time', () => {
  it.each([
    ['2026-06-30T23:59:59Z', '2026-06-30T23:59:59.000Z'],
    ['2026-06-30T23:59:59.5Z', '2026-06-30T23:59:59.500Z'],
    ['2026-06-30T23:59:59.123456789Z', '2026-06-30T23:59:59.123Z'],
    ['2026-06-30t23:59:59z', '2026-06-30T23:59:59.000Z'],
    ['2026-06-30T23:59:59+02:00', '2026-06-30T21:59:59.000Z'],
    ['2028-02-29T00:00:00-00:00', '2028-02-29T00:00:00.000Z'],
    ['2000-02-29T00:00:00Z', '2000-02-29T00:00:00.000Z'],
  ])('is taken: %s', (given, read) => {
    expect(field(Instant, given)).toEqual({ ok: true, value: { field: new Date(read) } })
  })

  it.each([
    '1',
    '2026',
    '2026-02-31T00:00:00Z',
    '2026-02-29T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2026-04-31T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-00-01T00:00:00Z',
    '2026-01-00T00:00:00Z',
    '2026-02-31',
    '2026-06-30',
    '11/12/2026',
    '12 Nov 2026',
    'Nov 12 2026 10:00:00 GMT',
    '2026-06-30T24:00:00Z',
    '2026-06-30T23:60:00Z',
    '2026-06-30T23:59:60Z',
    '2026-06-30T23:59:59',
    '2026-06-30T23:59Z',
    '2026-06-30 23:59:59Z',
    '2026-06-30T23:59:59 02:00',
    '2026-06-30T23:59:59+24:00',
    '2026-06-30T23:59:59+0200',
    '2026-06-30T23:59:59,5Z',
    '2026-06-30T23:59:59.Z',
    '20260630T235959Z',
    '2026-W27-2',
    '+002026-06-30T23:59:59Z',
    '-000001-01-01T00:00:00Z',
    '0000-01-01T00:00:00Z',
    '1969-12-31T23:59:59Z',
    '9999-12-31T23:59:59-23:59',
    '2026-06-30T23:59:59Z ',
    '2026-06-30T23:59:59Z\n',
    '٢٠٢٦-06-30T23:59:59Z',
    'yesterday',
    '',
    0,
    1_782_863_999_000,
    null,
    true,
    {},
    new Date(NaN),
  ])('is refused as %j [B6]', (given) => {
    expect(errorsOf(Instant, given)).toEqual({ field: [expect.stringContaining('RFC 3339')] })
  })
})

describe('a number of a query', () => {
  it.each([
    ['1', 1],
    ['200', 200],
    ['007', 7],
    [7, 7],
  ])('is taken: %j', (given, read) => {
    const taken = { ok: true, value: { field: read } }
    expect(field(wholeNumber({ min: 1, max: 200 }), given)).toEqual(taken)
  })

  it.each([
    '0x5',
    '1e1',
    ' 5',
    '5 ',
    '+5',
    '-5',
    '5.0',
    '5.',
    '0b1',
    '0o7',
    '1_0',
    '1,0',
    '',
    '٥',
    'Infinity',
    'NaN',
    'null',
    '0',
    '201',
    '99999999999999999999',
    0.5,
    -1,
    NaN,
    Infinity,
    null,
    true,
    ['5'],
    {},
  ])('is refused as %j [B7]', (given) => {
    expect(errorsOf(wholeNumber({ min: 1, max: 200 }), given)).toEqual({
      field: ['Must be a whole number from 1 to 200.'],
    })
  })

  it('of a body is no string [B7]', () => {
    expect(errorsOf(jsonNumber({ min: 1 }), '5')).toEqual({ field: ['Must be a number.'] })
    for (const wrong of [0, 1.5, 2 ** 53]) {
      expect(errorsOf(jsonNumber({ min: 1 }), wrong)).toEqual({
        field: ['Must be a whole number from 1.'],
      })
    }
  })
})

describe('text', () => {
  it('is counted in code points [B9]', () => {
    expect(field(shortText(), '😀'.repeat(255))).toMatchObject({ ok: true })
    expect(errorsOf(shortText(), '😀'.repeat(256))).toEqual({
      field: ['Must be at most 255 characters long.'],
    })
    expect(field(secretText(256, 8), '😀'.repeat(256))).toMatchObject({ ok: true })
    expect(errorsOf(secretText(256, 8), '😀'.repeat(7))).toEqual({
      field: ['Must be at least 8 characters long.'],
    })
    expect(field(v.pipe(v.string(), atMost(2)), '😀😀')).toMatchObject({ ok: true })
  })

  it.each(['a\u0000b', 'a\nb', '\ud800', 'a\udfff', 'a\u2028b', 'a\u007fb'])(
    'on a line has no control characters and no halves: %j',
    (text) => {
      expect(errorsOf(shortText(), text)).toEqual({ field: ['Must not have control characters.'] })
    }
  )

  it('that people read is trimmed, visible, and turned by no character', () => {
    expect(field(visibleText(3), ' a\u00a0b ')).toMatchObject({
      ok: true,
      value: { field: 'a\u00a0b' },
    })
    for (const text of ['', '  ', '\u00a0', '\u3000']) {
      expect(errorsOf(visibleText(), text)).toEqual({ field: ['Must not be empty.'] })
    }
    for (const text of ['\u200b', '\u2800', '\u0301', '\u{e0041}', '\u3164']) {
      expect(errorsOf(visibleText(), text)).toEqual({ field: ['Must have a visible character.'] })
    }
    for (const text of ['\u202eabc', 'a\u2066b']) {
      expect(errorsOf(visibleText(), text)).toEqual({
        field: ['Must not have direction overrides.'],
      })
    }
    expect(errorsOf(visibleText(3), 'abcd')).toEqual({
      field: ['Must be at most 3 characters long.'],
    })
  })

  it('in lower case has no ASCII letter that was not ASCII before [B3]', () => {
    for (let point = 0x80; point <= 0x10_ffff; point++) {
      const lower = lowerCase(String.fromCodePoint(point))
      if (/[\0-\x7f]/.test(lower)) throw new Error(`U+${point.toString(16)} became ${lower}`)
    }
    expect(lowerCase('ACME-ÄPFEL-\u212aELVIN')).toBe('acme-äpfel-\u212aelvin')
  })
})

const Nested = v.object(
  {
    name: v.pipe(
      v.string('Must be a string.'),
      v.minLength(2, 'Too short.'),
      v.regex(/b/, 'Too short.')
    ),
    nick: v.optional(v.string('Must be a string.')),
    list: v.optional(
      v.array(v.object({ id: v.string('Must be a string.') }, 'Must be an object.'))
    ),
  },
  'Must be an object.'
)

describe('an input', () => {
  it.each([
    [{}, { name: ['Is required.'] }],
    [{ name: undefined }, { name: ['Is required.'] }],
    [{ name: null }, { name: ['Must be a string.'] }],
    [{ name: 'a' }, { name: ['Too short.'] }],
    [{ name: 'ab', nick: 7 }, { nick: ['Must be a string.'] }],
    [{ name: 'ab', list: [{ id: 'a' }, {}] }, { 'list.1.id': ['Is required.'] }],
    [{ name: 'ab', list: [7] }, { 'list.0': ['Must be an object.'] }],
    [null, { body: ['Must be an object.'] }],
    [undefined, { body: ['Must be an object.'] }],
    ['ab', { body: ['Must be an object.'] }],
  ])('has each message once, beside its field: %j [B12]', (input, errors) => {
    expect(parseInput(Nested, input)).toMatchObject({ error: { errors } })
    const parsed = parseInput(Nested, input)
    expect(parsed.ok || parsed.error).toEqual({ code: 'validation_error', errors })
  })
})

describe('an unknown name', () => {
  it('is refused of an option, with the nearest that is [B14]', () => {
    const known = ['database', 'sessions', 'hooks', 'joining']
    expect(() => checkOptionNames('f', { datbase: 1 }, known)).toThrow(
      new TypeError('f: there is no option "datbase". Did you mean "database"?')
    )
    expect(() => checkOptionNames('f', { hook: 1 }, known)).toThrow(/"hooks"/)
    expect(() => checkOptionNames('f', { Sessions: 1 }, known)).toThrow(/"sessions"/)
    expect(() => checkOptionNames('f', { x: 1 }, [])).toThrow(
      'f: there is no option "x". There are no'
    )
    expect(() => checkOptionNames('f', null, known)).toThrow('f: options must be an object.')
    expect(() => checkOptionNames('f', { hooks: undefined }, known)).not.toThrow()
  })

  it('is refused of a parameter, with all that are [B14]', () => {
    expect(knownParameters({ limit: 1, offset: 10 }, ['limit', 'cursor'])).toEqual({
      ok: false,
      error: {
        code: 'validation_error',
        errors: { offset: ['Unknown parameter. Allowed: cursor, limit.'] },
      },
    })
    expect(knownParameters({ limit: 1 }, ['limit'])).toEqual({ ok: true, value: null })
  })

  it('is near by the fewest changes', () => {
    expect(nearest('memberAdminRole', ['memberAdminRoles', 'ownerRole'])).toBe('memberAdminRoles')
    expect(nearest('x', [])).toBeNull()
  })
})
