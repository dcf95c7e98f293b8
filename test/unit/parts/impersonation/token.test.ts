import { describe, expect, it } from 'vitest'
import { isApiKey } from '../../../../src/hono/keys/index.ts'
import {
  hashOf,
  isImpersonationToken,
  newToken,
} from '../../../../src/parts/impersonation/token.ts'

const token = newToken(new Uint8Array(32).fill(7))

describe('the token of an impersonation', () => {
  it('is recognized by its form and its checksum, and is not an API key [OP-6]', () => {
    expect(token).toMatch(/^sg_impersonation-[0-9A-Za-z]{49}$/)
    expect(isImpersonationToken(token)).toBe(true)
    expect(isApiKey(token)).toBe(false)
    expect(hashOf(token)).toMatch(/^[0-9a-f]{64}$/)
  })

  it('is not recognized with any character changed, left out, put before or put after [OP-6]', () => {
    for (let place = 0; place < token.length; place++) {
      const other = token[place] === 'x' ? 'y' : 'x'
      expect(isImpersonationToken(token.slice(0, place) + other + token.slice(place + 1))).toBe(
        false
      )
      expect(isImpersonationToken(token.slice(0, place) + token.slice(place + 1))).toBe(false)
      expect(isImpersonationToken(token.slice(0, place))).toBe(false)
    }
    for (const other of [`${token}0`, `x${token}`, ` ${token}`, `${token}\n`, '', null, 7, {}]) {
      expect(isImpersonationToken(other)).toBe(false)
    }
  })
})
