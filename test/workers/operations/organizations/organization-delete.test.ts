import { describe, expect, it } from 'vitest'
import {
  addMember,
  forwardOrganization,
  loadActiveOrganization,
  refuse,
  renameOrganization,
  softDeleteOrganization,
  type Hooks,
  type SessionStore,
} from '../../../../src/index.ts'
import { sweepHandler } from '../../../../src/worker/index.ts'
import {
  actionsOf,
  everyHook,
  everything,
  lastEventOf,
  meanwhile,
  pointerOf,
  sessionOf,
  softDeleted,
  readLedger,
  testEnv,
  unwrap,
  codeOf,
  createKit,
  join,
  newUser,
  PASSWORD,
  type KitOptions,
} from '../../../kit/index.ts'

const kit = createKit()
const { seatgate } = kit
const RIGHT = { confirmName: 'Test', password: PASSWORD }

/** A world that writes down who is asked, and in which order. */
function listening(hooks: Hooks = {}, options: KitOptions = {}) {
  const heard: string[] = []
  const made = createKit({
    verifyPassword(_userId, password) {
      heard.push('verifyPassword')
      return password === PASSWORD
    },
    hooks: { ...everyHook((hook) => heard.push(hook)), ...hooks },
    ...options,
  })
  return { ...made, heard }
}

