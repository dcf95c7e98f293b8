import type { Child } from 'hono/jsx'
// Not from `hono/jsx`, which also has the renderer of browsers.
import { Fragment, jsx } from '#jsx/jsx-runtime'
import type { Catalogue, Plural, TextKey } from './en.ts'

export type Values = Readonly<Record<string, string | number>>

/** The texts and formats of one language. */
export interface Words {
  readonly language: string
  /** Returns a text, with its values, for an attribute or a title. */
  text(key: TextKey, values?: Values): string
  /** The texts as the catalogue has them. */
  readonly texts: Catalogue['texts']
  /** Returns a text with elements as values, such as names. */
  say(key: TextKey, values: Readonly<Record<string, Child>>): Child
  /** Returns the word of a prefix and a value that was read, such as a status; else the value. */
  word(prefix: string, value: string): string
  refusal: Catalogue['refusal']
  event(action: string): string
  number(value: number): string
  /** Returns a day, in UTC. */
  day(at: string): string
  /** Returns an instant, in UTC. */
  instant(at: string): string
  /** Returns the distance between two instants, such as "in 6 days". */
  distance(at: string, now: Date): string
}

const HOUR = 3_600_000
const UNITS = [
  ['day', 24 * HOUR],
  ['hour', HOUR],
  ['minute', 60_000],
] as const

const made = new WeakMap<Catalogue, Words>()

/** Returns the words of a catalogue. */
export function wordsIn(catalogue: Catalogue): Words {
  const words = made.get(catalogue) ?? wordsOfCatalogue(catalogue)
  made.set(catalogue, words)
  return words
}

function wordsOfCatalogue({ language, texts, refusal, events }: Catalogue): Words {
  const rules = new Intl.PluralRules(language)
  const numbers = new Intl.NumberFormat(language)
  const days = new Intl.DateTimeFormat(language, { dateStyle: 'long', timeZone: 'UTC' })
  const instants = new Intl.DateTimeFormat(language, {
    dateStyle: 'medium',
    timeStyle: 'short',
    timeZone: 'UTC',
  })
  const distances = new Intl.RelativeTimeFormat(language, { numeric: 'auto' })
  const template = (key: TextKey, count: unknown): string => {
    const text: string | Plural = texts[key]
    if (typeof text === 'string') return text
    return rules.select(Number(count)) === 'one' ? text.one : text.other
  }
  const shown = (value: string | number | undefined) =>
    typeof value === 'number' ? numbers.format(value) : (value ?? '')
  return {
    language,
    text: (key, values = {}) =>
      template(key, values['count']).replace(/\{(\w+)\}/g, (_, name: string) =>
        shown(values[name])
      ),
    texts,
    say(key, values) {
      const parts = template(key, values['count']).split(/\{(\w+)\}/)
      const children = parts.map((part, index) => {
        if (index % 2 === 0) return part
        const value = values[part]
        return typeof value === 'number' ? numbers.format(value) : value
      })
      return jsx(Fragment, { children })
    },
    word: (prefix, value) => {
      const text = (texts as Readonly<Record<string, string | Plural>>)[`${prefix}_${value}`]
      return typeof text === 'string' ? text : value
    },
    refusal,
    event: (action) => events[action] ?? action,
    number: (value) => numbers.format(value),
    day: (at) => days.format(new Date(at)),
    instant: (at) => instants.format(new Date(at)),
    distance(at, now) {
      const milliseconds = Date.parse(at) - now.getTime()
      const [unit, size] = UNITS.find(([, size]) => Math.abs(milliseconds) >= size) ?? UNITS[2]
      return distances.format(Math.round(milliseconds / size), unit)
    },
  }
}

/** Returns the catalogue of the language that an `Accept-Language` prefers; the first without one. */
export function catalogueFor(
  header: string | undefined,
  known: readonly [Catalogue, ...Catalogue[]]
): Catalogue {
  const asked = [...(header ?? '').matchAll(/([a-z]+)[^,;]*(?:;\s*q=([\d.]+))?/gi)]
    .map(([, language, quality = '1']) => ({ language, quality: Number(quality) }))
    .sort((a, b) => b.quality - a.quality)
  for (const { language } of asked) {
    const catalogue = known.find((one) => one.language === language)
    if (catalogue !== undefined) return catalogue
  }
  return known[0]
}
