/**
 * The rows of a part that have roles of members, for the part of an organization's own roles: it renames
 * and deletes a role without knowing the tables of the others.
 *
 * @module
 */
import type { SQL } from 'drizzle-orm'
import type { DatabaseContext, Statement } from '../../database/database.ts'

/** A role of an organization. */
export interface RolePlace {
  readonly organizationId: SQL<string | null> | string
  readonly role: SQL | string
  readonly now: Date
}

/** Another role in the place of one. */
export interface RoleReplacement extends RolePlace {
  readonly organizationId: string
  readonly role: string
  readonly newRole: string
}

/** Rows that have the name of a role. */
export interface RoleHolder {
  /** Names them where a refusal counts them. */
  readonly name: string
  /** Selects one row for each row that has the role. */
  readonly holding: (place: RolePlace) => SQL
  /** Gives all of them another role. */
  readonly replace: (context: DatabaseContext, replacement: RoleReplacement) => readonly Statement[]
}

/** The context of a function that asks the parts about roles. */
export interface RoleHolderContext {
  readonly roleHolders: readonly RoleHolder[]
  /** Each selects the ids of the members who have made keys or links, which end with a right of theirs. */
  readonly creators: readonly ((organizationId: SQL<string | null> | string) => SQL)[]
}
