/**
 * The types of the ready routes for clients: the input of a route, its response, and its refusals by
 * status. Types alone: they do not add to a bundle.
 *
 * @module
 */
import type { Context, TypedResponse } from 'hono'
import type { Schema } from 'hono/types'
import type { StatusCode } from 'hono/utils/http-status'
import type { JSONParsed } from 'hono/utils/types'
import type { BodyRefusal, PlainRefusalCode, RefusalCode, RefusalOf } from '../base/result.ts'
import type { StatusOf } from './problem.ts'
import type { RouterEnv } from './request.ts'

/**
 * The context of a handler with a typed input: `json` for the body, `query` for the parameters. The
 * handler reads it unchecked; the operation checks it.
 */
export type Taking<
  I extends RouteInput,
  // oxlint-disable-next-line typescript/no-explicit-any -- Hono infers the path from the route.
  Path extends string = any,
  E extends object = RouterEnv,
> = Context<E, Path, { in: I; out: I }>

interface RouteInput {
  json?: object
  query?: object
  form?: object
}

/** The query parameters of an input: an instant is written as a text. */
export type QueryOf<T> = { readonly [Name in keyof T]: Exclude<T[Name], Date> }

/** A refusal as the body of a response, for one of these codes: RFC 9457 with the code and its members. */
export type Problem<Code extends RefusalCode = RefusalCode> =
  | ([Extract<Code, PlainRefusalCode>] extends [never]
      ? never
      : ProblemMembers<Extract<Code, PlainRefusalCode>>)
  | (Exclude<Code, PlainRefusalCode> extends infer C extends RefusalCode
      ? C extends RefusalCode
        ? RefusalOf<C> & ProblemMembers<C>
        : never
      : never)

/** The members that every {@link Problem} has. */
export interface ProblemMembers<Code extends RefusalCode = RefusalCode> {
  /** `urn:seatgate:refusal:` and the code. */
  readonly type: string
  readonly title: string
  readonly status: StatusOf<Code>
  readonly code: Code
}

/** The responses to these refusals, one for each status. */
export type ProblemResponse<Code extends RefusalCode = RefusalCode> = {
  [Status in StatusOf<Code>]: Response &
    TypedResponse<Problem<WithStatus<Code, Status>>, Status, 'json'>
}[StatusOf<Code>]

type WithStatus<Code extends RefusalCode, Status> = {
  [C in Code]: StatusOf<C> extends Status ? C : never
}[Code]

/**
 * A value or refusals, as the type of one response: {@link Grouped} makes of it a response for each status.
 * Declarations stay short so, because only the client's compiler expands them.
 */
export interface Outcome<T, Code extends RefusalCode> {
  readonly value: T
  readonly code: Code
}

/** The response to the result of an operation. */
export type Answer<T, Status extends 200 | 201 | 202, Code extends RefusalCode> = Response &
  TypedResponse<Outcome<T, Code>, Status, 'json'>

/** A response without a body, or refusals. */
export type Done<Code extends RefusalCode> = Response &
  TypedResponse<Outcome<null, Code>, 204, 'body'>

/** The refusals that the middleware of a group adds to any of its routes. */
type ReadRefusal = 'invalid_encoding' | 'unavailable' | 'schema_mismatch'
type ChangeRefusal = ReadRefusal | 'cross_site_request'

/**
 * The schema of a group of routes: each {@link Outcome} as responses by status. `Head` is what the
 * group refuses before any of its routes.
 */
export type Grouped<S extends Schema, Head extends RefusalCode> = {
  [Path in keyof S & string]: {
    [Method in keyof S[Path] & `$${Lowercase<string>}`]:
      | Granted<S[Path][Method]>
      | Refused<
          InputOf<S[Path][Method]>,
          | Head
          | CodeOf<S[Path][Method]>
          | (Method extends '$get' ? ReadRefusal : ChangeRefusal)
          | (InputOf<S[Path][Method]> extends { json: unknown } ? BodyRefusal : never)
          | (Method extends '$post' ? 'unsupported_media_type' : never)
        >
  }
}

type Granted<Route> = Route extends {
  input: infer Input
  output: infer Output
  outputFormat: infer Format extends string
  status: infer Status extends StatusCode
}
  ? Output extends Outcome<infer T, RefusalCode>
    ? [T] extends [never]
      ? never
      : { input: Input; output: JSONParsed<T>; outputFormat: Format; status: Status }
    : { input: Input; output: Output; outputFormat: Format; status: Status }
  : never

type InputOf<Route> = Route extends { input: infer Input } ? Input : never

type CodeOf<Route> = Route extends { output: Outcome<unknown, infer Code> } ? Code : never

type Refused<Input, Code extends RefusalCode> = {
  [Status in StatusOf<Code>]: {
    input: Input
    output: Problem<WithStatus<Code, Status>>
    outputFormat: 'json'
    status: Status
  }
}[StatusOf<Code>]
