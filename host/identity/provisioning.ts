import { eq } from 'drizzle-orm'
import { normalizeEmail, type Database } from '../../src/index.ts'
import type { ScimOptions } from '../../src/hono/scim/index.ts'
import { users } from './schema.ts'

/**
 * Finds or creates the user with an address that an identity provider vouches for. An account that was
 * opened with the address and never proved it is refused: another person may hold its password.
 */
export function provisioning(db: Database): ScimOptions['provision'] {
  return async ({ email, name }) => {
    const now = new Date()
    await db
      .insert(users)
      .values({
        id: crypto.randomUUID(),
        email: normalizeEmail(email),
        name,
        // No password fits it: they sign in by their identity provider, or set one by mail.
        passwordHash: 'none',
        emailVerifiedAt: now,
        createdAt: now,
      })
      .onConflictDoNothing()
    const [user] = await db
      .select()
      .from(users)
      .where(eq(users.email, normalizeEmail(email)))
    return user?.emailVerifiedAt ? user.id : null
  }
}
