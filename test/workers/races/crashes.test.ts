import { runDurableObjectAlarm } from 'cloudflare:test'
import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  addMember,
  createOrganization,
  forwardOrganization,
  removeMember,
  setSeatLimit,
  type Result,
} from '../../../src/index.ts'
import {
  shareOf,
  abandonedAdd,
  expectSound,
  faultAt,
  ledgerOf,
  losing,
  moments,
  muchLater,
  passTime,
  aroundDatabaseOf,
  type Fault,
  readLedger,
  readState,
  testEnv,
  add,
  unwrap,
  codeOf,
  createKit,
  join,
  newUser,
  type TestOrganization,
  type Kit,
} from '../../kit/index.ts'

const kinds: Fault[] = ['failure', 'death']
const eachFault = kinds.flatMap((kind) => moments.map((moment) => ({ kind, moment })))

afterEach(() => {
  vi.useRealTimers()
})

describe('a crash at every step', () => {
  interface Scene {
    readonly organizationId: () => Promise<string | null>
    act(kit: Kit): Promise<Result<unknown>>
    /** What an answer of success promised. */
    kept(): Promise<boolean>
    /** How the same thing, asked for again, may be answered. */
    readonly again: readonly string[]
  }
  type Staging = (calm: Kit, operationId: string | undefined) => Promise<Scene>

  const addingTheLast: Staging = async (calm, operationId) => {
    const organization = await calm.organization({ seats: 2 })
    const userId = await newUser()
    return {
      organizationId: async () => organization.id,
      act: ({ seatgate }) =>
        addMember(
          seatgate,
          organization.as(organization.owner),
          { userId, role: 'member' },
          operation(operationId)
        ),
      kept: () => isMember(organization, userId),
      again: ['ok'],
    }
  }
  const creating: Staging = async (_calm, operationId) => {
    const owner = await newUser()
    const slug = `t${crypto.randomUUID().replaceAll('-', '')}`
    const organizationId = () =>
      testEnv.DB.prepare('SELECT id FROM seatgate_organizations WHERE slug = ?')
        .bind(slug)
        .first<string>('id')
    return {
      organizationId,
      act: ({ seatgate }) =>
        createOrganization(
          seatgate,
          { caller: { userId: owner } },
          { name: 'Test', slug },
          operation(operationId)
        ),
      kept: async () => (await organizationId()) !== null,
      again: operationId === undefined ? ['ok', 'validation_error'] : ['ok'],
    }
  }
  const removing: Staging = async (calm, operationId) => {
    const organization = await calm.organization({ seats: 2 })
    const userId = await join(calm, organization)
    return {
      organizationId: async () => organization.id,
      act: ({ seatgate }) =>
        removeMember(seatgate, organization.as(organization.owner), userId, operation(operationId)),
      kept: async () => !(await isMember(organization, userId)),
      again: operationId === undefined ? ['ok', 'not_found'] : ['ok'],
    }
  }
  const lowering: Staging = async (calm) => {
    const organization = await calm.organization({ seats: 9 })
    return {
      organizationId: async () => organization.id,
      act: ({ seatgate }) => setSeatLimit(seatgate, organization.asOperator, { limit: 2 }),
      kept: async () => (await readState(organization.id)).entitlement?.limit_seats === 2,
      again: ['ok'],
    }
  }

  // Only events that the ledger accepts send a message: the last three stagings have that step.
  const stagings = [
    { what: 'adding a member', stage: addingTheLast, keyed: false, steps: 4 },
    { what: 'adding a member under an operation id', stage: addingTheLast, keyed: true, steps: 4 },
    { what: 'creating an organization', stage: creating, keyed: false, steps: 2 },
    { what: 'creating an organization under an id', stage: creating, keyed: true, steps: 2 },
    { what: 'removing a member', stage: removing, keyed: false, steps: 4 },
    { what: 'removing a member under an operation id', stage: removing, keyed: true, steps: 4 },
    { what: 'lowering a limit', stage: lowering, keyed: false, steps: 4 },
  ]
  const cases = stagings.flatMap((staging) => eachFault.map((fault) => ({ ...staging, ...fault })))

  it.each(shareOf(cases, 6))(
    '$what heals ($kind $moment each step) [SEAT-14 SEAT-15 SEAT-23 FWD-14 MUSEUM-29]',
    async ({ stage, keyed, kind, moment, steps }) => {
      let reached = true
      let step = 0
      while (reached) {
        step += 1
        const calm = createKit()
        const operationId = keyed ? crypto.randomUUID() : undefined
        const scene = await stage(calm, operationId)
        const fault = faultAt(step, kind, moment)
        const kit = createKit({ around: fault.around })
        const answer = await Promise.race([scene.act(kit), fault.died])
        await Promise.race([kit.settled(), fault.died])
        reached = fault.reached()

        const at = `${kind} ${moment} step ${step}`
        const acknowledged = answer !== null && answer.ok
        if (acknowledged) expect(await scene.kept(), at).toBe(true)
        await expectSound(await scene.organizationId(), false, at)

        await muchLater(await scene.organizationId())
        await expectSound(await scene.organizationId(), true, at)
        if (acknowledged) expect(await scene.kept(), at).toBe(true)

        const again = await scene.act(calm)
        await calm.settled()
        expect(scene.again, `${at}: ${JSON.stringify(again)}`).toContain(codeOf(again))
        if (acknowledged && keyed) expect(again, at).toEqual(answer)
        expect(await scene.kept(), at).toBe(true)
        await expectSound(await scene.organizationId(), true, at)
        vi.useRealTimers()
      }
      // The last turn met no fault any more: so many steps there are, and each had its crash.
      expect(step - 1).toBe(steps)
    }
  )

  it.each(shareOf(eachFault, 2))(
    'a forwarder that crashes loses no release ($kind $moment each step) [SEAT-23 FWD-14 FWD-16]',
    async ({ kind, moment }) => {
      let reached = true
      let step = 0
      while (reached) {
        step += 1
        const calm = createKit()
        const organization = await calm.organization({ seats: 2 })
        const userId = await join(calm, organization)
        await forwardOrganization(calm.seatgate, organization.id)
        const deaf = createKit({ around: losing('ledger') })
        unwrap(await removeMember(deaf.seatgate, organization.as(organization.owner), userId))
        expect((await readLedger(organization.id))?.held).toBe(2)

        const fault = faultAt(step, kind, moment)
        const { seatgate } = createKit({ around: fault.around })
        await Promise.race([
          forwardOrganization(seatgate, organization.id).catch(() => null),
          fault.died,
        ])
        reached = fault.reached()
        await muchLater(organization.id)
        await expectSound(organization.id, true, `${kind} ${moment} step ${step}`)
        vi.useRealTimers()
      }
      // The lease, the release, the lease given back.
      expect(step - 1).toBe(3)
    }
  )

  it.each(moments)(
    'D1 failing %s it settled a deadline keeps the seat until it answers [SEAT-17]',
    async (moment) => {
      const { organization, calm } = await abandonedAdd()
      passTime(31_000)
      const restore = await aroundDatabaseOf(organization, async (run) => {
        if (moment === 'after') await run()
        throw new Error('D1_ERROR: Network connection lost.')
      })
      // The platform drops an alarm that failed six times; this one comes back by itself.
      for (let attempt = 0; attempt < 8; attempt++) {
        expect(await runDurableObjectAlarm(ledgerOf(organization))).toBe(true)
        expect(await readLedger(organization.id)).toMatchObject({ held: 1, reserved: 1 })
      }
      expect(await add(calm, organization)).toMatchObject({
        error: { code: 'seat_limit_reached', limit: 2, used: 2 },
      })

      await restore()
      expect(await runDurableObjectAlarm(ledgerOf(organization)), 'armed again').toBe(true)
      await expectSound(organization.id, true)
      expect(codeOf(await add(calm, organization))).toBe('ok')
    }
  )
})

function operation(operationId: string | undefined) {
  return operationId === undefined ? {} : { operationId }
}

async function isMember({ id }: TestOrganization, userId: string): Promise<boolean> {
  const { members } = await readState(id)
  return members.some(({ user_id }) => user_id === userId)
}
