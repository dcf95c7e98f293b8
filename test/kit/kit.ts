import { drizzle } from 'drizzle-orm/d1'
import { it } from 'vitest'
import { aroundDatabase, aroundLedgers, type Around } from '../../bench/meter.ts'
import { addressVerification, registration } from '../../host/identity/routes.ts'
import { users } from '../../host/identity/schema.ts'
import { insertSession, newSession, sessionQuery } from '../../host/identity/sessions.ts'
import {
  addMember,
  createOrganization,
  joinRules,
  d1Seats,
  d1Sessions,
  ledgerSeats,
  removeMember,
  seatUsage,
  setSeatLimit,
  unlimitedSeats,
  type AddedMember,
  type EndedWith,
  type LedgerSeatsOptions,
  type OrganizationScope,
  type Principal,
  type PrincipalQuery,
  type Result,
  type SeatUsage,
  type WakeUp,
  type LedgerNamespace,
} from '../../src/index.ts'
import { createFlat, type FlatOptions, type FullSeatgate } from './flat-options.ts'
import { testEnv } from './environment.ts'
import { atScale, THOROUGH } from './scale.ts'

export type Provider = 'ledger' | 'd1' | 'unlimited'

/** The providers that hold a limit, each with D1 at no distance and at some. */
export const enforcing = ['ledger', 'd1'] as const
export const delays = [0, 5]

/** The providers that hold a limit; with `npm test` only the one that a file names. */
export const enforcingOr = (share: (typeof enforcing)[number]) =>
  atScale<readonly (typeof enforcing)[number][]>({ share: [share], thorough: enforcing })
const ways = enforcing
  .flatMap((provider) => delays.map((delayMs) => ({ provider, delayMs })))
  // A share has each provider and each distance, but not each of both.
  .filter(({ provider, delayMs }) => THOROUGH || (provider === 'ledger') === delayMs > 0)

/** What a race is run with: a world at some distance from D1, and one beside it that is near. */
export interface Way {
  readonly provider: (typeof enforcing)[number]
  readonly calm: Kit
  readonly kit: Kit
}

/** A test of a race, once with each provider that holds a limit, with D1 near and far. */
export function eachWay(title: string, race: (way: Way) => Promise<void>, timeoutMs?: number) {
  it.each(ways)(
    `${title} ($provider, $delayMs ms)`,
    async ({ provider, delayMs }) => {
      const calm = createKit({ provider })
      await race({ provider, calm, kit: createKit({ provider, delayMs }) })
    },
    timeoutMs
  )
}

export interface KitOptions extends Partial<Omit<FlatOptions, 'seats' | 'database'>> {
  readonly provider?: Provider
  /** Added before every trip to D1, so that more fits in between. */
  readonly delayMs?: number
  /** Stands around every trip to D1, to a ledger and to the queue. */
  readonly around?: Around
  readonly ledger?: LedgerSeatsOptions
  readonly namespace?: LedgerNamespace
  /** D1 itself, or something that breaks it. */
  readonly binding?: D1Database
}

/** A Seatgate over the real bindings, organizations in it, and what it left to be done after its answers. */
export interface Kit {
  readonly seatgate: FullSeatgate
  readonly wakeUps: readonly WakeUp[]
  /** Trips to D1 so far. */
  trips(): number
  /** Waits until no work is left in the background. */
  settled(): Promise<void>
  /** Creates an organization with a seat limit, if one is given, and so many members with the owner. */
  organization(size?: { seats?: number | undefined; members?: number }): Promise<KitOrganization>
}

/** An organization with the operations that most tests need. Each waits for the work in the background. */
export interface KitOrganization extends TestOrganization {
  /** Adds a user, or a new one, as the owner. */
  add(userId?: string, role?: string): Promise<Result<AddedMember>>
  /** Adds a new user, who must be admitted, and returns the id. */
  join(role?: string): Promise<string>
  /** Removes a member: at their own wish, or as another member. */
  remove(userId: string, by?: string): Promise<Result<EndedWith>>
  limitTo(seats: number): Promise<SeatUsage>
  seats(): Promise<SeatUsage>
}

/** Seals the invitations of the tests' own worlds. */
export const SECRET = 'a secret for tests, of more than 32 characters'

/** The password of everybody in the tests' own worlds. */
export const PASSWORD = 'correct horse'

