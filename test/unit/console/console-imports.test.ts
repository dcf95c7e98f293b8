import { describe, expect, it } from 'vitest'
import { importsOf } from '../floors/floors.ts'

declare global {
  interface ImportMeta {
    glob(patterns: readonly string[], options: object): Record<string, string>
  }
}

const found = import.meta.glob(['../../../src/console/**/*.{ts,tsx}', '!**/*.d.ts'], {
  query: '?raw',
  import: 'default',
  eager: true,
})

/** Returns the imports of the stores, their tables and statements: of values and of types. */
function storesIn(file: string, text: string): readonly string[] {
  const own = importsOf(file, text).filter((place) => place.startsWith('database/'))
  const others = [...text.matchAll(/from '((?:drizzle-orm|cloudflare:)[^']*)'/g)]
  return [...own, ...others.map(([, name = '']) => name)]
}

describe('the console', () => {
  it('calls operations, and imports no table and no store', () => {
    const files = Object.entries(found).map(
      ([path, text]) => [path.replace('../../../src/', ''), text] as const
    )
    expect(files.length).toBeGreaterThan(30)
    for (const [file, text] of files) expect([file, storesIn(file, text)]).toEqual([file, []])
  })

  it('would be seen with a table, a type of one, or a statement', () => {
    const of = (text: string) => storesIn('console/pages/a.tsx', text)
    expect(of(`import { users } from '../../database/schema/a.ts'`)).toEqual([
      'database/schema/a.ts',
    ])
    expect(of(`import type { Database } from '../../database/database.ts'`)).toEqual([
      'database/database.ts',
    ])
    expect(of(`import { sql } from 'drizzle-orm'`)).toEqual(['drizzle-orm'])
    expect(of(`import { env } from 'cloudflare:workers'`)).toEqual(['cloudflare:workers'])
    expect(of(`import { seatUsage } from '../../operations/seats/usage.ts'`)).toEqual([])
  })
})
