/**
 * What the ready routes have in common: from a request to a scope and an input, from a result to an
 * answer.
 *
 * @module
 */
import type { Context } from 'hono'
import { UnreadableInput } from '../input.ts'
import type { OperationOptions } from '../operations/perform.ts'
import { invalid } from '../refusal.ts'
import type { Result } from '../result.ts'
import type { Caller, OrganizationScope, Scope } from '../scope.ts'
import { marksOfRequest } from './authenticate.ts'
import { readBody } from './body.ts'
import { problemResponse } from './problem.ts'

/** The environment of the ready routes: who is asking, established or by a query. */
export interface RouterEnv {
  Variables: { readonly asking: Caller }
}

export function scopeOf(c: Context<RouterEnv>): Scope {
  return { caller: c.var.asking, ...marksOfRequest(c) }
}

export function inOrganization(c: Context<RouterEnv>): OrganizationScope {
  return { ...scopeOf(c), organization: c.req.param('org') ?? '' }
}

/**
 * Reads body and `Idempotency-Key`. A bad key is bad input, and waits its turn like any other; so does a
 * body of another type, also on routes that need none.
 */
export async function readOperation(
  c: Context,
  read: (c: Context) => Promise<unknown> = readBody
): Promise<{ readonly input: unknown; readonly options: OperationOptions }> {
  const operationId = c.req.header('idempotency-key')
  if (operationId === undefined || /^[\x21-\x7e]{1,255}$/.test(operationId)) {
    const input = await read(c)
    return {
      input,
      options: {
        ...(operationId !== undefined && { operationId }),
        ...(isOfAnotherType(input) && { unreadableId: input }),
      },
    }
  }
  const errors = { 'Idempotency-Key': ['Must be 1 to 255 visible ASCII characters.'] }
  const unreadable = new UnreadableInput(invalid(errors))
  return { input: unreadable, options: { unreadableId: unreadable } }
}

/**
 * Reads the query: strings, checked where they are used. A parameter that is there twice is a list of
 * its values, which no parameter takes.
 */
export function readQuery(c: Context): Record<string, never> {
  const values = Object.entries(c.req.queries()).map(
    ([name, given]) => [name, given.length === 1 ? given[0] : given] as const
  )
  return Object.fromEntries(values) as Record<string, never>
}

function isOfAnotherType(input: unknown): input is UnreadableInput {
  return input instanceof UnreadableInput && input.refusal.code === 'unsupported_media_type'
}

export function answer<T extends object>(
  c: Context,
  result: Result<T>,
  status: 200 | 201 | 202 = 200
) {
  return result.ok ? c.json(result.value, status) : problemResponse(result.error)
}

/** Answers what has nothing to say but that it is done. */
export function done(c: Context, result: Result<unknown>) {
  return result.ok ? c.body(null, 204) : problemResponse(result.error)
}
