/**
 * The requests of an identity provider that are refused.
 *
 * @module
 */
import { BROKEN } from '../../kit/openapi-application.ts'
import type { Recorder } from './recorder.ts'

// Beyond the limit of a group, which is the largest.
const TOO_LARGE = 'x'.repeat(1024 * 1024 + 1)

/** The media type of a request. */
export const headers = { 'content-type': 'application/scim+json' }

/** A route, the body that it takes, and a body that it refuses. */
type Case = readonly [route: string, body: object | undefined, refused: object | null]

/** Sends each request where no store answers, without a token, with bad input, and for a missing id. */
export async function refusePushes(
  { exchange }: Pick<Recorder, 'exchange'>,
  { as, id }: { readonly as: string; readonly id: string },
  cases: readonly Case[]
) {
  for (const [route, body, refused] of cases) {
    const asked = { as, param: { id }, headers, ...(body && { body }) }
    for (const app of BROKEN) await exchange(route, asked, app)
    await exchange(route, { ...asked, as: null })
    await exchange(route, { ...asked, search: 'a=%ff' })
    await exchange(route, { ...asked, param: { id: 'none' } })
    if (body === undefined) continue
    await exchange(route, { ...asked, body: '{' })
    await exchange(route, { ...asked, body: TOO_LARGE })
    await exchange(route, { ...asked, headers: { 'content-type': 'application/pdf' } })
    if (refused) await exchange(route, { ...asked, body: refused })
  }
}
