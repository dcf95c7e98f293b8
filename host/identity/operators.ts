import { eq } from 'drizzle-orm'
import type { Database } from '../../src/index.ts'
import { users } from './schema.ts'
import type { KnownAs } from './sessions.ts'

/** Whether a user is an operator, for `impersonation`: an operator cannot be impersonated. */
export function operatorCheck(
  db: Database,
  isOperator: (user: KnownAs) => boolean
): (userId: string) => Promise<boolean> {
  return async (userId) => {
    const [user] = await db
      .select({ email: users.email, emailVerifiedAt: users.emailVerifiedAt })
      .from(users)
      .where(eq(users.id, userId))
    return isOperator({ userId, email: '', emailVerifiedAt: null, ...user })
  }
}
