/**
 * A typed client for the ready routes, in browsers and on servers. `seatgate/client`
 *
 * @module
 */
export { createClient } from './client.ts'
export type { Client, ClientOptions, Fetch, RequestOptions } from './client.ts'
export type {
  Answer,
  ArgumentsOf,
  ClientFailure,
  DefinedRoutes,
  Entries,
  Listing,
  Method,
  PathOf,
  RefusalOn,
  ValueOf,
} from './route-types.ts'
