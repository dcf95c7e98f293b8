/**
 * The operations and refusals, as the types of the routes have them.
 *
 * @module
 */
import { join } from 'node:path'
import { API, type Checker, type Type } from 'typescript/unstable/sync'
import { titleOf, statusOf } from '../../src/hono/problem.ts'
import type { RefusalCode } from '../../src/base/result.ts'
import { root } from '../run-wrangler.ts'
import { schemaOf, type Schema } from './schema-of-type.ts'

/** An operation, as the types of the routes have it. */
export interface TypedOperation {
  readonly method: string
  readonly path: string
  readonly input: Readonly<Record<string, Schema>>
  readonly responses: readonly TypedResponse[]
}

export interface TypedResponse {
  readonly status: number
  readonly codes: readonly string[]
  readonly schema: Schema
}

/** Reads the types. */
export function readTypes(): {
  operations: readonly TypedOperation[]
  problems: Record<string, Schema>
} {
  const api = new API({ cwd: root })
  try {
    const config = join(root, 'tsconfig.openapi.json')
    const project = api.updateSnapshot({ openProjects: [config] }).getProject(config)
    if (project === undefined) throw new Error(`${config} is no project.`)
    const { checker, program } = project
    const file = program.getSourceFile(join(root, 'scripts/openapi/types.ts'))
    const module = file && checker.getSymbolAtLocation(file)
    if (module === undefined) throw new Error('scripts/openapi/types.ts is no module.')
    const exported = (name: string): Type => {
      const symbol = checker.getExportsOfModule(module).find((one) => one.name === name)
      if (symbol === undefined) throw new Error(`types.ts does not export ${name}.`)
      return checker.getDeclaredTypeOfSymbol(symbol)
    }
    const operations = membersOf(checker, exported('Routes')).flatMap(([path, methods]) =>
      membersOf(checker, methods).map(([method, route]) =>
        operationFrom(checker, method.slice(1).toUpperCase(), path, route)
      )
    )
    const problems = membersOf(checker, exported('Problems')).map(
      ([code, type]) => [code, problemOf(code as RefusalCode, schemaOf(checker, type))] as const
    )
    return { operations, problems: Object.fromEntries(problems) }
  } finally {
    api.close()
  }
}

function membersOf(checker: Checker, type: Type): readonly (readonly [string, Type])[] {
  return checker
    .getPropertiesOfType(type)
    .flatMap((symbol) => {
      const member = checker.getTypeOfSymbol(symbol)
      return member ? [[symbol.name, member] as const] : []
    })
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
}

function operationFrom(
  checker: Checker,
  method: string,
  path: string,
  route: Type
): TypedOperation {
  const members = route.isUnionType() ? route.getTypes() : [route]
  const each = members.map((member) => new Map(membersOf(checker, member)))
  const input = each[0]?.get('input')
  return {
    method,
    path,
    input: Object.fromEntries(
      (input ? membersOf(checker, input) : []).map(([name, type]) => [
        name,
        schemaOf(checker, type),
      ])
    ),
    responses: each.flatMap((member): TypedResponse[] => {
      const output = member.get('output')
      const schema = output ? schemaOf(checker, output) : {}
      const statuses = member.get('status')
      return (statuses?.isUnionType() ? statuses.getTypes() : [statuses]).map((status) => ({
        status: Number(literalOf(status)),
        codes: codesIn(schema),
        schema,
      }))
    }),
  }
}

function literalOf(type: Type | undefined): unknown {
  return type?.isLiteralType() ? type.value : undefined
}

/** The codes of a refusal's schema: its own, or those of each member of a union. */
function codesIn(schema: Schema): readonly string[] {
  const each = (schema['anyOf'] as Schema[] | undefined) ?? [schema]
  return each.flatMap((one) => {
    const { code } = (one['properties'] ?? {}) as { code?: { const?: string; enum?: string[] } }
    return code?.enum ?? (code?.const ? [code.const] : [])
  })
}

// Members learn the numbers; users who are not members yet do not.
const SEAT_NUMBERS = ['limit', 'used']

function problemOf(code: RefusalCode, schema: Schema): Schema {
  const properties = schema['properties'] as Record<string, Schema>
  const required = (schema['required'] as readonly string[]).filter(
    (name) => code !== 'seat_limit_reached' || !SEAT_NUMBERS.includes(name)
  )
  return {
    ...schema,
    required,
    description: titleOf(code),
    properties: {
      ...properties,
      type: { const: `urn:seatgate:refusal:${code}` },
      status: { const: statusOf(code) },
    },
  }
}
