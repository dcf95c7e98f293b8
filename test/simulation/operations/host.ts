import { users } from '../../../host/identity/schema.ts'
import { sessions } from '../../../src/database/schema.ts'
import { addressOf, once, sessionOf, type Deeds } from './deed.ts'

/** What people do with the host alone. */
export const host: Deeds = {
  signUpAgain: [
    4,
    ({ random, userIds, isTaken, post, fresh }) => {
      const gone = userIds.filter((id) => !id.includes('.') && !isTaken(addressOf(id)))
      const person = random.pick(gone)
      if (person === undefined) return null
      const id = `${person}.${fresh()}`
      const email = addressOf(id)
      const verified = random.chance(0.8)
      return once(email, async ({ db, now }) => {
        const createdAt = now()
        const emailVerifiedAt = verified ? createdAt : null
        const account = { id, email, passwordHash: 'none', emailVerifiedAt, createdAt }
        // The host has sent a mail of its own before.
        if (verified) post.believe(email)
        try {
          await db.batch([
            db.insert(users).values(account),
            db.insert(sessions).values({
              tokenHash: sessionOf(id),
              userId: id,
              createdAt,
              expiresAt: createdAt,
              lastActiveAt: createdAt,
            }),
          ])
        } catch {
          return { ok: false, error: { code: 'unavailable' } }
        }
        return { ok: true, value: null }
      })
    },
  ],
}
