import { expect, it } from 'vitest'

declare global {
  interface ImportMeta {
    glob(patterns: readonly string[], options: object): Record<string, string>
  }
}

const files = import.meta.glob(
  ['../../README.md', '../../examples/minimal/worker.ts', '../../examples/minimal/wrangler.toml'],
  { query: '?raw', import: 'default', eager: true }
)
const textOf = (path: string) => files[`../../${path}`] ?? ''
const blockOf = (language: string) =>
  new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'm').exec(textOf('README.md'))?.[1]

it('README.md shows the files of examples/minimal exactly', () => {
  expect(blockOf('ts')).toBe(textOf('examples/minimal/worker.ts'))
  expect(blockOf('toml')).toBe(textOf('examples/minimal/wrangler.toml'))
})

it('README.md has the same configuration as TOML and as JSON', () => {
  const jsonc = (blockOf('jsonc') ?? '').replaceAll(/,(\s*[}\]])/g, '$1')
  const { d1_databases: databases, ...rest } = JSON.parse(jsonc) as {
    readonly d1_databases: readonly object[]
  }
  const inToml = [...(blockOf('toml') ?? '').matchAll(/^(\w+) = "([^"]*)"/gm)].map(
    ([, name = '', value]) => [name, value]
  )
  expect({ ...rest, ...databases[0] }).toEqual(Object.fromEntries(inToml))
})

it('README.md has at most 1,000 words', () => {
  expect(textOf('README.md').split(/\s+/).filter(Boolean).length).toBeLessThanOrEqual(1000)
})
