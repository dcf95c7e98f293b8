import * as fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { ACTIONS, isLibraryAction, type AuditAction } from '../../../../src/engine/audit/actions.ts'
import {
  changesSeats,
  countsSeats,
  libraryEvent,
  memberEvent,
  organizationEvent,
} from '../../../../src/engine/audit/event.ts'
import { invitationEvent } from '../../../../src/engine/audit/part-actions.ts'
import { isReserved, OWN_PREFIXES } from '../../../../src/engine/audit/event-rules.ts'
import { draftOf, forbiddenKey } from '../../../../src/operations/audit/host-event-rules.ts'
import { canonicalJson } from '../../../../src/proof/index.ts'

const rules = { reservedPrefixes: [...OWN_PREFIXES, 'auth.'], metadataBytes: 8192 }
const read = (event: object) => draftOf(rules, 'system', event)
const fieldsOf = (event: object) => {
  const result = read(event)
  return !result.ok && result.error.code === 'validation_error'
    ? Object.keys(result.error.errors)
    : null
}

describe('the catalogue', () => {
  const actions = Object.entries(ACTIONS)

  it.each(actions)('%s is a name that the table takes, under a prefix of ours', (action) => {
    expect(action).toMatch(/^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$/)
    expect(OWN_PREFIXES.some((prefix) => action.startsWith(prefix))).toBe(true)
  })

  it.each(actions)('%s asks for no forbidden key [AUD-29]', (_action, { metadata }) => {
    const keys = Object.keys(metadata.entries)
    expect(forbiddenKey(Object.fromEntries(keys.map((key) => [key, 1])))).toBeNull()
  })

  it('marks the actions that change seats: those about a seat or a limit, and no other', () => {
    const changing = actions.flatMap(([action, { changesSeats }]) => (changesSeats ? [action] : []))
    expect(changing).toEqual([
      'seat.reserved',
      'seat.assigned',
      'seat.released',
      'seat.limit_changed',
      'seat.drift_repaired',
    ])
  })

  it.each(actions)(
    '%s is known to change or to count seats as the catalogue says',
    (action, row) => {
      expect(changesSeats(action)).toBe(row.changesSeats)
      expect(countsSeats(action)).toBe('held' in row.metadata.entries)
    }
  )

  it.each(actions)('%s refuses unknown metadata [AUD-29]', (action) => {
    const write = () => libraryEvent(ACTIONS, 'o', action as AuditAction, 't', { surprise: 1 })
    expect(write).toThrow(v.ValiError)
  })

  it('is asked by name, and knows no name by inheritance', () => {
    expect(isLibraryAction('seat.assigned')).toBe(true)
    expect(isLibraryAction('toString')).toBe(false)
  })

  it('fills the target of every event [AUD-14]', () => {
    const ids = { organizationId: 'o', userId: 'u', id: 'i' }
    expect(organizationEvent('o', 'organization.delete').target).toEqual({
      type: 'organization',
      id: 'o',
    })
    expect(memberEvent(ids, 'organization.member_suspend', { by: 'admin' })).toMatchObject({
      target: { type: 'user', id: 'u' },
      metadata: { user_id: 'u', by: 'admin' },
    })
    expect(invitationEvent(ids, 'organization.invitation.declined')).toMatchObject({
      target: { type: 'invitation', id: 'i' },
      metadata: { invitation_id: 'i' },
    })
  })
})

const FORBIDDEN =
  'password password_hash password_confirmation totp_code totp_secret backup_code session_token bearer_token api_key token access_token refresh_token oauth_secret client_secret secret hashed_token raw_token token_hash'.split(
    ' '
  )

describe('a key of metadata that is not allowed', () => {
  it.each(FORBIDDEN)('%s, in any spelling, at any depth [AUD-25 AUD-26 AUD-27]', (key) => {
    const words = key.split('_')
    const camel = words.map((word, index) => (index > 0 ? capital(word) : word)).join('')
    for (const spelling of [
      key,
      key.toUpperCase(),
      words.join('-'),
      words.join(' '),
      words.join('.'),
      camel,
      words.map(capital).join(''),
      `_${key}`,
    ]) {
      for (const value of [null, '', 0, false, [], {}]) {
        expect(forbiddenKey({ [spelling]: value }), spelling).toBe(spelling)
      }
      expect(forbiddenKey({ a: [1, { b: { [spelling]: 1 } }] })).toBe(`a.1.b.${spelling}`)
      expect(fieldsOf({ action: 'a.b', metadata: { x: [[{ [spelling]: 'v' }]] } })).toEqual([
        `metadata.x.0.0.${spelling}`,
      ])
    }
  })

  it.each(['token_id', 'invitation_id', 'token_version', 'tokens', 'passwordless', 'secretary'])(
    '%s passes [AUD-28]',
    (key) => {
      expect(forbiddenKey({ [key]: 'x' })).toBeNull()
      expect(read({ action: 'a.b', metadata: { [key]: 'x' } }).ok).toBe(true)
    }
  )

  it('is found behind a toJSON too [AUD-26]', () => {
    expect(
      fieldsOf({ action: 'a.b', metadata: { at: { toJSON: () => ({ token: 'x' }) } } })
    ).toEqual(['metadata.at.token'])
  })

  it('refusals name fields and never disclose a value [AUD-31]', () => {
    const secret = 'Zz9-value-of-somebody'
    const values = fc.oneof(fc.constant(secret), fc.constant([secret]), fc.constant({ x: secret }))
    const key = fc.constantFrom('action', 'target', 'metadata', 'outcome', 'idempotencyKey', 'odd')
    fc.assert(
      fc.property(fc.dictionary(key, values), (event) => {
        expect(JSON.stringify(read({ ...event, metadata: { password: secret } }))).not.toContain(
          secret
        )
      }),
      { seed: 6, numRuns: 300 }
    )
  })
})

