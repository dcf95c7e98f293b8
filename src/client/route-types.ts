/**
 * The types of a client, read from the type of a router: a router that mounts other routes, or fewer, has
 * another client.
 *
 * @module
 */
import type { ExtractSchema } from 'hono/types'
import type { ContentfulStatusCode, SuccessStatusCode } from 'hono/utils/http-status'
import type { SeatgateRouter } from '../hono/router.ts'
import type { Problem, ProblemMembers } from '../hono/typed-response.ts'

/** The methods of a client. */
export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete'

/** The routes of an application: `typeof app`, or the ready router with every part. */
export type DefinedRoutes<App = SeatgateRouter> = ExtractSchema<App>

/** The paths that an application has for a method. */
export type PathOf<App, M extends Method> = {
  [Path in keyof DefinedRoutes<App>]: `$${M}` extends keyof DefinedRoutes<App>[Path] ? Path : never
}[keyof DefinedRoutes<App>] &
  string

type RouteOf<App, M extends Method, Path> = Path extends keyof DefinedRoutes<App>
  ? `$${M}` extends keyof DefinedRoutes<App>[Path]
    ? DefinedRoutes<App>[Path][`$${M}`]
    : never
  : never

/**
 * The arguments of a request: `param` for the path, `query`, and `json` for the body. Those without a
 * required member can be left out.
 */
export type ArgumentsOf<App, M extends Method, Path> =
  RouteOf<App, M, Path> extends { input: infer Input } ? Loosened<Input> : never

type Loosened<Input> = {
  [Name in keyof Input as object extends Input[Name] ? never : Name]: Input[Name]
} & { [Name in keyof Input as object extends Input[Name] ? Name : never]?: Input[Name] }

/** The value of a successful response: its JSON, null without a body, else the response itself. */
export type ValueOf<App, M extends Method, Path> = Valued<RouteOf<App, M, Path>>

type Valued<Route> = Route extends {
  output: infer Output
  outputFormat: infer Format
  status: infer Status
}
  ? Status extends SuccessStatusCode
    ? Status extends 204
      ? null
      : Format extends 'json'
        ? Output
        : Response
    : never
  : never

/**
 * The refusals of a route, as its responses carry them: a union that `code` and `status` discriminate. A
 * route of your own has what it returns with a status of an error, and every refusal of Seatgate: Hono's
 * types do not say which guards run before it.
 */
export type RefusalOn<App, M extends Method, Path> = OrGuarded<Refused<RouteOf<App, M, Path>>>

type OrGuarded<Output> = [Extract<Output, ProblemMembers>] extends [never]
  ? Output | Problem
  : Output

// `c.json(value)` without a status has every status as its type, and is a 200.
type Refused<Route> = Route extends { output: infer Output; status: infer Status }
  ? ContentfulStatusCode extends Status
    ? never
    : Status extends SuccessStatusCode | 303
      ? never
      : Output
  : never

/**
 * No answer of the application. `network_failure`: no response came, so that a change may or may not have
 * been made; `idempotencyKey` repeats it. `aborted`: the caller's signal ended the request.
 * `unexpected_response`: something else answered, such as a proxy: no JSON and no success, or a page.
 */
export type ClientFailure =
  | {
      readonly code: 'network_failure' | 'aborted'
      readonly cause: unknown
      readonly idempotencyKey: string | null
    }
  | { readonly code: 'unexpected_response'; readonly response: Response }

/** The answer to a request: a value or an error. A refusal is not thrown. */
export type Answer<Value, Problem> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly error: Problem | ClientFailure }

/** The paths whose answer is a page of a list. */
export type Listing<App> = {
  [Path in PathOf<App, 'get'>]: ValueOf<App, 'get', Path> extends {
    readonly data: readonly unknown[]
    readonly nextCursor: string | null
  }
    ? Path
    : never
}[PathOf<App, 'get'>]

/** The entries of a list. */
export type Entries<App, Path> =
  ValueOf<App, 'get', Path> extends { readonly data: infer Data } ? Data : never
