/**
 * Values on both sides of each limit that a schema of the document states.
 *
 * @module
 */

/** The members of a schema that limit a value. */
export interface Limited {
  readonly type?: string | readonly string[]
  readonly anyOf?: readonly Limited[]
  readonly allOf?: readonly Limited[]
  readonly enum?: readonly unknown[]
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly items?: Limited
  readonly pattern?: string
  readonly format?: string
}

/** A value and the limit that it shows. */
export type Sided = readonly [limit: string, value: unknown]

const FORMATS: Readonly<Record<string, readonly [inside: string, outside: string]>> = {
  'date-time': ['2096-02-29T23:59:59Z', '2097-02-29T23:59:59Z'],
  'idn-email': ['zoe@bücher.example', 'zoe@localhost'],
  'idn-hostname': ['bücher.example', 'bücher.localhost'],
  'language-tag': ['de-CH', 'de_CH'],
}

/** A text of a length, which has the format. */
function textOf(length: number, format?: string): string {
  if (format !== 'idn-email' && format !== 'idn-hostname') return 'a'.repeat(length)
  const start = format === 'idn-email' ? 'a@' : ''
  const end = '.example'
  const rest = length - start.length - end.length
  const labels = Array.from({ length: rest }, (_, index) => ((rest - index) % 60 === 0 ? '.' : 'b'))
  return `${start}b${labels.slice(1).join('')}${end}`
}

/** Values just outside of the limits. */
export function outside(schema: Limited): readonly Sided[] {
  const { minLength = 0, maxLength, minimum, maximum, minItems = 0, maxItems, format } = schema
  const patterns = [schema, ...(schema.allOf ?? [])].flatMap(({ pattern }) => pattern ?? [])
  return [
    ...(schema.anyOf?.some(({ minimum }) => minimum !== undefined)
      ? [['anyOf', -1] as const, ['anyOf', 'none'] as const]
      : []),
    ...(schema.enum ? [['enum', 'none'] as const] : []),
    ...(schema.type === 'integer' || schema.type?.[0] === 'integer'
      ? [['type', 1.5] as const]
      : []),
    ...(minLength > 0 ? [['minLength', 'a'.repeat(minLength - 1)] as const] : []),
    ...(maxLength === undefined ? [] : [['maxLength', textOf(maxLength + 1, format)] as const]),
    ...(minimum === undefined ? [] : [['minimum', minimum - 1] as const]),
    ...(maximum === undefined ? [] : [['maximum', maximum + 1] as const]),
    ...(minItems > 0 ? [['minItems', Array(minItems - 1).fill('a')] as const] : []),
    ...(maxItems === undefined ? [] : [['maxItems', Array(maxItems + 1).fill('a')] as const]),
    ...patterns.map((pattern) => ['pattern', notMatching(pattern)] as const),
    ...(format === undefined ? [] : [['format', FORMATS[format]?.[1]] as const]),
  ]
}

/** Values just inside of the limits. */
export function inside(schema: Limited): readonly Sided[] {
  const { minLength, maxLength, minimum, maximum, minItems, maxItems, format } = schema
  const item = schema.items?.enum?.[0] ?? 'a'
  return [
    ...(schema.enum ?? []).map((value) => ['enum', value] as const),
    ...(minLength === undefined ? [] : [['minLength', textOf(minLength, format)] as const]),
    ...(maxLength === undefined || format === 'language-tag'
      ? []
      : [['maxLength', textOf(maxLength, format)] as const]),
    ...(minimum === undefined ? [] : [['minimum', minimum] as const]),
    ...(maximum === undefined ? [] : [['maximum', maximum] as const]),
    ...(minItems === undefined ? [] : [['minItems', Array(minItems).fill(item)] as const]),
    ...(maxItems === undefined ? [] : [['maxItems', Array(maxItems).fill(item)] as const]),
    ...(format === undefined ? [] : [['format', FORMATS[format]?.[0]] as const]),
    ...(schema.anyOf ?? []).flatMap(inside),
  ]
}

const ODD = ['a\u0000b', 'a\ud800b', '\u2800\u2800\u2800', 'a\u202eb', 'A b', '-']

function notMatching(pattern: string): string {
  const odd = ODD.find((text) => !new RegExp(pattern, 'u').test(text))
  if (odd === undefined) throw new Error(`No text is outside of ${pattern}.`)
  return odd
}
