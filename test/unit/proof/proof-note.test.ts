import { describe, expect, it } from 'vitest'
import { openCheckpoint, originOf, signCheckpoint } from '../../../src/proof/verify-proof.ts'
import { rootOver } from '../../../src/proof/merkle.ts'
import { generateLogKey, noteSigner, openNote } from '../../../src/proof/note.ts'

// The example that Go's own package golang.org/x/mod/sumdb/note comes with.
const PRIVATE = 'PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz'
const PUBLIC = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'
const TEXT =
  "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
const NOTE = `${TEXT}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n`

describe('a signed note', () => {
  it('is signed as Go signs it', async () => {
    const signer = await noteSigner(PRIVATE)
    expect(signer.publicKey).toBe(PUBLIC)
    expect(await signer.sign(TEXT)).toBe(NOTE)
  })

  it('is opened with its key, alone, among others and beside other signatures', async () => {
    const other = await generateLogKey('other.example')
    expect(await openNote(NOTE, [PUBLIC])).toBe(TEXT)
    expect(await openNote(NOTE, [other.publicKey, `${PUBLIC}\n`])).toBe(TEXT)
    expect(await openNote(NOTE, [other.publicKey])).toBeNull()
    const [, signature] = (await (await noteSigner(other.privateKey)).sign(TEXT)).split('\n\n')
    expect(await openNote(`${NOTE}${signature}`, [PUBLIC])).toBe(TEXT)
    expect(await openNote(`${NOTE}${signature}`, [other.publicKey])).toBe(TEXT)
  })

  it('is not opened if a single bit of it is another', async () => {
    const bytes = new TextEncoder().encode(NOTE)
    for (let at = 0; at < bytes.length; at++) {
      const changed = bytes.map((byte, index) => (index === at ? byte ^ (1 << (at % 7)) : byte))
      expect(await openNote(new TextDecoder().decode(changed), [PUBLIC]), String(at)).toBeNull()
    }
  })

  it.each([
    '',
    '\n',
    '\n\n',
    TEXT,
    `${TEXT}\n`,
    NOTE.trimEnd(),
    `${NOTE}\n`,
    `${NOTE} `,
    'x\n\n— a b\n',
  ])('is not %j', async (note) => expect(await openNote(note, [PUBLIC])).toBeNull())

  it.each(['', 'x', PUBLIC.replace('c74f20a3', 'c74f20a4'), PUBLIC.slice(0, -4), PRIVATE])(
    'is not opened with %j for a key',
    async (key) => expect(await openNote(NOTE, [key])).toBeNull()
  )

  it.each(['', 'PRIVATE+KEY+x', PUBLIC, PRIVATE.replace('c74f20a3', 'c74f20a4')])(
    'is not signed with %j, and the error does not disclose it',
    async (key) => {
      await expect(noteSigner(key)).rejects.toThrow(TypeError)
      await expect(noteSigner(key)).rejects.not.toThrow(/AYEKFALV/)
    }
  )

  it('has keys whose names have neither blanks nor a plus', async () => {
    for (const name of ['', 'a b', 'a+b', 'a\nb']) {
      await expect(generateLogKey(name)).rejects.toThrow(TypeError)
    }
    const { privateKey, publicKey } = await generateLogKey('audit.example.com')
    expect((await noteSigner(privateKey)).publicKey).toBe(publicKey)
  })
})

describe('a checkpoint', () => {
  it('is three lines: origin, size and root, as C2SP has it', async () => {
    const signer = await noteSigner(PRIVATE)
    const origin = originOf(signer.name, 'org')
    const root = rootOver([])
    const note = await signCheckpoint(signer, { origin, size: 0, root })
    expect(note.split('\n').slice(0, 4)).toEqual([
      'PeterNeumann/org',
      '0',
      '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
      '',
    ])
    expect(await openCheckpoint(note, [PUBLIC])).toEqual({ origin, size: 0, root })
  })

  it.each([
    ['a size with a zero before it', 'o\n01\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n'],
    ['a negative size', 'o\n-1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n'],
    ['a root that is too short', 'o\n1\nAAAA\n'],
    ['no origin', '\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n'],
    ['nothing', 'o\n'],
  ])('has not %s, signed or not', async (_what, text) => {
    const note = await (await noteSigner(PRIVATE)).sign(text)
    expect(await openNote(note, [PUBLIC])).toBe(text)
    expect(await openCheckpoint(note, [PUBLIC])).toBeNull()
  })

  it('may have further lines for other readers', async () => {
    const text = 'o\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\nmore\n'
    const note = await (await noteSigner(PRIVATE)).sign(text)
    expect(await openCheckpoint(note, [PUBLIC])).toMatchObject({ origin: 'o', size: 1 })
  })
})
