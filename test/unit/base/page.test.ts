import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { parsePage, toPage, type PageInput, type Position } from '../../../src/base/page.ts'

const Place = v.tuple([v.number(), v.string()])
const INVALID_CURSOR = { ok: false, error: { code: 'invalid_cursor' } }

interface Row {
  at: number
  id: string
}
const rows: readonly Row[] = [3, 2, 2, 2, 1].map((at, index) => ({ at, id: `row-${9 - index}` }))
const position = ({ at, id }: Row): Position => [at, id]

/** What a keyset query answers: what comes after the place, one more than asked for. */
function read(input: PageInput) {
  const request = parsePage(input, Place)
  if (!request.ok) throw new Error(request.error.code)
  const { limit, after } = request.value
  const rest = rows.filter(
    ({ at, id }) => after === null || at < after[0] || (at === after[0] && id < after[1])
  )
  return toPage(rest.slice(0, limit + 1), limit, ({ id }) => id, position)
}

describe('a page', () => {
  it('has 50 entries from the start, unless asked otherwise', () => {
    expect(parsePage({}, Place)).toEqual({ ok: true, value: { limit: 50, after: null } })
    expect(parsePage({ limit: undefined, cursor: undefined }, Place)).toMatchObject({ ok: true })
  })

  it.each([
    [1, 1],
    ['1', 1],
    [200, 200],
    ['200', 200],
  ])('takes the limit %j', (limit, value) => {
    expect(parsePage({ limit }, Place)).toMatchObject({ value: { limit: value } })
  })

  it.each([
    0,
    -1,
    201,
    1.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    '',
    ' ',
    'abc',
    '0',
    '1.5',
    '1e9',
  ])('refuses the limit %j [AUD-33]', (limit) => {
    expect(parsePage({ limit }, Place)).toEqual({
      ok: false,
      error: { code: 'validation_error', errors: { limit: [expect.stringContaining('1 to 200')] } },
    })
  })

  it.each([1, 2, 3, 4, 5])('shows every row once, %i at a time, over equal times too', (limit) => {
    const seen: string[] = []
    let cursor: string | null | undefined
    for (let pages = 0; cursor !== null; pages++) {
      expect(pages).toBeLessThan(6)
      const page = read({ limit, cursor })
      expect(page.data.length).toBeLessThanOrEqual(limit)
      seen.push(...page.data)
      cursor = page.nextCursor
    }
    expect(seen).toEqual(rows.map(({ id }) => id))
  })

  it('has no next one when it shows the last row, be it full or empty [AUD-32]', () => {
    expect(read({ limit: 5 }).nextCursor).toBeNull()
    expect(read({ limit: 4 }).nextCursor).not.toBeNull()
    expect(toPage([], 5, String, () => [])).toEqual({ data: [], nextCursor: null })
  })
})

describe('a cursor', () => {
  const cursorOf = (place: Position) => toPage([1, 2], 1, String, () => place).nextCursor ?? ''

  it.each([
    [[0, '']],
    [[1795178096789, 'a0000000-0000-4000-8000-000000000000']],
    [[-1, '???>>>~~~']],
    [[1.5, '"quoted", [brackets]']],
    [[1, 'Zoë, 用户, \u{1f600}, \u2028']],
  ])('is read as the place %j from which it was made [AUD-35]', (place) => {
    expect(parsePage({ cursor: cursorOf(place) }, Place)).toMatchObject({ value: { after: place } })
  })

  it('needs no encoding in a URL', () => {
    for (let length = 0; length < 20; length++) {
      expect(cursorOf([length, '?>~'.repeat(length)])).toMatch(/^[\w-]+$/)
    }
  })

  it.each([
    [''],
    ['garbage'],
    ['%%%'],
    [btoa('[1,')],
    [btoa('null')],
    [btoa('{}')],
    [btoa('[]')],
    [btoa('[1]')],
    [btoa('["1","x"]')],
    [btoa('[1,2]')],
    [btoa('[null,"x"]')],
  ])('is refused when it is %j [AUD-35]', (cursor) => {
    expect(parsePage({ cursor }, Place)).toEqual(INVALID_CURSOR)
  })

  it('is refused when it was cut short, wherever [AUD-35]', () => {
    const cursor = cursorOf([1795178096789, 'row-1'])
    for (let length = 0; length < cursor.length; length++) {
      expect(parsePage({ cursor: cursor.slice(0, length) }, Place)).toEqual(INVALID_CURSOR)
    }
  })

  it.each([
    ['another list’s', btoa('[1,"x"]')],
    ['one with too much in it', btoa('[1,2]')],
  ])('is refused when it is %s [AUD-35]', (_what, cursor) => {
    expect(parsePage({ cursor }, v.strictTuple([v.number()]))).toEqual(INVALID_CURSOR)
  })

  it('is looked at after the limit', () => {
    expect(parsePage({ limit: 0, cursor: 'x' }, Place)).toMatchObject({
      error: { code: 'validation_error' },
    })
  })
})
