import { and, eq, isNull } from 'drizzle-orm'
import { Hono, type Context } from 'hono'
import { deleteCookie, setCookie } from 'hono/cookie'
import * as v from 'valibot'
import {
  activateAtLogin,
  normalizeEmail,
  type Database,
  type EmailVerification,
  type LifecycleHook,
  type RegisterUser,
  type Seatgate,
  type VerifyPassword,
} from '../../src/index.ts'
import { sessions } from '../../src/database/schema.ts'
import { Email } from '../../src/base/email.ts'
import {
  problemResponse,
  refuseCrossSite,
  type SignIn as SessionStart,
} from '../../src/hono/index.ts'
import { readBody } from '../../src/hono/request-body.ts'
import { noStore } from '../../src/hono/problem.ts'
import { LineOfText, atMost, parseInput, secretText } from '../../src/base/input.ts'
import { invalid, ok } from '../../src/base/result.ts'
import { sha256 } from '../../src/proof/encoding.ts'
import type { AddressProof } from './address-proof.ts'
import { hashPassword, verifyPassword } from './password.ts'
import { isWithin, limitNetworks, tooOften, type Rates } from './rate.ts'
import { users } from './schema.ts'
import {
  insertSession,
  newSession,
  SESSION_COOKIE,
  SESSION_SECONDS,
  sessionUser,
  tokenOf,
} from './sessions.ts'

const LONGEST_PASSWORD = 256

const Person = {
  password: secretText(LONGEST_PASSWORD, 8),
  name: v.nullish(v.pipe(LineOfText, v.trim(), atMost(255))),
}

const SignUp = v.object(
  {
    email: Email,
    ...Person,
  },
  'Must be an object.'
)

const SignIn = v.object(
  {
    email: v.pipe(v.string('Must be a string.'), atMost(254), v.transform(normalizeEmail)),
    password: secretText(LONGEST_PASSWORD, 0),
  },
  'Must be an object.'
)

type UserRow = typeof users.$inferSelect

/** Options of {@link identityRoutes}. */
export interface IdentityOptions {
  /** Verifies addresses by mail. Default: no mail goes out. */
  readonly proof?: AddressProof | null
  /** Addresses that count as verified when somebody signs up with them. Default none. */
  readonly verifiedAtSignUp?: ReadonlySet<string>
  /** How often a network, and an account, may be tried. Default: no limit. */
  readonly rates?: Rates
}

/**
 * Sign-up, sign-in and sign-out, and with `proof` the verification of addresses: the smallest real
 * identity, to be replaced by the host's own.
 */
export function identityRoutes(
  seatgate: Seatgate,
  { proof = null, verifiedAtSignUp = new Set(), rates = {} }: IdentityOptions = {}
) {
  const { db } = seatgate
  const routes = new Hono()
  // Signing in needs no cookie, and sets one: a page elsewhere must not sign somebody in as another.
  routes.use('/identity/*', noStore, refuseCrossSite({ requests: 'all' }))
  // Hashing takes time, and passwords can be guessed: before either.
  routes.use('/identity/sign-up', limitNetworks(rates.network))
  routes.use('/identity/sign-in', limitNetworks(rates.network))

  routes.post('/identity/sign-up', async (c) => {
    const input = parseInput(SignUp, await readBody(c))
    if (!input.ok) return problemResponse(input.error)
    const { email, password, name } = input.value
    const key = c.req.header('idempotency-key')
    const signUpKey = key === undefined ? null : await sha256(key)
    const [present] = await db.select().from(users).where(eq(users.email, email))
    if (present) return signUpAgain(c, present, signUpKey, password, name ?? null)

    const now = new Date()
    const user: UserRow = {
      id: crypto.randomUUID(),
      email,
      name: name ?? null,
      passwordHash: await hashPassword(password),
      signUpKey,
      emailVerifiedAt: verifiedAtSignUp.has(email) ? now : null,
      createdAt: now,
    }
    const session = await newSession()
    const inserted = db.insert(users).values(user).onConflictDoNothing().returning()
    const [rows] = await db.batch([inserted, insertSession(db, session.tokenHash, user.id, now)])
    if (rows.length === 0) {
      // Somebody signed up with this address meanwhile; the session is nobody's.
      await db.delete(sessions).where(eq(sessions.tokenHash, session.tokenHash))
      const [first] = await db.select().from(users).where(eq(users.email, email))
      return first
        ? signUpAgain(c, first, signUpKey, password, name ?? null)
        : problemResponse(taken)
    }
    if (user.emailVerifiedAt === null) await proof?.send(user)
    return signedIn(c, user, session.token, 201)
  })

  // A repeated sign-up is answered as the first time, but for the token: tokens are not stored, so
  // the repeat gets a session of its own.
  async function signUpAgain(
    c: Context,
    user: UserRow,
    signUpKey: string | null,
    password: string,
    name: string | null
  ) {
    if (signUpKey === null || user.signUpKey !== signUpKey) return problemResponse(taken)
    if (user.name !== name || !(await verifyPassword(password, user.passwordHash))) {
      return problemResponse({ code: 'idempotency_mismatch' })
    }
    const { token, tokenHash } = await newSession()
    await insertSession(db, tokenHash, user.id, new Date())
    return signedIn(c, user, token, 201)
  }

  routes.post('/identity/sign-in', async (c) => {
    const input = parseInput(SignIn, await readBody(c))
    if (!input.ok) return problemResponse(input.error)
    const { email, password } = input.value
    if (!(await isWithin(rates.account, `account:${email}`))) return tooOften()
    const [user] = await db.select().from(users).where(eq(users.email, email))
    const correct = await verifyPassword(password, user?.passwordHash ?? null)
    if (!user || !correct) return problemResponse({ code: 'unauthenticated' })
    const { token, tokenHash } = await newSession()
    await insertSession(db, tokenHash, user.id, new Date())
    await activateAtLogin(seatgate, user.id, { id: tokenHash, activeOrganizationId: null })
    return signedIn(c, user, token, 200)
  })

  routes.post('/identity/sign-out', async (c) => {
    const token = tokenOf(c)
    if (token === null) return problemResponse({ code: 'unauthenticated' })
    await db.delete(sessions).where(eq(sessions.tokenHash, await sha256(token)))
    deleteCookie(c, SESSION_COOKIE, { path: '/' })
    return c.body(null, 204)
  })

  if (proof !== null) routes.route('/', addressRoutes(db, proof))
  return routes
}

