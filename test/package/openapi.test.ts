/**
 * The document of the routes: as the code has it, valid, complete, and true to the exchanges that
 * `test/workers/openapi` has recorded.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Validator } from '@seriousme/openapi-schema-validator'
import Ajv2020 from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { DOCUMENT, documentText, readRecorded } from '../../scripts/openapi/document.ts'
import { SCIM_TYPE } from '../../scripts/openapi/scim-paths.ts'
import { root } from '../../scripts/run-wrangler.ts'

interface Content {
  readonly content?: Readonly<Record<string, { readonly schema?: Schema }>>
}
interface Schema {
  readonly $ref?: string
  readonly oneOf?: readonly Schema[]
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
const { routes, exchanges } = await readRecorded()
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    name: `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`,
    operation,
  }))
)
const names = operations.map(({ name }) => name)

/** Mounted routes that the document does not have. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  'GET /openapi.json': 'It is the document itself.',
}

/** The functions that make routes; the application of `test/workers/openapi` mounts each. */
const MAKERS = /(?<=export \{[^}]*)\b[a-z]\w*(?:Routes|Router|Webhooks)\b/g
const MOUNTED = [
  'seatgateRouter',
  'paymentRoutes',
  'billingWebhooks',
  'stepUpRoutes',
  'openapiRoutes',
  'keyRoutes',
  'groupRoutes',
  'roleRoutes',
  'scimTokenRoutes',
  'scimRoutes',
  'impersonationRoutes',
]

/** Those that `seatgateRouter` is made of. */
const IN_ROUTER = [
  'organizationRoutes',
  'seatRoutes',
  'memberRoutes',
  'userRoutes',
  'sessionRoutes',
  'invitationRoutes',
  'joiningRoutes',
  'inviteLinkRoutes',
  'auditRoutes',
  'forwardingRoutes',
  'logRoutes',
  'billingRoutes',
  'operatorRoutes',
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

/** The codes of refusals that an operation documents. */
function codesOf({ responses }: Operation): readonly string[] {
  return Object.values(responses).flatMap(({ content }) => {
    const schema = content?.['application/problem+json']?.schema
    const refs = schema?.oneOf ?? (schema ? [schema] : [])
    return refs.flatMap(({ $ref }) => $ref?.split('/').at(-1) ?? [])
  })
}

describe('openapi.json', () => {
  it('agrees with the types, the checks of inputs and the recorded exchanges', async () => {
    expect(text === (await documentText()), 'run: npm run openapi').toBe(true)
  })

  it('is a valid document of OpenAPI 3.1', async () => {
    const checked = await new Validator().validate(text)
    expect(checked.errors ?? []).toEqual([])
    expect(checked.valid).toBe(true)
  })

  it('has every route that is mounted but those with a reason, and no other', () => {
    const expected = routes.filter((route) => LEFT_OUT[route] === undefined)
    expect(names.toSorted()).toEqual(expected.toSorted())
    expect(Object.keys(LEFT_OUT).filter((route) => !routes.includes(route))).toEqual([])
  })

  it('has the routes of every function that makes routes', async () => {
    const entries = ['', 'keys/', 'groups/', 'roles/', 'impersonation/', 'scim/']
    const texts = entries.map((entry) => readFile(join(root, `src/hono/${entry}index.ts`), 'utf8'))
    const makers = (await Promise.all(texts)).join('\n').match(MAKERS) ?? []
    expect([...new Set(makers)].toSorted()).toEqual([...MOUNTED, ...IN_ROUTER].toSorted())
  })

  it('has an exchange of each operation that succeeds', () => {
    const succeeded = new Set(
      exchanges.filter(({ status }) => status < 400).map(({ method, path }) => `${method} ${path}`)
    )
    expect(names.filter((name) => !succeeded.has(name))).toEqual([])
  })

  it('has an exchange of each refusal of each operation', () => {
    const got = new Set(
      exchanges.map(({ method, path, answer }) => {
        return `${method} ${path} ${(answer as { code?: string } | undefined)?.code ?? ''}`
      })
    )
    const unseen = operations.flatMap(({ name, operation }) =>
      codesOf(operation)
        .map((code) => `${name} ${code}`)
        .filter((refusal) => !got.has(refusal))
    )
    expect(unseen, 'record it').toEqual([])
  })

  it('has an exchange of each status of each operation of SCIM', () => {
    const got = new Set(exchanges.map(({ method, path, status }) => `${method} ${path} ${status}`))
    const documented = operations
      .filter(({ name }) => name.includes(' /scim/'))
      .flatMap(({ name, operation }) =>
        Object.keys(operation.responses).map((status) => `${name} ${status}`)
      )
    expect(documented.length).toBeGreaterThan(50)
    expect(
      documented.filter((one) => !got.has(one)),
      'record it'
    ).toEqual([])
  })

  it.each(exchanges.map((one) => [`${one.method} ${one.path} ${one.status}`, one] as const))(
    'describes the answer of %s',
    (name, { method, path, status, answer }) => {
      if (LEFT_OUT[`${method} ${path}`] !== undefined) return
      const place = path.replaceAll(/:(\w+)/g, '{$1}')
      const response = document.paths[place]?.[method.toLowerCase()]?.responses[String(status)]
      expect(response, `${name}: the status is not in the document`).toBeDefined()
      if (answer === undefined) return
      const { code } = answer as { code?: string }
      const isScim = path.startsWith('/scim/')
      const plain = isScim ? SCIM_TYPE : 'application/json'
      const type = code === undefined ? plain : 'application/problem+json'
      const schema = response?.content?.[type]?.schema
      const validate = ajv.compile(closed(schema) as object)
      expect(validate(answer) ? [] : validate.errors, JSON.stringify(answer)).toEqual([])
    }
  )
})
