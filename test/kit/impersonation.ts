/**
 * Impersonations in the tests: worlds with them, and requests with their tokens.
 *
 * @module
 */
import { Hono, type Context } from 'hono'
import {
  authenticateImpersonation,
  impersonation,
  impersonationRoutes,
  startImpersonation,
  type ImpersonationContext,
  type ImpersonationOptions,
  type StartImpersonationInput,
} from '../../src/hono/impersonation/index.ts'
import { seatgateRouter } from '../../src/hono/index.ts'
import type { PrincipalQuery } from '../../src/index.ts'
import type { FullSeatgate } from './flat-options.ts'
import { byName, clientOf, type Client } from './http.ts'
import {
  createKit,
  operator,
  PASSWORD,
  unwrap,
  type Kit,
  type KitOptions,
  type TestOrganization,
} from './kit.ts'

/** A world with impersonations. */
export interface ImpersonationKit extends Kit {
  readonly context: FullSeatgate & ImpersonationContext
  /** Every route, for people by name and for tokens. */
  readonly client: Client
}

/** The user of the operator of the tests, and another one, are operators. */
export const isStaff = (userId: string) => userId.startsWith('operator')

export function createImpersonationKit(
  options: KitOptions = {},
  own: Partial<ImpersonationOptions> = {}
): ImpersonationKit {
  const part = impersonation({ isOperator: isStaff, ...own })
  const kit = createKit({ provider: 'd1', ...options, impersonation: part })
  const context = { ...kit.seatgate, impersonation: part }
  const authenticate = authenticateImpersonation(context, byName)
  const app = (seatgateRouter(context, { authenticate }) as unknown as Hono).route(
    '/',
    impersonationRoutes(context, { authenticate })
  )
  return { ...kit, context, client: clientOf((url, init) => app.request(url, init)) }
}

export const REASON = 'Ticket 4711: the import fails'

/** An impersonation, and its caller as requests with its token have it. */
export interface Acting {
  readonly id: string
  readonly token: string
  readonly caller: PrincipalQuery
}

/** Starts an impersonation of a member, or of the owner. */
export async function actingAs(
  context: FullSeatgate & ImpersonationContext,
  organization: Pick<TestOrganization, 'id' | 'owner'>,
  input: Partial<StartImpersonationInput> = {},
  by = operator
): Promise<Acting> {
  const { id, token } = unwrap(
    await startImpersonation(
      context,
      { caller: by, organization: organization.id },
      { userId: organization.owner, reason: REASON, minutes: 15, password: PASSWORD, ...input }
    )
  )
  const request = { req: { header: () => `Bearer ${token}` } } as unknown as Context
  const caller = await authenticateImpersonation(context)(request)
  return { id, token: token!, caller: caller as PrincipalQuery }
}
