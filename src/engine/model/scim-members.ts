import type { DatabaseContext, Statement } from '../../database/database.ts'

/** The context of a function that deletes users. */
export interface ScimMembersContext {
  /** Null without the part. */
  readonly scim: { readonly members: ScimMembers } | null
}

/** The work of the part of SCIM when a user is deleted. */
export interface ScimMembers {
  /** Builds the deletion of all that identity providers have pushed about a user. */
  forget(context: DatabaseContext, userId: string): Statement
}
