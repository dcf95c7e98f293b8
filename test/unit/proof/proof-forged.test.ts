import { describe, expect, it } from 'vitest'
import { exportLines, verifyExport } from '../../../src/proof/verify-export.ts'
import { parseStrictJson } from '../../../src/proof/strict-json.ts'
import { FORGED, HONEST, type ExportCase } from './export-cases.ts'

const verify = ({ bytes, checkpoints }: ExportCase) =>
  verifyExport(exportLines(bytes()), checkpoints)

describe('verifyExport accepts an honest export [A4 A5 A6]', () => {
  it.each(HONEST)('$name', async (each) => {
    expect((await verify(each)).finding).toBeNull()
  })
})

describe('verifyExport refuses a forged export [A4 A6]', () => {
  it.each(FORGED)('$name: $kind', async (each) => {
    const { finding } = await verify(each)
    expect(finding?.kind).toBe(each.kind)
    if (each.line !== undefined) expect(finding?.line).toBe(each.line)
  })

  it('reports how many events are proven: zero [A4]', async () => {
    const [cut] = FORGED.filter(({ name }) => name === 'all lines cut, an unsealed record')
    expect(await verify(cut!)).toMatchObject({ events: 1, proven: 0, horizon: 24 })
  })

  it('accepts a list of empty events nowhere: an export has an end [A6]', async () => {
    expect((await verifyExport([], [])).finding?.kind).toBe('incomplete')
  })
})

describe('parseStrictJson [A6]', () => {
  it.each([
    '{"a":{"a":1},"b":[{"a":1},{"a":2}]}',
    '{"a":"a","b":"a","c":["a","a"]}',
    '["{\\"a\\":1,\\"a\\":1}","\\\\",""]',
    '[0,-1,1.5,1e+21,1e-7,5e-324,9007199254740991]',
    ' { "a" : [ true , null ] } ',
  ])('reads %s as JSON.parse does', (text) => {
    expect(parseStrictJson(text)).toEqual(JSON.parse(text))
  })

  it.each([
    '{"a":1,"a":1}',
    '[{"b":[{"a":1,"\\u0061":2}]}]',
    '{"":1,"":2}',
    '{"a":"\\\\","a":1}',
    '{"\\\\":1,"\\\\":1}',
    '[1.0]',
    '[1e2]',
    '[-0]',
    '[9007199254740993]',
    '[1e400]',
    `${'['.repeat(65)}${']'.repeat(65)}`,
    '',
    '{',
  ])('refuses %s', (text) => {
    expect(() => parseStrictJson(text)).toThrow(SyntaxError)
  })
})
