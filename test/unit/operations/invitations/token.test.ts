import { anything, assert, property } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { normalizeEmail } from '../../../../src/index.ts'
import {
  decrypt,
  encrypt,
  openToken,
  sealToken,
  toldBytes,
} from '../../../../src/operations/invitations/token.ts'

const secret = 'a secret for tests, of more than 32 characters'
const email = 'ann+tag@example.com'
const expiresAt = new Date(1_900_000_000_000)
const bytes = new Uint8Array(32).map((_, index) => index * 7)
const sealed = sealToken(secret, bytes, { id: 'an-id', email, expiresAt })

describe('an invitation token', () => {
  it('is stored only as the SHA-256 of its text, 32 bytes in hex [INV-10]', async () => {
    const raw = btoa(String.fromCharCode(...bytes))
      .replaceAll('+', '-')
      .replaceAll('/', '_')
    const digest = await crypto.subtle.digest(
      'SHA-256',
      new TextEncoder().encode(raw.replace(/=+$/, ''))
    )
    const hex = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0'))
    expect(sealed.tokenHash).toBe(hex.join(''))
    expect(sealed.envelope).not.toContain(sealed.tokenHash)
  })

  it('does not disclose the address, in no encoding of its parts [INV-11]', () => {
    const inside = atob(sealed.envelope.replaceAll('-', '+').replaceAll('_', '/'))
    expect(inside).not.toContain('ann')
    expect(inside).not.toContain('example.com')
    expect(inside).toContain('an-id')
  })

  it('opens to the sealed content', () => {
    const opened = openToken(secret, sealed.envelope)
    expect(opened).toMatchObject({ invitationId: 'an-id', expiresAt, tokenHash: sealed.tokenHash })
    expect(opened?.isFor(email)).toBe(true)
    expect(opened?.isFor('ben@example.com')).toBe(false)
  })

  describe('of two kinds', () => {
    const invitation = { id: 'an-id', email, expiresAt }
    const told = sealToken(secret, toldBytes(bytes), invitation, 'told')
    const mailed = sealToken(secret, bytes, invitation, 'mailed')
    const partsOf = (envelope: string) => {
      const sealedBytes = Uint8Array.from(
        atob(envelope.replaceAll('-', '+').replaceAll('_', '/')),
        (character) => character.charCodeAt(0)
      )
      return [sealedBytes.subarray(0, 32), sealedBytes.subarray(32)] as const
    }
    const joined = (...parts: readonly Uint8Array[]) =>
      btoa(String.fromCharCode(...parts.flatMap((part) => [...part])))
        .replaceAll('+', '-')
        .replaceAll('/', '_')
        .replace(/=+$/, '')

    it('has the same hash as the other kind, and only the mailed one proves the mailbox [A1]', () => {
      expect(mailed.tokenHash).toBe(told.tokenHash)
      const { tokenHash } = told
      expect(openToken(secret, told.envelope)).toMatchObject({ provesMailbox: false, tokenHash })
      expect(openToken(secret, mailed.envelope)).toMatchObject({ provesMailbox: true, tokenHash })
    })

    it('takes the seal of one for the other in no combination [A1]', () => {
      const [toldSeal, toldPayload] = partsOf(told.envelope)
      const [mailedSeal, mailedPayload] = partsOf(mailed.envelope)
      expect(openToken(secret, joined(toldSeal, toldPayload))).not.toBeNull()
      expect(openToken(secret, joined(mailedSeal, toldPayload))).toBeNull()
      expect(openToken(secret, joined(toldSeal, mailedPayload))).toBeNull()
    })

    it('is not the mailed one when it was sealed with the bytes of the returned one [A1]', () => {
      const forged = sealToken(secret, toldBytes(bytes), invitation, 'mailed')
      expect(forged.tokenHash).not.toBe(told.tokenHash)
      const rawOf = (envelope: string) =>
        (JSON.parse(new TextDecoder().decode(partsOf(envelope)[1])) as string[])[0]
      expect(rawOf(told.envelope)).not.toBe(rawOf(mailed.envelope))
    })
  })

  it.each([
    ['another secret', () => openToken(`${secret}!`, sealed.envelope)],
    ['no token', () => openToken(secret, undefined)],
    ['a number', () => openToken(secret, 7)],
    ['an object', () => openToken(secret, { toString: () => sealed.envelope })],
    ['nothing', () => openToken(secret, '')],
    ['bad base64', () => openToken(secret, '***')],
    ['padding', () => openToken(secret, `${sealed.envelope}=`)],
    ['more behind it', () => openToken(secret, `${sealed.envelope}AAAA`)],
    ['something endless', () => openToken(secret, 'A'.repeat(100_000))],
  ])('is invalid: %s [INV-12 INV-76]', (_what, open) => {
    expect(open()).toBeNull()
  })

  it('is invalid with any part cut off, and with any bit turned [INV-12]', () => {
    const { envelope } = sealed
    for (let length = 0; length < envelope.length; length++) {
      expect(openToken(secret, envelope.slice(0, length))).toBeNull()
    }
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    for (let index = 0; index < envelope.length; index++) {
      for (let bit = 1; bit < 64; bit *= 2) {
        const turned = alphabet[alphabet.indexOf(envelope[index]!) ^ bit]
        const other = envelope.slice(0, index) + turned + envelope.slice(index + 1)
        expect(openToken(secret, other)).toBeNull()
      }
    }
  })

  it('has one spelling: the spare bits of its last character must be zero [D3]', () => {
    // With a UUID the bytes do not fill the last character, so that others decode to the same bytes.
    const id = 'f81d4fae-7dec-41d0-a765-00a0c91e6bf6'
    const { envelope } = sealToken(secret, bytes, { id, email, expiresAt })
    expect(envelope.length % 4).not.toBe(0)
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const spellings = alphabet.split('').map((last) => envelope.slice(0, -1) + last)
    const decoded = (text: string) => atob(text.replaceAll('-', '+').replaceAll('_', '/'))
    const same = spellings.filter((text) => decoded(text) === decoded(envelope))
    expect(same.length).toBeGreaterThan(1)
    expect(spellings.filter((text) => openToken(secret, text) !== null)).toEqual([envelope])
  })

  it('never throws, for any presented text [INV-12]', () => {
    assert(
      property(anything(), (something) => openToken(secret, something) === null),
      { seed: 4, numRuns: 2000 }
    )
  })

  it('is encrypted, differently each time, and opens only with its own secret [INV-15]', async () => {
    const [one, two] = [await encrypt(secret, bytes), await encrypt(secret, bytes)]
    expect(one).not.toBe(two)
    expect(await decrypt(secret, one)).toEqual(bytes)
    const wrong = { name: 'OperationError' }
    await expect(decrypt(`${secret}!`, one)).rejects.toMatchObject(wrong)
    await expect(decrypt(secret, `${one.slice(0, -4)}AAA=`)).rejects.toMatchObject(wrong)
  })
})

describe('an address', () => {
  it.each([
    [' Ann@Example.COM ', 'ann@example.com'],
    ['ann+tag@example.com', 'ann+tag@example.com'],
    ['ann@Bücher.example', 'ann@xn--bcher-kva.example'],
    ['ann@xn--bcher-kva.example', 'ann@xn--bcher-kva.example'],
    ['"a@b"@example.com', '"a@b"@example.com'],
    ['nothing', 'nothing'],
    ['ann@bü cher.example', 'ann@bü cher.example'],
    ['ann@bücher.example/x', 'ann@bücher.example/x'],
    ['ann@bücher.example:80', 'ann@bücher.example:80'],
  ])('has one spelling: %j is %j [INV-8]', (given, spelling) => {
    expect(normalizeEmail(given)).toBe(spelling)
    expect(normalizeEmail(spelling)).toBe(spelling)
  })
})
