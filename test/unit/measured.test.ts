/**
 * Every exported operation is measured. The list is that of the entry points, and the calls are those of the
 * sources: an operation has `observed` or `perform`, or calls a function that has.
 */
import { expect, it } from 'vitest'

const sources = import.meta.glob(['../../src/**/*.ts'], {
  query: '?raw',
  import: 'default',
  eager: true,
})

const ENTRIES = [
  'index.ts',
  'hono/keys/index.ts',
  'hono/groups/index.ts',
  'hono/scim/index.ts',
  'parts/billing/index.ts',
]

/** Functions without a measurement of their own. */
const UNMEASURED: Readonly<Record<string, string>> = {
  composeLifecycle: 'It sends no query.',
  generateLogKey: 'It sends no query.',
  scopeOfToken: 'It sends no query: the token is checked in the round trip of the operation.',
  sealOrganization: 'The sweep and the queue measure their runs.',
  tendOrganization: 'The sweep and the queue measure their runs.',
  forwardOrganization: 'The sweep and the queue measure their runs.',
  sweepAudit: 'The sweep measures its runs.',
  sweepBilling: 'The sweep measures its runs.',
}

const pathOf = (from: string, to: string) => new URL(to, `file:///${from}`).pathname.slice(1)

const files = new Map(
  Object.entries(sources).map(([path, text]) => [path.replace('../../src/', ''), text])
)
const functions = new Map<string, { readonly file: string; readonly whole: string }>(
  [...files].flatMap(([file, text]) =>
    [...text.matchAll(/^(?:export )?(?:async )?function\*? (\w+)\b[^]*?\n\}\n/gm)].map(
      ([whole, name]) => [`${file}:${name}`, { file, whole }] as const
    )
  )
)

/** The functions that a file imports, by their names in it. */
function importsOf(file: string): ReadonlyMap<string, string> {
  const imports = (files.get(file) ?? '').matchAll(/^import \{([^}]*)\} from '(\.[^']*)'/gm)
  return new Map(
    [...imports].flatMap(([, names = '', from = '']) =>
      names.split(',').map((each) => {
        const [name = '', as = name] = each
          .trim()
          .replace(/^type /, '')
          .split(' as ')
        return [as, `${pathOf(file, from)}:${name}`] as const
      })
    )
  )
}

const known = new Map<string, boolean>()

function isMeasured(id: string): boolean {
  const found = functions.get(id)
  if (found === undefined) return false
  const before = known.get(id)
  if (before !== undefined) return before
  known.set(id, false)
  const { file, whole } = found
  const body = whole.slice(whole.search(/\{\n/))
  const imports = importsOf(file)
  const calls = [...body.matchAll(/(?<![.\w])(\w+)(?:<[^>()]*>)?\(/g)].flatMap(([, name = '']) => [
    `${file}:${name}`,
    ...(imports.has(name) ? [imports.get(name)!] : []),
  ])
  const answer = /\b(?:observed|observedCall|perform)[(<]/.test(body) || calls.some(isMeasured)
  known.set(id, answer)
  return answer
}

it('every exported operation is measured, but those with a reason', () => {
  const operations = ENTRIES.flatMap((entry) =>
    [...(files.get(entry) ?? '').matchAll(/export \{([^}]*)\} from '([^']*)'/g)].flatMap(
      ([, names = '', from = '']) =>
        names.split(',').map((name) => ({ name: name.trim(), file: pathOf(entry, from) }))
    )
  ).filter(({ name, file }) => {
    const { whole = '' } = functions.get(`${file}:${name}`) ?? {}
    return /^export async|Promise</.test(whole.slice(0, whole.search(/\{\n/)))
  })
  expect(operations.length).toBeGreaterThan(140)
  const unmeasured = operations
    .filter(({ name, file }) => !isMeasured(`${file}:${name}`))
    .map(({ name }) => name)
  expect(unmeasured.toSorted()).toEqual(Object.keys(UNMEASURED).toSorted())
})
