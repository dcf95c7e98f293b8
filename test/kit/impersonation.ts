/**
 * Impersonations in the tests: worlds with them, and requests with their tokens.
 *
 * @module
 */
import type { Context } from 'hono'
import {
  authenticateImpersonation,
  startImpersonation,
  type ImpersonationContext,
  type StartImpersonationInput,
} from '../../src/hono/impersonation/index.ts'
import type { PrincipalQuery } from '../../src/index.ts'
import type { FullSeatgate } from './flat-options.ts'
import { operator, PASSWORD, unwrap, type TestOrganization } from './kit.ts'

/** The user of the operator of the tests, and another one, are operators. */
export const isStaff = (userId: string) => userId.startsWith('operator')

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
