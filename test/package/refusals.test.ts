import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { declaredExports } from '../../scripts/reference.ts'
import { root } from '../../scripts/run-wrangler.ts'

const exported = (await declaredExports(join(root, 'dist'))).get('seatgate') ?? []
const types = new Map(
  exported.flatMap(({ name, kind, declaration }) => (kind === 'type' ? [[name, declaration]] : []))
)
const functions = exported.filter(({ kind }) => kind === 'function')
const refusalTypeOf = (name: string) => `${name[0]?.toUpperCase()}${name.slice(1)}Refusal`
const operations = functions.filter(({ name }) => types.has(refusalTypeOf(name)))

// These may still answer any code. `commitTogether` and the sign-up pass on what the host answers.
const WITHOUT_TYPE = [
  'acceptInvitationWithSignup',
  'commitTogether',
  'composeLifecycle',
  'logEvent',
]

/** The codes that a union names, itself or by the unions it is built from. */
function codesOf(type: string): readonly string[] {
  const declaration = types.get(type)
  if (declaration === undefined) throw new Error(`${type} is not exported.`)
  const [, union = ''] = declaration.split('=')
  return [...union.matchAll(/['"]([a-z_]+)['"]|\b([A-Z]\w+)\b/g)].flatMap(([, code, group]) =>
    group === undefined ? [code ?? ''] : codesOf(group)
  )
}

/** The codes that a docstring says, by themselves or by the name of a group. Notes stand in brackets. */
function codesSaid(docstring: string): readonly string[] {
  const [, said = ''] = /^Refusals: ([^]*?)(?:\n\n|(?![^]))/m.exec(docstring) ?? []
  const [list = ''] = said.replaceAll(/\([^()]*\)/g, '').split(';')
  return [...list.matchAll(/`(\w+)`/g)].flatMap(([, name = '']) =>
    /^[A-Z]/.test(name) ? codesOf(name) : [name]
  )
}

const sorted = (codes: readonly string[]) => [...new Set(codes)].toSorted()

const errors = await readFile(join(root, 'docs/errors.md'), 'utf8')
const documented = new Set([...errors.matchAll(/^\| `(\w+)`/gm)].map(([, code]) => code))

describe('the refusals of an operation', () => {
  it.each(operations.map(({ name, docstring }) => ({ name, docstring })))(
    '$name: its docstring says those of its type',
    ({ name, docstring }) => {
      expect(sorted(codesSaid(docstring))).toEqual(sorted(codesOf(refusalTypeOf(name))))
    }
  )

  it('have a row each in docs/errors.md', () => {
    const codes = operations.flatMap(({ name }) => codesOf(refusalTypeOf(name)))
    expect(sorted(codes).filter((code) => !documented.has(code))).toEqual([])
  })

  it('are those that the operation returns, and those without a type can only become fewer', () => {
    const returning = functions.filter(({ declaration }) =>
      /Promise<Result<[^]*>>;?$/.test(declaration)
    )
    const named = returning.filter(({ name, declaration }) =>
      declaration.includes(`, ${refusalTypeOf(name)}>>`)
    )
    expect(named.map(({ name }) => name)).toEqual(operations.map(({ name }) => name))
    expect(returning.filter((each) => !named.includes(each)).map(({ name }) => name)).toEqual(
      WITHOUT_TYPE
    )
  })
})