const Proof = v.object({ token: v.string('Must be a text.') }, 'Must be an object.')

/** The routes that verify an address: once more by mail, and with the token that came by it. */
function addressRoutes(db: Database, proof: AddressProof) {
  const routes = new Hono()
  routes.post('/identity/verification', async (c) => {
    const token = tokenOf(c)
    const user = token === null ? null : await sessionUser(db, token)
    if (user === null) return problemResponse({ code: 'unauthenticated' })
    if (user.emailVerifiedAt === null) await proof.send(user)
    return c.body(null, 204)
  })
  routes.post('/identity/verify-email', async (c) => {
    const input = parseInput(Proof, await readBody(c))
    if (!input.ok) return problemResponse(input.error)
    if (await proof.accept(input.value.token)) return c.body(null, 204)
    return problemResponse(invalid({ token: ['Is wrong or has expired.'] }))
  })
  return routes
}

/** Checks a user's password; without a user it takes as long and is wrong. */
export function passwordCheck(db: Database): VerifyPassword {
  return async (userId, password) => {
    const [user] = await db
      .select({ passwordHash: users.passwordHash })
      .from(users)
      .where(eq(users.id, userId))
    return verifyPassword(password, user?.passwordHash ?? null)
  }
}

/** Registers a user who accepts an invitation: a password, a name, and whether the address is proven. */
export function registration(db: Database, hash = hashPassword): RegisterUser {
  return async ({ userId: id, email, emailVerified, now, input }) => {
    const parsed = parseInput(v.object(Person, 'Must be an object.'), input)
    if (!parsed.ok) return parsed
    const { password, name = null } = parsed.value
    const passwordHash = await hash(password)
    const emailVerifiedAt = emailVerified ? now : null
    const row = { id, email, name, passwordHash, emailVerifiedAt, createdAt: now }
    const user = { id, email, name }
    return ok({ statements: [db.insert(users).values(row)], user })
  }
}

/** What the host knows of its users' addresses: who accepted an invitation by mail reads it. */
export function addressVerification(db: Database): EmailVerification {
  return {
    column: users.emailVerifiedAt,
    markVerified: (userId, emailVerifiedAt) => [
      db
        .update(users)
        .set({ emailVerifiedAt })
        .where(and(eq(users.id, userId), isNull(users.emailVerifiedAt))),
    ],
  }
}

/** Starts a session for somebody who has just been registered. */
export function signIn(seatgate: Seatgate): SessionStart {
  return async (c, userId) => {
    const { token, tokenHash } = await newSession()
    await insertSession(seatgate.db, tokenHash, userId, new Date())
    await activateAtLogin(seatgate, userId, { id: tokenHash, activeOrganizationId: null })
    setSessionCookie(c, token)
    return token
  }
}

/** Deletes the user and their sessions, in the batch that ends their memberships. */
export function deleteAccount(db: Database): LifecycleHook {
  return (statements, { userId }) => ({
    ok: true,
    statements: [
      ...statements,
      db.delete(sessions).where(eq(sessions.userId, userId)),
      db.delete(users).where(eq(users.id, userId)),
    ],
  })
}

const taken = invalid({ email: ['This e-mail address is already taken.'] })

function signedIn(c: Context, { id, email, name }: UserRow, token: string, status: 200 | 201) {
  setSessionCookie(c, token)
  return c.json({ user: { id, email, name }, token }, status)
}

function setSessionCookie(c: Context, token: string): void {
  setCookie(c, SESSION_COOKIE, token, {
    path: '/',
    httpOnly: true,
    sameSite: 'Lax',
    secure: new URL(c.req.url).protocol === 'https:',
    maxAge: SESSION_SECONDS,
  })
}
