import { and, eq, lte } from 'drizzle-orm'
import type { DatabaseContext, Statement } from '../../database/database.ts'
import { scimTokens } from '../../database/schema/scim-tables.ts'

/** Builds the deletion of the tokens of an organization that are no longer valid. */
export function endedTokens(
  { db }: DatabaseContext,
  organizationId: string,
  now: Date
): readonly Statement[] {
  return [
    db
      .delete(scimTokens)
      .where(and(eq(scimTokens.organizationId, organizationId), lte(scimTokens.expiresAt, now))),
  ]
}
