import { describe, expect, it } from 'vitest'
import { isApiKey } from '../../../../src/hono/keys/index.ts'
import { hashOfKey, newKey, startOf } from '../../../../src/parts/keys/key-text.ts'

const secret = (fill: number) => new Uint8Array(32).fill(fill)
const key = newKey('acme_live', secret(7))

describe('the text of a key', () => {
  it('is a prefix, 43 digits in base 62 of 32 bytes, and a CRC-32 of six [KEY-1]', () => {
    expect(key).toMatch(/^acme_live_[0-9A-Za-z]{49}$/)
    for (const fill of [0, 255]) expect(newKey('a', secret(fill))).toMatch(/^a_[0-9A-Za-z]{49}$/)
    // CRC-32 of the text before it, by zlib.
    expect(newKey('sg_live', secret(0))).toBe(`sg_live_${'0'.repeat(43)}3u5dpU`)
  })

  it('is recognized by its form and its checksum [KEY-1]', () => {
    expect(isApiKey(key)).toBe(true)
    expect(isApiKey(key, 'acme_live')).toBe(true)
    for (const prefix of ['acme', 'acme_test', 'live', ''])
      expect(isApiKey(key, prefix)).toBe(false)
  })

  it('is no key with any character changed, left out, put before or put after [KEY-1]', () => {
    for (let place = 0; place < key.length; place++) {
      const other = key[place] === 'x' ? 'y' : 'x'
      expect(isApiKey(key.slice(0, place) + other + key.slice(place + 1))).toBe(false)
      expect(isApiKey(key.slice(0, place) + key.slice(place + 1))).toBe(false)
      expect(isApiKey(key.slice(0, place))).toBe(false)
    }
    const others = [`${key}0`, `x${key}`, ` ${key}`, `${key}\n`, key.toUpperCase()]
    for (const other of [...others, '', null, 7, {}, 'a'.repeat(1e6), `a${'_a'.repeat(1e6)}`]) {
      expect(isApiKey(other)).toBe(false)
    }
  })

  it('shows four characters after its prefix, and hashes to 64 of hex', () => {
    expect(startOf(key)).toBe(key.slice(0, 'acme_live_'.length + 4))
    expect(hashOfKey(key)).toMatch(/^[0-9a-f]{64}$/)
  })
})
