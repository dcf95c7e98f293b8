import { sql, type SQL } from 'drizzle-orm'
import { hasUserIdIn, userIdText, type UserContext } from '../../database/database.ts'

/** A user of the host whom a list names by id. */
export interface NamedUser {
  readonly id: string
  readonly email: string
  readonly name: string | null
}

/** Selects the users of the host whose ids a query selects. Null without a table of users. */
export function usersNamedIn({ db, users }: UserContext, ids: SQL) {
  if (users === null) return null
  const user = sql<string>`json_object('id', ${userIdText(users)}, 'email', ${users.email}, 'name', ${users.name})`
  return db
    .select({ user: user.as('user') })
    .from(users)
    .where(hasUserIdIn(users, ids))
}

/** Returns the users of the rows. */
export function namedUsers(rows: readonly { readonly user: string }[]): readonly NamedUser[] {
  return rows.map(({ user }) => JSON.parse(user) as NamedUser)
}
