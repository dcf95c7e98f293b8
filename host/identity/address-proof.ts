/**
 * Proves that a user reads the mail of an address: a sealed token goes out by mail, and posting it
 * back marks the address as verified. Nothing is stored for it.
 *
 * @module
 */
import { and, eq, sql } from 'drizzle-orm'
import { sign, verify } from 'hono/jwt'
import * as v from 'valibot'
import type { Database } from '../../src/index.ts'
import { users } from './schema.ts'

/** Mails that are not the library's: what the reference host writes to its users itself. */
export type SendMail = (mail: {
  readonly to: string
  readonly subject: string
  readonly token: string
}) => Promise<void>

/** How the reference host proves the addresses of those who sign up. */
export interface AddressProof {
  /** Mails a token to the address that a user has. */
  send(user: { readonly id: string; readonly email: string }): Promise<void>
  /** Marks the address that a token was mailed to, if the user still has it. */
  accept(token: string): Promise<boolean>
}

const HOURS = 24
const PURPOSE = 'seatgate-host/address/1'
const Claims = v.object({ sub: v.string(), email: v.string() })

export function addressProof(db: Database, secret: string, mail: SendMail): AddressProof {
  const key = `${PURPOSE}\n${secret}`
  return {
    async send({ id, email }) {
      const exp = Math.floor(Date.now() / 1000) + HOURS * 3600
      const token = await sign({ sub: id, email, exp }, key, 'HS256')
      await mail({ to: email, subject: 'Verify your address', token })
    },
    async accept(token) {
      const claims = v.safeParse(Claims, await claimsOf(token, key))
      if (!claims.success) return false
      const { sub, email } = claims.output
      const first = sql`coalesce(${users.emailVerifiedAt}, ${Date.now()})`
      const found = await db
        .update(users)
        .set({ emailVerifiedAt: first })
        .where(and(eq(users.id, sub), eq(users.email, email)))
        .returning({ id: users.id })
      return found.length > 0
    },
  }
}

async function claimsOf(token: string, key: string): Promise<unknown> {
  try {
    return await verify(token, key, 'HS256')
  } catch {
    return null
  }
}
