import type { Hono } from 'hono'
import { mountable } from '../mountable.ts'

/**
 * The route `GET /openapi.json`, which needs no identity and responds with a document. The one of the ready
 * routes is `seatgate/openapi.json`; a Worker that does not import it does not load it.
 *
 * @example
 * ```ts
 * import document from 'seatgate/openapi.json'
 *
 * app.route('/', openapiRoutes(document))
 * ```
 */
export function openapiRoutes(document: object): Hono {
  return mountable().get('/openapi.json', (c) => c.json(document))
}