describe('softDeleteOrganization', () => {
  it('answers the organization with the time of its deletion [ORG-22]', async () => {
    const { id, slug, owner, as } = await kit.organization()
    const now = new Date('2031-02-03T04:05:06.789Z')
    const clocked = createKit({ now: () => now })
    const deleted = unwrap(await softDeleteOrganization(clocked.seatgate, as(owner), RIGHT))
    expect(deleted).toMatchObject({ id, slug, name: 'Test', deletedAt: now.toISOString() })
    const row = await testEnv.DB.prepare(
      'SELECT deleted_at FROM seatgate_organizations WHERE id = ?'
    )
      .bind(id)
      .first('deleted_at')
    expect(row).toBe(now.getTime())
  })

  it.each([['test'], ['TEST'], ['Test '], [' Test'], ['Тest'], ['']])(
    'refuses the confirmation %j of the name "Test" [ORG-23]',
    async (confirmName) => {
      const { owner, as } = await kit.organization()
      const rows = await everything()
      const input = { ...RIGHT, confirmName }
      expect(await softDeleteOrganization(seatgate, as(owner), input)).toMatchObject({
        error: { code: 'validation_error', errors: { confirmName: [expect.any(String)] } },
      })
      expect(await everything()).toEqual(rows)
    }
  )

  it.each([
    [{}, ['confirmName', 'password']],
    [{ confirmName: 'Test' }, ['password']],
    [{ confirmName: 'Test', password: null }, ['password']],
    [{ confirmName: 'Test', password: '' }, ['password']],
    [{ confirmName: 'Test', password: 7 }, ['password']],
    [{ confirmName: 'Test', password: [PASSWORD] }, ['password']],
    [{ confirmName: 'Test', password: 'x'.repeat(1025) }, ['password']],
    [{ confirmName: ['Test'], password: PASSWORD }, ['confirmName']],
    [{ confirmName: { toString: 'Test' }, password: { length: 1 } }, ['confirmName', 'password']],
    [
      JSON.parse('{"__proto__":{"confirmName":"Test","password":"correct horse"}}'),
      ['confirmName', 'password'],
    ],
    [[], ['confirmName', 'password']],
    [null, ['body']],
    ['Test', ['body']],
  ])('refuses %j, and names the error', async (input, fields) => {
    const { owner, as } = await kit.organization()
    const rows = await everything()
    const refusal = await softDeleteOrganization(seatgate, as(owner), input)
    if (refusal.ok || refusal.error.code !== 'validation_error') throw new Error(codeOf(refusal))
    expect(Object.keys(refusal.error.errors).sort()).toEqual(fields)
    expect(await everything()).toEqual(rows)
  })

  it('asks for the fields, then the proof, then the hook, and is over at the first no [ORG-24]', async () => {
    const { owner, as } = await kit.organization()
    const { seatgate, heard } = listening({
      beforeDeleteOrganization() {
        heard.push('beforeDeleteOrganization')
        return refuse('not_on_fridays')
      },
    })
    const ask = async (input: unknown) => {
      heard.length = 0
      return [codeOf(await softDeleteOrganization(seatgate, as(owner), input as never)), ...heard]
    }
    const rows = await everything()
    expect(await ask({ confirmName: 'no', password: 'no' })).toEqual(['validation_error'])
    expect(await ask({ confirmName: 7, password: 'no' })).toEqual(['validation_error'])
    expect(await ask({ ...RIGHT, password: 'no' })).toEqual(['invalid_password', 'verifyPassword'])
    expect(await ask(RIGHT)).toEqual(['hook_refused', 'verifyPassword', 'beforeDeleteOrganization'])
    expect(await everything()).toEqual(rows)
  })

  it('answers invalid_password to a wrong password and writes no row [ORG-25]', async () => {
    const { owner, as } = await kit.organization()
    const rows = await everything()
    for (const password of ['wrong', PASSWORD.toUpperCase(), ` ${PASSWORD}`]) {
      const refusal = await softDeleteOrganization(seatgate, as(owner), { ...RIGHT, password })
      expect(codeOf(refusal)).toBe('invalid_password')
    }
    expect(await everything()).toEqual(rows)
  })

  it('writes organization.delete, and calls the hook once the batch is in [ORG-26]', async () => {
    const { id, owner, as } = await kit.organization()
    const seen: unknown[] = []
    const { seatgate, settled } = listening({
      async afterDeleteOrganization({ organization, actor }) {
        const gone = await testEnv.DB.prepare(
          'SELECT deleted_at FROM seatgate_organizations WHERE id = ?'
        )
          .bind(organization.id)
          .first('deleted_at')
        seen.push([organization.id, actor, gone !== null])
      },
    })
    unwrap(await softDeleteOrganization(seatgate, as(owner), RIGHT))
    await settled()
    expect(seen).toEqual([[id, { type: 'user', id: owner }, true]])
    expect(await lastEventOf(id)).toEqual({
      action: 'organization.delete',
      actorId: owner,
      targetType: 'organization',
      targetId: id,
      metadata: {},
    })
    expect(await testEnv.DB.prepare('SELECT count(*) AS n FROM seatgate_jobs').first('n')).toBe(0)
  })

  it('succeeds with a hook that fails afterwards, and calls it again later [ORG-26]', async () => {
    const { owner, as } = await kit.organization()
    const clock = { now: Date.now() }
    let calls = 0
    const { seatgate, settled } = listening(
      {
        afterDeleteOrganization() {
          calls += 1
          if (calls === 1) throw new Error('down')
        },
      },
      { now: () => new Date(clock.now), random: () => 0 }
    )
    expect(codeOf(await softDeleteOrganization(seatgate, as(owner), RIGHT))).toBe('ok')
    await settled()
    expect(calls).toBe(1)
    clock.now += 3_600_000
    await sweepHandler(seatgate)()
    await settled()
    expect(calls).toBe(2)
    expect(await testEnv.DB.prepare('SELECT count(*) AS n FROM seatgate_jobs').first('n')).toBe(0)
  })

  it('answers organization_not_found to the second deletion, and writes no row [ORG-30]', async () => {
    const { id, slug, owner, as } = await kit.organization()
    unwrap(await softDeleteOrganization(seatgate, as(owner), RIGHT))
    const rows = await everything()
    for (const organization of [id, slug]) {
      const scope = { caller: { userId: owner }, organization }
      const again = await softDeleteOrganization(seatgate, scope, RIGHT)
      expect(codeOf(again)).toBe('organization_not_found')
    }
    expect(await everything()).toEqual(rows)
  })

  it('is for owners: others are refused before their input or password is read', async () => {
    const organization = await kit.organization()
    const admin = await join(kit, organization, 'admin')
    const { seatgate, heard } = listening()
    for (const input of [RIGHT, {}, null, { ...RIGHT, password: 'wrong' }]) {
      const byAdmin = await softDeleteOrganization(seatgate, organization.as(admin), input as never)
      const stranger = organization.as(await newUser())
      const byStranger = await softDeleteOrganization(seatgate, stranger, input as never)
      expect([byAdmin, byStranger].map(codeOf)).toEqual([
        'insufficient_role',
        'organization_not_found',
      ])
    }
    expect(heard).toEqual([])
  })

  it('needs no proof from the host itself, and takes no proof from a machine', async () => {
    const { id } = await kit.organization()
    const scope = { organization: id, requestId: 'r1' }
    const bot = {
      type: 'service_account',
      serviceAccountId: 'bot',
      organizationId: id,
      role: 'owner',
    } as const
    const byBot = await softDeleteOrganization(seatgate, { ...scope, caller: bot }, RIGHT)
    expect(codeOf(byBot)).toBe('step_up_required')
    const system = { type: 'system' } as const
    const input = { confirmName: 'Test' }
    unwrap(await softDeleteOrganization(seatgate, { ...scope, caller: system }, input))
  })

  it('refuses a confirmation that a rename has overtaken, on the new name', async () => {
    const organization = await kit.organization()
    const admin = await join(kit, organization, 'admin')
    const around = meanwhile(() =>
      renameOrganization(seatgate, organization.as(admin), { name: 'Another' })
    )
    const { seatgate: slow, heard, settled } = listening({}, { around })
    const refusal = await softDeleteOrganization(slow, organization.as(organization.owner), RIGHT)
    await settled()
    expect(refusal).toMatchObject({
      error: { errors: { confirmName: ['Must be the name of the organization.'] } },
    })
    expect(heard).toEqual(['verifyPassword', 'beforeDeleteOrganization'])
    expect((await lastEventOf(organization.id)).action).toBe('organization.rename')
    const confirmed = { ...RIGHT, confirmName: 'Another' }
    unwrap(await softDeleteOrganization(slow, organization.as(organization.owner), confirmed))
  })

  it('checks the password once, however often the batch has to be planned again', async () => {
    const { id, owner, as } = await kit.organization()
    const around = meanwhile(() =>
      testEnv.DB.prepare(
        "UPDATE seatgate_memberships SET seat_id = 'other-' || seat_id WHERE organization_id = ?"
      )
        .bind(id)
        .run()
    )
    const { seatgate: slow, heard, settled } = listening({}, { around })
    unwrap(await softDeleteOrganization(slow, as(owner), RIGHT))
    await settled()
    expect(heard).toEqual([
      'verifyPassword',
      'beforeDeleteOrganization',
      'beforeDeleteOrganization',
      'afterDeleteOrganization',
    ])
  })
})

