/**
 * Responses of SCIM: `application/scim+json`, with errors in the form of RFC 7644, section 3.12.
 *
 * @module
 */
import type { Refusal } from '../../base/result.ts'
import { headersOf, statusOf, titleOf } from '../problem.ts'

const TYPE = 'application/scim+json'
const ERROR = 'urn:ietf:params:scim:api:messages:2.0:Error'

/** Responds with a document of SCIM. */
export function scimResponse(
  body: object,
  status = 200,
  headers: Readonly<Record<string, string>> = {}
): Response {
  return Response.json(body, { status, headers: { 'content-type': TYPE, ...headers } })
}

/** Responds with an error of SCIM for a refusal. `status` is a text, as the RFC has it. */
export function scimError(refusal: Refusal): Response {
  const { status, scimType, detail } = errorOf(refusal)
  const body = { schemas: [ERROR], status: String(status), ...(scimType && { scimType }), detail }
  return scimResponse(body, status, { ...headersOf(refusal), ...retryOf(refusal) })
}

interface ScimError {
  readonly status: number
  readonly scimType?: string
  readonly detail: string
}

function errorOf(refusal: Refusal): ScimError {
  switch (refusal.code) {
    case 'scim_invalid':
      return { status: 400, scimType: refusal.scimType, detail: refusal.detail }
    case 'validation_error':
      return { status: 400, scimType: 'invalidValue', detail: listed(refusal.errors) }
    case 'invalid_json':
    case 'invalid_encoding':
      return { status: 400, scimType: 'invalidSyntax', detail: titleOf(refusal.code) }
    case 'not_unique':
      return {
        status: 409,
        scimType: 'uniqueness',
        detail:
          'A user or group with this userName, displayName, externalId or address already exists.',
      }
    case 'seat_limit_reached':
      return {
        status: 409,
        detail: `All seats are taken: ${refusal.used} of ${refusal.limit} are in use. An administrator has to free or buy one.`,
      }
    case 'too_many':
      return {
        status: 409,
        detail: 'A limit is reached: of groups, of members of a group, or of items in one request.',
      }
    case 'last_owner':
      return {
        status: 409,
        scimType: 'mutability',
        detail: 'This is the last owner of the organization. Make another member an owner first.',
      }
    case 'hook_refused':
      return { status: 403, detail: refusal.detail ?? refusal.reason }
    // The organization of a valid token exists, and another one is not said to.
    case 'organization_not_found':
      return { status: 401, detail: titleOf('unauthenticated') }
    // A provider reads 409 as an existing user.
    case 'operation_in_progress':
      return { status: 503, detail: titleOf(refusal.code) }
    default:
      return { status: statusOf(refusal.code), detail: titleOf(refusal.code) }
  }
}

function retryOf({ code }: Refusal): Readonly<Record<string, string>> {
  return code === 'operation_in_progress' ? { 'retry-after': '1' } : {}
}

function listed(errors: Readonly<Record<string, readonly string[]>>): string {
  return Object.entries(errors)
    .map(([field, messages]) => `${field}: ${messages.join(' ')}`)
    .join(' ')
}
