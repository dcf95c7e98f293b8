/**
 * The document of the routes: as the code has it, valid, complete, and true to the exchanges that
 * `test/workers/openapi` has recorded.
 */
import { readFile } from 'node:fs/promises'
import { Validator } from '@seriousme/openapi-schema-validator'
import Ajv2020 from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { DOCUMENT, EXCHANGES, documentText, type Exchange } from '../../scripts/openapi/document.ts'

interface Content {
  readonly content?: Readonly<Record<string, { readonly schema?: object }>>
}
interface Operation {
  readonly responses: Readonly<Record<string, Content>>
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, object>> }
}

const text = await readFile(DOCUMENT, 'utf8')
const document = JSON.parse(text) as Document
const { routes, exchanges } = JSON.parse(await readFile(EXCHANGES, 'utf8')) as {
  routes: readonly string[]
  exchanges: readonly Exchange[]
}
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.keys(methods).map(
    (method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`
  )
)
/** Operations whose success takes more than the router: a session, a sealed log, rows of the host. */
const WITHOUT: readonly string[] = [
  'PUT /active-organization',
  'GET /organizations/:org/audit/consistency',
  'GET /organizations/:org/audit/proof',
  'POST /organizations/switch',
  'DELETE /users/me',
]
const ajv = new Ajv2020({ strict: false, validateFormats: false })

/** Refuses members that a schema does not name: an answer has no more than the document says. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed)
  if (typeof schema !== 'object' || schema === null) return schema
  const { $ref } = schema as { $ref?: string }
  const code = $ref?.split('/').at(-1)
  if (code !== undefined) return closed(document.components.schemas[code])
  const each = Object.entries(schema).map(([name, one]) => [name, closed(one)] as const)
  const isOpen = !('properties' in schema) || 'additionalProperties' in schema
  return { ...Object.fromEntries(each), ...(!isOpen && { additionalProperties: false }) }
}

describe('openapi.json', () => {
  it('is what the types of the routes and the recorded exchanges say', async () => {
    expect(text === (await documentText()), 'run: npm run openapi').toBe(true)
  })

  it('is a valid document of OpenAPI 3.1', async () => {
    const checked = await new Validator().validate(text)
    expect(checked.errors ?? []).toEqual([])
    expect(checked.valid).toBe(true)
  })

  it('has the operations that the router has, and no other', () => {
    expect(operations.toSorted()).toEqual([...routes].toSorted())
  })

  it('has an exchange of each operation that succeeds, and refusals', () => {
    const succeeded = new Set(
      exchanges.filter(({ status }) => status < 400).map(({ method, path }) => `${method} ${path}`)
    )
    expect(operations.filter((operation) => !succeeded.has(operation))).toEqual(WITHOUT)
    const refused = new Set(
      exchanges.filter(({ status }) => status >= 400).map(({ method, path }) => `${method} ${path}`)
    )
    expect(operations.filter((operation) => !refused.has(operation))).toEqual([])
  })

  it.each(exchanges.map((one) => [`${one.method} ${one.path} ${one.status}`, one] as const))(
    'describes the answer of %s',
    (_name, { method, path, status, answer }) => {
      const place = path.replaceAll(/:(\w+)/g, '{$1}')
      const response = document.paths[place]?.[method.toLowerCase()]?.responses[String(status)]
      expect(response, 'the status is not in the document').toBeDefined()
      if (answer === undefined) return
      const type = status >= 400 ? 'application/problem+json' : 'application/json'
      const schema = response?.content?.[type]?.schema
      const validate = ajv.compile(closed(schema) as object)
      expect(validate(answer) ? [] : validate.errors, JSON.stringify(answer)).toEqual([])
    }
  )
})