/** In place of a hash, which is made slow on purpose: for tests of anything but passwords. */
export const unhashed = async (password: string) => `unhashed ${password}`

/** No limit on invitations. */
export const UNLIMITED = {
  perUser: Infinity,
  perOrganization: Infinity,
  inBulk: Infinity,
  perRecipient: Infinity,
}

const directly: Around = (_trip, run) => run()

export function createKit(options: KitOptions = {}): Kit {
  const {
    provider = 'ledger',
    delayMs = 0,
    around = directly,
    ledger,
    namespace = testEnv.SEATS,
    binding = testEnv.DB,
    ...rest
  } = options
  let trips = 0
  const background: Promise<unknown>[] = []
  const wakeUps: WakeUp[] = []
  const database = aroundDatabase(binding, (trip, run) => {
    trips += 1
    return around(trip, async () => {
      if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs))
      return run()
    })
  })
  const seats = {
    ledger: () => ledgerSeats(aroundLedgers(namespace, around), ledger),
    d1: () => d1Seats(),
    unlimited: () => unlimitedSeats(),
  }[provider]()
  // It takes a turn, as the real one does: what is waited for shows in the count of trips.
  const send = async (...messages: WakeUp[]) => {
    await new Promise((resolve) => setTimeout(resolve))
    wakeUps.push(...messages)
  }
  // Their statements go into the library's batches: they are made with its own handle.
  const own = drizzle(database)
  const seatgate = createFlat({
    database: own,
    secret: SECRET,
    registerUser: registration(own, unhashed),
    emailVerification: addressVerification(own),
    invitationLimits: UNLIMITED,
    seats,
    ...(provider === 'ledger' && { sealer: aroundLedgers(namespace, around) }),
    users,
    sessions: d1Sessions(),
    verifyPassword: (_userId, password) => password === PASSWORD,
    waitUntil: (work) => background.push(work),
    report: () => {},
    queue: {
      send: (message) => around({ store: 'queue', asked: ['send'] }, () => send(message)),
      sendBatch: (messages) =>
        around({ store: 'queue', asked: ['sendBatch'] }, () =>
          send(...messages.map(({ body }) => body))
        ),
    },
    // What a role is called, and who a user is, the test may say itself.
    ...('roles' in rest || 'users' in rest || 'emailVerification' in rest
      ? {}
      : { joining: joinRules({ verifyDomain: () => true }) }),
    ...rest,
  })
  const kit: Kit = {
    seatgate,
    wakeUps,
    trips: () => trips,
    async settled() {
      while (background.length > 0) await background.shift()
    },
    async organization({ seats, members = 1 } = {}) {
      const organization = await newOrganization(kit, seats)
      for (let more = 1; more < members; more++) await join(kit, organization)
      return withOperations(kit, organization)
    },
  }
  return kit
}

function withOperations(kit: Kit, organization: TestOrganization): KitOrganization {
  const { seatgate } = kit
  const settled = async <T>(answer: Promise<T>): Promise<T> => {
    const value = await answer
    await kit.settled()
    return value
  }
  return {
    ...organization,
    add: (userId, role) => settled(add(kit, organization, userId, role)),
    join: (role) => join(kit, organization, role),
    remove: (userId, by) => settled(leave(kit, organization, userId, by)),
    limitTo: async (limit) =>
      settled(setSeatLimit(seatgate, organization.asOperator, { limit })).then(unwrap),
    seats: async () => unwrap(await seatUsage(seatgate, organization.asOperator)),
  }
}

export const operator: Principal = { userId: 'operator', operator: true }

/** Puts users into the host's table, quickly: nobody signs in as them. */
export async function newUsers(count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => crypto.randomUUID())
  await testEnv.DB.prepare(
    `INSERT INTO users (id, email, password_hash, created_at)
     SELECT value, value || '@example.com', 'none', 0 FROM json_each(?)`
  )
    .bind(JSON.stringify(ids))
    .run()
  return ids
}

export async function newUser(): Promise<string> {
  const [id] = await newUsers(1)
  return id!
}

/** An organization as the tests know it. */
export interface TestOrganization {
  readonly id: string
  /** Who created it. */
  readonly owner: string
  readonly slug: string
  /** The scope of somebody who asks about it. */
  as(userId: string): OrganizationScope
  readonly asOperator: OrganizationScope
}

