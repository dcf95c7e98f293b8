/**
 * Invitations in the tests: a world in which people can be invited, and what they do with their
 * tokens.
 *
 * @module
 */
import { drizzle } from 'drizzle-orm/d1'
import { users } from '../../host/identity/schema.ts'
import {
  acceptInvitation,
  createInvitation,
  type InvitationWithToken,
  type Mail,
} from '../../src/index.ts'
import { testEnv } from './environment.ts'
import { unwrap, join, type TestOrganization, type Kit } from './kit.ts'

const db = drizzle(testEnv.DB)

/** A mailer that keeps what it was given. */
export function mailbox() {
  const mails: Mail[] = []
  return {
    mails,
    options: {
      mailer: {
        async send(mail: Mail) {
          mails.push(mail)
          return { outcome: 'sent' } as const
        },
      },
      invitationUrl: (token: string) => `https://app.example/join#${token}`,
    },
  }
}

/** A new address that nobody has. */
export function newAddress(): string {
  return `${crypto.randomUUID()}@example.com`
}

/** A user with an address, verified or not. */
export async function userWith(email: string, verified = true): Promise<string> {
  const id = crypto.randomUUID()
  const emailVerifiedAt = verified ? new Date(1) : null
  const row = {
    id,
    email,
    name: 'Ann',
    passwordHash: 'none',
    emailVerifiedAt,
    createdAt: new Date(0),
  }
  await db.insert(users).values(row)
  return id
}

/** Invites somebody, for sure. */
export async function invite(
  kit: Kit,
  organization: TestOrganization,
  email = newAddress(),
  role = 'member'
): Promise<InvitationWithToken> {
  const scope = organization.as(organization.owner)
  const invited = unwrap(await createInvitation(kit.seatgate, scope, { email, role }))
  await kit.settled()
  return invited
}

/** Accepts as a new user of the invited address. */
export async function accept(kit: Kit, { email, token }: InvitationWithToken) {
  const userId = await userWith(email)
  return acceptInvitation(kit.seatgate, { caller: { userId } }, { token })
}

/** A member who has taken an address since: an invitation to it is theirs now. */
export async function memberWith(
  kit: Kit,
  organization: TestOrganization,
  email: string
): Promise<string> {
  const userId = await join(kit, organization)
  await takeAddress(userId, email)
  return userId
}

/** Gives a user an address. */
export async function takeAddress(userId: string, email: string): Promise<void> {
  await testEnv.DB.prepare('UPDATE users SET email = ? WHERE id = ?').bind(email, userId).run()
}
