import * as fc from 'fast-check'
import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { returnPathOf, safeReturnPath } from '../../../src/hono/page-refusals.ts'
import { atScale } from '../../kit/scale.ts'

const RUNS = atScale({ share: 100, thorough: 3000 })

const ORIGIN = 'https://app.example'

describe('safeReturnPath', () => {
  it.each([
    '//evil.example',
    '//',
    '///evil.example',
    '/\\evil.example',
    '/\\/evil.example',
    '\\\\evil.example',
    '\\/evil.example',
    '/a\\b',
    '/a?next=\\',
    '/a#\\',
    'https://evil.example',
    'https:evil.example',
    'https:/evil.example',
    'http://app.example/a',
    'https://app.example/a',
    'javascript:alert(1)',
    'data:text/html,x',
    'host',
    'evil.example/a',
    '.',
    './a',
    '?a=1',
    '#a',
    '',
    ' /a',
    '\t/a',
    '/\t/evil.example',
    '/\n/evil.example',
    '/\r\n/evil.example',
    '/a\r\nset-cookie: a=b',
    '/a\u0000',
    '/a\u0009b',
    '/a\u007f',
    '/a\u0085',
    '/a\u009f',
    '/.//evil.example',
    '/./\t/evil.example',
    '/..//evil.example',
    '/a/..//evil.example',
    '/%2e//evil.example',
    '/%2E%2e//evil.example',
    '/a/%2e.//evil.example',
    '/.//',
    '//@evil.example',
    '//app.example',
  ])('falls back to "/" for %j [PIPE-57]', (path) => {
    expect(safeReturnPath(path, ORIGIN)).toBe('/')
    expect(safeReturnPath(path, ORIGIN, '/home')).toBe('/home')
  })

  it.each([undefined, null, 7, true, {}, ['/a'], new URL('https://app.example/a')])(
    'falls back to "/" without a text: %j [PIPE-57]',
    (path) => {
      expect(safeReturnPath(path, ORIGIN)).toBe('/')
    }
  )

  it.each([
    ['/', '/'],
    ['/a', '/a'],
    ['/a/b?c=d&e=%2F%2Fevil.example#f', '/a/b?c=d&e=%2F%2Fevil.example#f'],
    ['/a//b', '/a//b'],
    ['/a?next=//evil.example', '/a?next=//evil.example'],
    ['/a?next=https://evil.example', '/a?next=https://evil.example'],
    ['/@evil.example', '/@evil.example'],
    ['/:443', '/:443'],
    ['/%2F%2Fevil.example', '/%2F%2Fevil.example'],
    ['/%5Cevil.example', '/%5Cevil.example'],
    ['/%09/evil.example', '/%09/evil.example'],
    ['/a/../b', '/b'],
    ['/./a', '/a'],
    ['/ü ?ö=ä', '/%C3%BC%20?%C3%B6=%C3%A4'],
  ])('keeps %j, as browsers write it: %j', (path, kept) => {
    expect(safeReturnPath(path, ORIGIN)).toBe(kept)
  })

  it('never returns a path to another site, for any input [PIPE-57]', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        ...'/ \\ . .. // /. /\\ ? # @ : %2f %2F %5c %5C %2e %2E %09 %0a %00 &'.split(' '),
        '\t',
        '\n',
        '\r',
        '\0',
        '\u007f',
        '\u2028',
        '\u3002',
        '\uff0f',
        '\ud800',
        ' ',
        'evil.example',
        'https:',
        'javascript:',
        'app.example'
      ),
      fc.string({ unit: 'binary', maxLength: 4 })
    )
    const anyPath = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''))
    const likely = anyPath.map((rest) => `/${rest}`)
    let kept = 0
    fc.assert(
      fc.property(fc.oneof(anyPath, likely), (path) => {
        const safe = safeReturnPath(path, ORIGIN)
        expect(safe).toMatch(/^\/(?!\/)[\x21-\x5b\x5d-\x7e]*$/)
        const target = new URL(safe, ORIGIN)
        expect(target.origin).toBe(ORIGIN)
        expect(target.href, 'a browser changes nothing about it').toBe(ORIGIN + safe)
        expect(safeReturnPath(safe, ORIGIN), 'it stays as it is').toBe(safe)
        if (safe !== '/') {
          kept += 1
          expect(path.startsWith('/')).toBe(true)
          const { pathname, search, hash } = new URL(path, ORIGIN)
          expect(safe).toBe(pathname + search + hash)
        }
      }),
      { numRuns: RUNS, seed: 57 }
    )
    expect(kept, 'not everything was refused').toBeGreaterThan(RUNS / 10)
  })
})

describe('returnPathOf', () => {
  const app = new Hono().all('*', (c) => c.json(returnPathOf(c, '/organizations/acme')))
  const of = async (path: string, method = 'GET') =>
    (await app.request(`https://app.example${path}`, { method })).json()

  it.each([
    ['/o/acme/settings?tab=2&x=%2F', '/o/acme/settings?tab=2&x=%2F'],
    ['/', '/'],
    ['//evil.example', '/organizations/acme'],
    ['//evil.example/a?b', '/organizations/acme'],
    ['/\\evil.example', '/organizations/acme'],
  ])('makes of a request to %j the way back %j [PIPE-46]', async (path, back) => {
    expect(await of(path)).toBe(back)
  })
  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])('makes no way back of a %s [C3]', async (method) => {
    expect(await of('/o/acme/settings', method)).toBeNull()
  })
})
