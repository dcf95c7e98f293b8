import { eq } from 'drizzle-orm'
import { users as accounts } from '../../../host/identity/schema.ts'
import * as seatgate from '../../../src/index.ts'
import type { Result } from '../../../src/index.ts'
import type { FullSeatgate } from '../../kit/flat-options.ts'
import {
  anyMember,
  as,
  once,
  operator,
  PASSWORD,
  returner,
  sessionOf,
  type Deeds,
  type Maker,
  type Occasion,
} from './deed.ts'

const signedIn = (userId: string, { pointerOf }: Occasion) => ({
  userId,
  session: { id: sessionOf(userId), activeOrganizationId: pointerOf(userId) },
})

type Recording = (library: FullSeatgate, scope: ReturnType<typeof as>) => Promise<Result<unknown>>

/** What the host puts on record as done by a member. */
const recorded =
  (prepare: (occasion: Occasion) => Recording): Maker =>
  (occasion) => {
    const by = anyMember(occasion)?.user_id
    if (by === undefined) return null
    const record = prepare(occasion)
    return once(by, (library) => record(library, as(by, occasion)))
  }

const answered = <T>(value: T) => ({ ok: true, value }) as const

/** A user, and where they work; and what the host records of its own. */
export const users: Deeds = {
  deleteUser: [
    2,
    (occasion) => {
      const back = occasion.random.chance(0.5) ? returner(occasion) : undefined
      const by = back ?? anyMember(occasion)?.user_id
      if (by === undefined) return null
      const input = { password: PASSWORD }
      return once(by, (library) => seatgate.deleteUser(library, { caller: { userId: by } }, input))
    },
  ],
  prepareUserDeletion: [
    1,
    (occasion) => {
      const target = occasion.random.chance(0.5) ? anyMember(occasion)?.user_id : undefined
      if (target === undefined) return null
      return once('operator', async (library) => {
        const scope = { caller: operator }
        const prepared = await seatgate.prepareUserDeletion(library, scope, target)
        if (!prepared.ok) return prepared
        const account = library.db.delete(accounts).where(eq(accounts.id, target))
        return seatgate.commitTogether(library, prepared.value, { after: [account] })
      })
    },
  ],
  putActiveOrganization: [
    4,
    (occasion) => {
      const by = anyMember(occasion)?.user_id ?? occasion.userIds[0] ?? ''
      const caller = signedIn(by, occasion)
      const to = occasion.random.chance(0.8) ? occasion.organization.id : null
      return once(by, (library) => seatgate.putActiveOrganization(library, { caller }, to))
    },
  ],
  loadActiveOrganization: [
    2,
    (occasion) => {
      const by = occasion.random.pick(occasion.userIds) ?? ''
      const caller = signedIn(by, occasion)
      return once(by, async (library) =>
        answered(await seatgate.loadActiveOrganization(library, { caller }))
      )
    },
  ],
  activateAtLogin: [
    1,
    (occasion) => {
      const by = occasion.random.pick(occasion.userIds) ?? ''
      const { session } = signedIn(by, occasion)
      return once(by, async (library) =>
        answered(await seatgate.activateAtLogin(library, by, session))
      )
    },
  ],
  logEvent: [
    2,
    recorded(({ random }) => {
      const key = random.chance(0.5) ? { idempotencyKey: `act ${random.below(5)}` } : {}
      const event = { action: 'document.opened', ...key }
      return (library, scope) => seatgate.logEvent(library, scope, event)
    }),
  ],
  logSafe: [
    1,
    recorded(
      () => async (library, scope) =>
        answered(await seatgate.logSafe(library, scope, { action: 'document.closed' }))
    ),
  ],
  prepareEvents: [
    1,
    recorded(() => async (library, scope) => {
      const events = [{ action: 'document.moved' }, { action: 'document.shared' }]
      const prepared = seatgate.prepareEvents(library, scope, events)
      return prepared.ok ? seatgate.commitTogether(library, prepared.value) : prepared
    }),
  ],
  erasePersonalData: [
    1,
    ({ random, userIds }) => {
      const target = random.pick(userIds) ?? ''
      return once('operator', (library) =>
        seatgate.erasePersonalData(library, { caller: operator }, target)
      )
    },
  ],
}