describe('an event of the host’s', () => {
  it.each(['billing.charge_failed.retry', 'a.b', 'foo_bar.baz_qux'])(
    'may be %s [AUD-2]',
    (action) => expect(read({ action }).ok).toBe(true)
  )

  it.each([
    'Auth.Login',
    'foo',
    'foo.',
    '.foo',
    'foo..bar',
    'FOO.BAR',
    '1foo.bar',
    '',
    'a.b\n',
    'x.'.repeat(150) + 'x',
    7,
    null,
  ])('may not be %j [AUD-3]', (action) => expect(fieldsOf({ action })).toEqual(['action']))

  it.each(['ok', '', 'Success', 1])('has no outcome %j [AUD-4]', (outcome) =>
    expect(fieldsOf({ action: 'a.b', outcome })).toEqual(['outcome'])
  )

  it.each(['organization.create', 'seat.assigned', 'audit.erasure', 'auth.login.success'])(
    '%s is reserved [AUD-5 AUD-6]',
    (action) => {
      expect(isReserved(rules, action)).toBe(true)
      expect(isReserved(rules, `x${action}`)).toBe(false)
    }
  )

  it('has 4 kB of metadata and not 10, by bytes and not by characters [AUD-30]', () => {
    const sized = (text: string, metadataBytes = 8192) =>
      draftOf({ ...rules, metadataBytes }, 'system', { action: 'a.b', metadata: { x: text } }).ok
    expect(sized('x'.repeat(4096))).toBe(true)
    expect(sized('x'.repeat(10_000))).toBe(false)
    expect(sized('x'.repeat(8184))).toBe(true)
    expect(sized('x'.repeat(8185))).toBe(false)
    expect(sized('é'.repeat(4093))).toBe(false)
    expect(sized('x', 8)).toBe(false)
  })

  it.each([
    ['a list', []],
    ['a text', 'x'],
    ['nothing', null],
    ['a number too large for JSON', { n: 1n }],
    ['a circle', circle()],
    ['a pit', JSON.parse(`${'{"a":'.repeat(40)}1${'}'.repeat(40)}`)],
  ])('has no metadata that are %s', (_what, metadata) =>
    expect(fieldsOf({ action: 'a.b', metadata })).toEqual(['metadata'])
  )

  it('throws for an actor of an unknown type [AUD-15]', () => {
    for (const actor of [
      { type: 'robot', id: 'x' },
      { type: 'user', id: null },
      { type: 'system', id: 'x' },
      'user',
    ]) {
      expect(() => read({ action: 'a.b', actor })).toThrow(TypeError)
    }
    expect(read({ action: 'a.b', actor: { type: 'webhook', id: 'evt_1' } }).ok).toBe(true)
  })
})

describe('canonical JSON', () => {
  it('is one text for equal values, and the same value when read', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value)
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)))
        expect(canonicalJson(JSON.parse(text))).toBe(text)
      }),
      { seed: 6, numRuns: 500 }
    )
  })

  it('sorts by UTF-16 code units, as RFC 8785 has it', () => {
    const mixed = {
      '\u20ac': 1,
      '\r': 2,
      '\ufb33': 3,
      '1': 4,
      '\ud83d\ude00': 5,
      '\u0080': 6,
      ö: 7,
    }
    expect(Object.keys(JSON.parse(canonicalJson(mixed)))).toHaveLength(7)
    expect([...canonicalJson(mixed).matchAll(/:(\d)/g)].map(([, n]) => n).join('')).toBe('2467153')
  })
})

function capital(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1)
}

function circle(): object {
  const ring: { self?: object } = {}
  ring.self = ring
  return ring
}
