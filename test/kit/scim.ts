/**
 * SCIM in the tests: worlds in which an identity provider pushes users, and its requests.
 *
 * @module
 */
import { drizzle } from 'drizzle-orm/d1'
import { Hono } from 'hono'
import { provisioning } from '../../host/identity/provisioning.ts'
import {
  createScimToken,
  scim,
  scimRoutes,
  type ScimContext,
  type ScimOptions,
} from '../../src/hono/scim/index.ts'
import { seatUsage } from '../../src/index.ts'
import { testEnv } from './environment.ts'
import type { FullSeatgate } from './flat-options.ts'
import { openOrganization, type OpenOrganization } from './joining.ts'
import { createKit, unwrap, type Kit, type KitOptions } from './kit.ts'

export const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
export const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
const PATCH = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'

/** A world with SCIM. */
export interface ScimKit extends Kit {
  readonly context: FullSeatgate & ScimContext
}

/** A world in which users are pushed; every domain is proven. */
export function createScimKit(options: KitOptions = {}, own: Partial<ScimOptions> = {}): ScimKit {
  const part = scim({ provision: provisioning(drizzle(testEnv.DB)), ...own })
  const kit = createKit({ ...options, scim: part })
  return { ...kit, context: { ...kit.seatgate, scim: part } }
}

/** An organization with an identity provider. */
export interface PushedOrganization extends OpenOrganization {
  readonly token: string
  readonly tokenId: string
  /** Sends a request, and waits for the work in the background. */
  send(
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>
  ): Promise<Response>
  /** Sends a request, and returns its status and its body. */
  ask(method: string, path: string, body?: unknown): Promise<Answered>
  /** A user as it is pushed, with an address in the organization's domain. */
  person(name: string, more?: object): Readonly<Record<string, unknown>>
  /** Pushes a user, who must be taken, and returns the resource. */
  push(name: string, more?: object): Promise<Pushed>
}

export interface Answered {
  readonly status: number
  // What is in it is what a test is about.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any
}

export interface Pushed {
  readonly id: string
  readonly active: boolean
  readonly userName: string
  readonly [name: string]: unknown
}

/** Creates an organization with a proven domain, so many seats, and a token. */
export async function pushedOrganization(
  kit: ScimKit,
  seats?: number
): Promise<PushedOrganization> {
  const organization = await openOrganization(kit, 'off', seats)
  const scope = organization.as(organization.owner)
  const { token, id: tokenId } = unwrap(await createScimToken(kit.context, scope))
  return pushingTo(kit, { ...organization, token: token!, tokenId })
}

/** The requests of the identity provider of an organization, as a world answers them. */
export function pushingTo(
  kit: ScimKit,
  organization: OpenOrganization & Pick<PushedOrganization, 'token' | 'tokenId'>
): PushedOrganization {
  const { token } = organization
  const app = new Hono().route('/scim/v2', scimRoutes(kit.context))
  const send: PushedOrganization['send'] = async (method, path, body, headers = {}) => {
    const response = await app.request(`https://seatgate.test/scim/v2${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body !== undefined && { 'content-type': 'application/scim+json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    await kit.settled()
    return response
  }
  const ask: PushedOrganization['ask'] = async (method, path, body) => {
    const response = await send(method, path, body)
    const text = await response.text()
    return { status: response.status, body: text === '' ? null : JSON.parse(text) }
  }
  const person: PushedOrganization['person'] = (name, more) => ({
    schemas: [USER],
    userName: `${name}@${organization.domain.domain}`,
    ...more,
  })
  return {
    ...organization,
    send,
    ask,
    person,
    async push(name, more) {
      const { status, body } = await ask('POST', '/Users', person(name, more))
      if (status !== 201) throw new Error(`${status}: ${JSON.stringify(body)}`)
      return body as Pushed
    },
  }
}

/** Replaces `active`. */
export const active = (value: unknown) => patch({ op: 'replace', path: 'active', value })

/** The body of a PATCH. */
export const patch = (...operations: readonly object[]) => ({
  schemas: [PATCH],
  Operations: operations,
})

/** The seats of an organization. */
export async function seatUsageOf({ seatgate }: Kit, organization: PushedOrganization) {
  return unwrap(await seatUsage(seatgate, organization.asOperator))
}