describe('the sessions of a deleted organization', () => {
  it('point nowhere from the same batch on, every user’s, and no others', async () => {
    const [organization, other] = [await kit.organization(), await kit.organization()]
    const member = await join(kit, organization)
    const inside = [
      await sessionOf(organization.owner, organization.id),
      await sessionOf(organization.owner, organization.id),
      await sessionOf(member, organization.id),
    ]
    const elsewhere = await sessionOf(other.owner, other.id)
    const stale = createKit({
      async around({ asked }, run) {
        const answer = await run()
        if (asked.some((sql) => sql.startsWith('update "seatgate_organizations"'))) {
          expect(await Promise.all(inside.map(pointerOf))).toEqual([null, null, null])
        }
        return answer
      },
    })
    expect(await Promise.all(inside.map(pointerOf))).toEqual(inside.map(() => organization.id))
    await softDeleted(stale.seatgate, organization)
    expect(await Promise.all(inside.map(pointerOf))).toEqual([null, null, null])
    expect(await pointerOf(elsewhere)).toBe(other.id)
    const caller = { userId: member, session: inside[2]! }
    expect(await loadActiveOrganization(seatgate, { caller })).toMatchObject({ organization: null })
  })

  it('in a store of the host’s are ended after the batch, until it succeeds', async () => {
    const asked: unknown[] = []
    let up = false
    const sessions: SessionStore = {
      updateActiveOrganization: async (_db, session) => ({ ok: true, value: session }),
      async endActiveOrganization(_db, pointers) {
        asked.push(pointers)
        if (!up) throw new Error('down')
      },
    }
    const clock = { now: Date.now() }
    const hosted = createKit({ sessions, now: () => new Date(clock.now), random: () => 0 })
    const { id, owner, as } = await hosted.organization()
    unwrap(await softDeleteOrganization(hosted.seatgate, as(owner), RIGHT))
    await hosted.settled()
    expect(asked).toEqual([{ organizationId: id, userId: null }])
    up = true
    clock.now += 3_600_000
    await sweepHandler(hosted.seatgate)()
    await sweepHandler(hosted.seatgate)()
    expect(asked).toHaveLength(2)
  })
})

describe('the members of a deleted organization', () => {
  it('stay, seats included, and cannot be added to', async () => {
    const organization = await kit.organization({ seats: 5 })
    await join(kit, organization)
    const members = () =>
      testEnv.DB.prepare('SELECT * FROM seatgate_memberships WHERE organization_id = ? ORDER BY id')
        .bind(organization.id)
        .all()
    const before = await members()
    await softDeleted(seatgate, organization)
    const input = { userId: await newUser(), role: 'member' }
    const late = await addMember(seatgate, organization.as(organization.owner), input)
    expect(codeOf(late)).toBe('organization_not_found')
    expect((await members()).results).toEqual(before.results)
    expect((await actionsOf(organization.id)).at(-1)).toBe('organization.delete')
  })

  it('are counted by no ledger after a run of the outbox [SEAT-33]', async () => {
    const organization = await kit.organization({ seats: 5 })
    await join(kit, organization)
    expect(await readLedger(organization.id)).not.toBeNull()
    await softDeleted(seatgate, organization)
    await forwardOrganization(seatgate, organization.id)
    expect(await readLedger(organization.id)).toBeNull()
  })
})
