import { describe, expect, it } from 'vitest'
import { arrowsAgainst, FLOORS, folderOf, importsOf, written } from './floors.ts'

declare global {
  interface ImportMeta {
    glob(patterns: readonly string[], options: object): Record<string, string>
  }
}

const found = import.meta.glob(['../../../src/**/*.{ts,tsx}', '!**/*.d.ts'], {
  query: '?raw',
  import: 'default',
  eager: true,
})
const sources = Object.fromEntries(
  Object.entries(found).map(([path, text]) => [path.replace('../../../src/', ''), text])
)

describe('the floors of src', () => {
  it('have a place for every file', () => {
    expect(Object.keys(sources).length).toBeGreaterThan(150)
    expect(Object.keys(sources).filter((file) => folderOf(file) === null)).toEqual([])
  })

  it('have no import up or across', () => {
    expect(arrowsAgainst(sources).map(written)).toEqual([])
  })

  it('repeat no file name but `index.ts` and verbs under operations', () => {
    const byName = Map.groupBy(Object.keys(sources), (place) => place.split('/').at(-1) ?? '')
    byName.delete('index.ts')
    const repeated = [...byName.values()].filter(
      (places) => places.filter((place) => !place.startsWith('operations/')).length > 1
    )
    expect(repeated).toEqual([])
  })
})

describe('the rule of the floors', () => {
  const against = (files: Record<string, string>) => arrowsAgainst(files).map(written)

  it('lets a file import from its own folder and from lower floors', () => {
    expect(
      against({
        'engine/changes/a.ts': `import { b } from './b.ts'\nimport type { c } from '../model/c.ts'\n`,
        'hono/routes/a.ts': `export { b } from '../b.ts'\nconst c = import('../../seatgate.ts')\n`,
      })
    ).toEqual([])
  })

  it.each([
    ['up', 'base/a.ts', '../engine/model/b.ts', 'engine/model/b.ts'],
    ['across', 'engine/access/a.ts', '../audit/b.ts', 'engine/audit/b.ts'],
    ['across, at the bottom', 'base/a.ts', '../proof/b.ts', 'proof/b.ts'],
    [
      'out of a nested folder',
      'operations/seats/a.ts',
      '../joining/b.ts',
      'operations/joining/b.ts',
    ],
    ['up to seatgate.ts', 'operations/seats/a.ts', '../../seatgate.ts', 'seatgate.ts'],
    ['out of testing', 'testing/a.ts', '../base/b.ts', 'base/b.ts'],
    ['into testing', 'hono/a.ts', '../testing/b.ts', 'testing/b.ts'],
    ['to a file without a place', 'hono/a.ts', '../elsewhere/b.ts', 'elsewhere/b.ts'],
  ])(
    'names an import %s, of a value, of a type and in an expression',
    (_where, from, to, place) => {
      const arrow = `${from} → ${place}`
      for (const text of [
        `import { b } from '${to}'`,
        `import type {\n  b,\n} from "${to}"`,
        `export { b } from '${to}'`,
        `import '${to}'`,
        `type B = import('${to}').B`,
      ])
        expect(against({ [from]: text })).toEqual([arrow])
    }
  )

  it('does not read comments', () => {
    expect(importsOf('base/a.ts', `/** from './b.ts' */\n// import './c.ts'\n`)).toEqual([])
  })

  it('lists each folder once', () => {
    expect(new Set(FLOORS.flat()).size).toBe(FLOORS.flat().length)
  })
})