/** An organization that is there. */
export function knownOrganization({
  id,
  owner,
  slug,
}: Pick<TestOrganization, 'id' | 'owner' | 'slug'>): TestOrganization {
  return {
    id,
    owner,
    slug,
    as: (userId) => ({ caller: { userId }, organization: id }),
    asOperator: { caller: operator, organization: id },
  }
}

/** Creates an organization, with a limit if one is given. */
export async function newOrganization(kit: Kit, limit?: number): Promise<TestOrganization> {
  const owner = await newUser()
  const slug = `t${crypto.randomUUID().replaceAll('-', '')}`
  const caller = { userId: owner }
  const { id } = unwrap(await createOrganization(kit.seatgate, { caller }, { name: 'Test', slug }))
  await kit.settled()
  const organization = knownOrganization({ id, owner, slug })
  if (limit !== undefined) {
    unwrap(await setSeatLimit(kit.seatgate, organization.asOperator, { limit }))
    await kit.settled()
  }
  return organization
}

/** Creates an organization and adds members, the oldest first; `tick` moves the clock before each. */
export async function organizationWithMembers(kit: Kit, size: number, tick: () => void) {
  const organization = await newOrganization(kit)
  const members = await newUsers(size)
  for (const userId of members) {
    tick()
    unwrap(await add(kit, organization, userId))
  }
  await kit.settled()
  return { organization, members }
}

/** Tries to add somebody. */
export async function add(
  { seatgate }: Kit,
  organization: TestOrganization,
  userId?: string,
  role = 'member'
): Promise<Result<AddedMember>> {
  const joining = userId ?? (await newUser())
  return addMember(seatgate, organization.as(organization.owner), { userId: joining, role })
}

/** Adds somebody, for sure. */
export async function join(
  kit: Kit,
  organization: TestOrganization,
  role = 'member',
  userId?: string
): Promise<string> {
  const joining = userId ?? (await newUser())
  unwrap(
    await addMember(kit.seatgate, organization.as(organization.owner), { userId: joining, role })
  )
  await kit.settled()
  return joining
}

/** Takes somebody out, at his own wish or at somebody else's. */
export function leave(
  { seatgate }: Kit,
  organization: TestOrganization,
  userId: string,
  by = userId
): Promise<Result<EndedWith>> {
  return removeMember(seatgate, organization.as(by), userId)
}

/**
 * An organization of so many members, most of them put there by SQL: the trail does not know them.
 * Its ledger, if there is one, has them from D1.
 */
export async function largeOrganization(
  kit: Kit,
  members: number
): Promise<TestOrganization & { readonly someMember: string }> {
  const organization = await newOrganization(createKit({ provider: 'd1' }), members + 1000)
  const prefix = crypto.randomUUID()
  const numbers = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)`
  await testEnv.DB.batch([
    testEnv.DB.prepare(
      `INSERT INTO users (id, email, password_hash, created_at) ${numbers}
       SELECT ?1 || '-' || i, ?1 || '-' || i || '@example.com', 'none', 0 FROM n`
    ).bind(prefix, members - 1),
    testEnv.DB.prepare(
      `INSERT INTO seatgate_memberships
         (id, organization_id, user_id, role, seat_id, created_at, updated_at) ${numbers}
       SELECT ?1 || '-m' || i, ?3, ?1 || '-' || i, 'member', ?1 || '-s' || i, i, i FROM n`
    ).bind(prefix, members - 1, organization.id),
  ])
  unwrap(await seatUsage(kit.seatgate, organization.as(organization.owner)))
  return { ...organization, someMember: `${prefix}-1` }
}

/** Somebody with a session, who is looked up by it as the reference host does it. */
export async function signedIn({ seatgate }: Kit, userId: string): Promise<PrincipalQuery> {
  const { token, tokenHash } = await newSession()
  await insertSession(drizzle(testEnv.DB), tokenHash, userId, new Date())
  return sessionQuery(seatgate.db, token, () => false)
}

/** The value of an answer that the test cannot do without. */
export function unwrap<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`Refused: ${JSON.stringify(result.error)}`)
  return result.value
}

/** The code of a refusal; `ok` if it was none. */
export function codeOf(result: Result<unknown>): string {
  return result.ok ? 'ok' : result.error.code
}
