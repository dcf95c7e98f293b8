import { scryptAsync } from '@noble/hashes/scrypt.js'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { hashPassword, verifyPassword } from '../../../host/identity/password.ts'

vi.mock('@noble/hashes/scrypt.js', async (original) => {
  const real = await original<{ scryptAsync: typeof scryptAsync }>()
  return { ...real, scryptAsync: vi.fn(real.scryptAsync) }
})

const derived = vi.mocked(scryptAsync)
beforeEach(() => void derived.mockClear())

describe('the reference host’s check of a password', () => {
  it('does the same work for an account without a hash, and refuses [ORG-33]', async () => {
    const stored = await hashPassword('correct horse')
    derived.mockClear()
    expect(await verifyPassword('correct horse', stored)).toBe(true)
    for (const password of ['correct horse', '', 'x'.repeat(1000)]) {
      expect(await verifyPassword(password, null)).toBe(false)
    }
    const work = derived.mock.calls.map(([, salt, parameters]) => [salt.length, parameters])
    expect(work).toHaveLength(4)
    for (const same of work) expect(same).toEqual(work[0])
  })

  it('finds no password that is right where there is not one [ORG-33]', async () => {
    const bytes = new Uint8Array(32)
    derived.mockResolvedValueOnce(bytes)
    expect(await verifyPassword('whatever gives nothing but zeros', null)).toBe(false)
    derived.mockResolvedValueOnce(new Uint8Array(0))
    expect(await verifyPassword('whatever gives nothing', null)).toBe(false)
  })

  it('distinguishes one password from another, and one hash from the next', async () => {
    const password = 'correct horse'
    const [one, other] = await Promise.all([hashPassword(password), hashPassword(password)])
    expect(one).not.toBe(other)
    expect(await verifyPassword(password, one)).toBe(true)
    expect(await verifyPassword('correct house', one)).toBe(false)
    expect(one).not.toContain(password)
  })
})
