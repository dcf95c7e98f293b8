import { describe, expect, it } from 'vitest'

declare global {
  interface ImportMeta {
    glob(patterns: readonly string[], options: object): Record<string, string>
  }
}

const sources = import.meta.glob(['../../src/**/*.ts', '../../host/**/*.ts'], {
  query: '?raw',
  import: 'default',
  eager: true,
})

/** The files of the library and the host that hold such a text outside comments. */
function filesWith(pattern: RegExp): string[] {
  return Object.entries(sources)
    .filter(([, text]) => pattern.test(withoutComments(text)))
    .map(([path]) => path.replace('../../', ''))
    .sort((a, b) => a.localeCompare(b))
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[^]*?\*\/|(^|\s)\/\/.*$/gm, '$1')
}

describe('SEAT-1: the doors', () => {
  it('are looked for in every file', () => {
    expect(filesWith(/./).length).toBeGreaterThan(50)
  })

  it('make memberships at the gate alone', () => {
    expect(filesWith(/\binsert\(\s*memberships\b/)).toEqual(['src/memberships/gate.ts'])
  })

  it('end memberships at the exit alone', () => {
    expect(filesWith(/\bdelete\(\s*memberships\b/)).toEqual(['src/memberships/exit.ts'])
  })

  it('have no way round in SQL', () => {
    const around =
      /\b(?:insert(?:\s+or\s+\w+)?\s+into|replace\s+into|delete\s+from)\s+["'`]?(?:\$\{)?memberships\b/i
    expect(filesWith(around)).toEqual([])
    expect(around.test('INSERT OR REPLACE INTO memberships')).toBe(true)
    expect(around.test('delete from ${memberships}')).toBe(true)
  })

  it('write a seat id nowhere but at the gate', () => {
    expect(filesWith(/\bset\(\s*\{[^}]*\bseatId\b/)).toEqual([])
  })

  it('are these: whoever adds one finds this list', () => {
    expect(filesWith(/\badmission:/)).toEqual([
      'src/memberships/add.ts',
      'src/organizations/create.ts',
    ])
  })

  it('all lead through the one function that makes changes', () => {
    expect(filesWith(/\badmit\(/)).toEqual(['src/memberships/gate.ts', 'src/operations/perform.ts'])
    expect(filesWith(/\bdepart\(/)).toEqual([
      'src/memberships/exit.ts',
      'src/memberships/remove.ts',
    ])
    expect(filesWith(/\bcommit\(/)).toEqual(['src/database/commit.ts', 'src/operations/perform.ts'])
  })

  it('put events on record only beside the change that they tell', () => {
    expect(filesWith(/\binsert\(\s*auditEvents\b/)).toEqual(['src/audit/statements.ts'])
    expect(filesWith(/\brecordEvents\(/)).toEqual([
      'src/audit/statements.ts',
      'src/operations/perform.ts',
    ])
  })
})
