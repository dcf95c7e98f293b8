import { describe, expect, it } from 'vitest'
import { english, type Plural } from '../../../../src/console/texts/en.ts'
import { german } from '../../../../src/console/texts/de.ts'
import { auditActions } from '../../../../src/index.ts'
import { wordsIn } from '../../../../src/console/texts/languages.ts'

type Text = string | Plural

const formsOf = (text: Text) => (typeof text === 'string' ? [text] : [text.one, text.other])

const placesOf = (text: Text) =>
  formsOf(text).map((form) => [...form.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort())

// Each is the usual word in German, too.
const SAME = [
  'auditExport',
  'auditTrace',
  'directoryToken',
  'domain',
  'domains',
  'exportCsv',
  'exportNdjson',
  'joinFor',
  'limitVersion',
  'mail',
  'name',
  'status',
  'stored',
  'system',
  'verifyFile',
]

describe('the catalogue in German', () => {
  it('has the keys of the English one, each with the same kind of text and the same values', () => {
    expect(Object.keys(german.texts).sort()).toEqual(Object.keys(english.texts).sort())
    for (const [key, text] of Object.entries<Text>(english.texts)) {
      const other = (german.texts as Record<string, Text>)[key] ?? ''
      expect(typeof other, key).toBe(typeof text)
      expect(placesOf(other), key).toEqual(placesOf(text))
      expect(
        formsOf(other).every((form) => form.trim() !== ''),
        key
      ).toBe(true)
    }
  })

  it('leaves no text in English, except words that both languages have', () => {
    const same = Object.entries<Text>(english.texts).filter(
      ([key, text]) =>
        JSON.stringify((german.texts as Record<string, Text>)[key]) === JSON.stringify(text)
    )
    expect(same.map(([key]) => key).sort()).toEqual(SAME)
  })

  it('has a word for each refusal, and for each event of the library', () => {
    const actions = Object.keys(auditActions)
    expect(actions.length).toBeGreaterThan(60)
    for (const { events } of [english, german]) {
      expect(actions.filter((action) => !Object.hasOwn(events, action))).toEqual([])
    }
    const said = wordsIn(german).refusal('seat_limit_reached')
    expect(said).not.toBe(wordsIn(english).refusal('seat_limit_reached'))
  })
})

describe('the words of states', () => {
  it.each([
    ['attempt', ['delivered', 'passed', 'skipped', 'retry', 'paused', 'dead']],
    ['letter', ['dead', 'queued', 'delivered']],
    ['outcome', ['failure', 'error']],
    ['link', ['open', 'used_up', 'expired']],
    ['request', ['open', 'waiting']],
    ['mail', ['queued', 'sent', 'failed', 'skipped']],
    ['change', ['cancel', 'trial_end', 'grace_end', 'override_end']],
    ['grant', ['canceled', 'paused', 'trial_ended', 'grace_expired', 'unpaid', 'incomplete']],
  ])('are in both languages: %s', (prefix, states) => {
    for (const catalogue of [english, german]) {
      const words = wordsIn(catalogue)
      for (const state of states) expect(words.word(prefix, state)).not.toBe(state)
    }
  })
})
