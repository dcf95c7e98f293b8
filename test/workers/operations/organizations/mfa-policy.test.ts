import { afterEach, describe, expect, it } from 'vitest'
import { setMfaPolicy, type MfaCheck, type Report, type Result } from '../../../../src/index.ts'
import {
  everything,
  isChange,
  lastEventOf,
  testEnv,
  keys,
  unwrap,
  codeOf,
  createKit,
  join,
  newUser,
  atScale,
} from '../../../kit/index.ts'

const kit = createKit()
const { seatgate } = kit
const enrolled: MfaCheck = (_userId) => true
const ON = { enabled: true }
const OFF = { enabled: false }

afterEach(() => testEnv.DB.exec('DROP TRIGGER IF EXISTS broken'))

const flagOf = (id: string) =>
  testEnv.DB.prepare(
    'SELECT enforce_mfa_for_members AS flag FROM seatgate_organizations WHERE id = ?'
  )
    .bind(id)
    .first('flag')

describe('setMfaPolicy', () => {
  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['a boolean', true],
    ['a text', 'isEnrolled'],
    ['an object', { check: enrolled }],
    ['a function of no argument', () => true],
    ['a function of two', (_userId: string, _organizationId: string) => true],
  ])('throws when it is to be enabled with %s for mfaCheck [ORG-123]', async (_what, mfaCheck) => {
    const { owner, as } = await kit.organization()
    const rows = await everything()
    const options = mfaCheck === undefined ? {} : { mfaCheck: mfaCheck as MfaCheck }
    await expect(setMfaPolicy(seatgate, as(owner), ON, options)).rejects.toThrow(/mfaCheck/)
    expect(await everything()).toEqual(rows)
  })

  it.each([
    [ON, { mfaCheck: enrolled }],
    [OFF, {}],
  ])(
    'answers the organization as it is for the policy that it has: %j [ORG-124]',
    async (to, options) => {
      const { id, owner, as } = await kit.organization()
      const set = (s = seatgate) => setMfaPolicy(s, as(owner), to, options)
      const before = unwrap(await set())
      const rows = await everything()
      const asked: string[] = []
      const watched = createKit({
        around(trip, run) {
          asked.push(...trip.asked)
          return run()
        },
      })
      expect(unwrap(await set(watched.seatgate))).toEqual(before)
      expect(asked.length).toBeGreaterThan(0)
      expect(asked.filter((sql) => !sql.startsWith('select'))).toEqual([])
      expect(await everything()).toEqual(rows)
      expect(await flagOf(id)).toBe(Number(to.enabled))
    }
  )

  it('requires a second factor of the user who enables it, also if it is enabled already [ORG-125]', async () => {
    const { id, owner, as } = await kit.organization()
    const asked: string[] = []
    const mfaCheck: MfaCheck = (userId) => {
      asked.push(userId)
      return false
    }
    const rows = await everything()
    const refused = () => setMfaPolicy(seatgate, as(owner), ON, { mfaCheck })
    expect(codeOf(await refused())).toBe('admin_must_enroll_first')
    expect(await everything()).toEqual(rows)
    unwrap(await setMfaPolicy(seatgate, as(owner), ON, { mfaCheck: enrolled }))
    expect(codeOf(await refused())).toBe('admin_must_enroll_first')
    expect(await flagOf(id)).toBe(1)
    expect(asked).toEqual([owner, owner])
  })

  it.each<[string, (userId: string) => unknown]>([
    [
      'throws',
      (_userId) => {
        throw new Error('down')
      },
    ],
    ['rejects', (_userId) => Promise.reject(new Error('down'))],
    ['answers a text', (_userId) => 'yes'],
    ['answers a number', (_userId) => 1],
    ['answers an object', (_userId) => ({})],
    ['answers nothing', (_userId) => undefined],
  ])('treats a check that %s as no check [ORG-125]', async (_what, mfaCheck) => {
    const { owner, as } = await kit.organization()
    const rows = await everything()
    const options = { mfaCheck: mfaCheck as MfaCheck }
    expect(codeOf(await setMfaPolicy(seatgate, as(owner), ON, options))).toBe(
      'admin_must_enroll_first'
    )
    expect(await everything()).toEqual(rows)
  })

  it('sets the flag and records both values, in one batch [ORG-126]', async () => {
    const organization = await kit.organization()
    const { id, as } = organization
    const admin = await join(kit, organization, 'admin')
    const changes: (readonly string[])[] = []
    const watched = createKit({
      around({ store, asked }, run) {
        if (store === 'd1' && !asked.every((sql) => sql.startsWith('select'))) changes.push(asked)
        return run()
      },
    })
    const set = unwrap(await setMfaPolicy(watched.seatgate, as(admin), ON, { mfaCheck: enrolled }))
    expect(set).toMatchObject({ id, enforceMfaForMembers: true })
    expect(changes).toHaveLength(1)
    expect(changes[0]!.some((sql) => sql.startsWith('update "seatgate_organizations"'))).toBe(true)
    expect(changes[0]!.some((sql) => sql.startsWith('insert into "seatgate_audit_events"'))).toBe(
      true
    )
    expect(await flagOf(id)).toBe(1)
    expect(await lastEventOf(id)).toEqual({
      action: 'organization.mfa_policy_change',
      actorId: admin,
      targetType: 'organization',
      targetId: id,
      metadata: { old_value: false, new_value: true },
    })
  })

  it('is disabled without any check [ORG-127]', async () => {
    const { id, owner, as } = await kit.organization()
    unwrap(await setMfaPolicy(seatgate, as(owner), ON, { mfaCheck: enrolled }))
    const off = unwrap(await setMfaPolicy(seatgate, as(owner), OFF))
    expect([off.enforceMfaForMembers, await flagOf(id)]).toEqual([false, 0])
    expect((await lastEventOf(id)).metadata).toEqual({ old_value: true, new_value: false })
  })

  it.each([['seatgate_audit_events'], ['seatgate_audit_outbox']])(
    'is mfa_policy_aborted if %s cannot be written: the flag stays, a report names the field [ORG-128]',
    async (table) => {
      const { id, owner, as } = await kit.organization()
      await testEnv.DB.exec('DELETE FROM seatgate_audit_outbox')
      const rows = await everything()
      const reports: Report[] = []
      // The log accepts every event, so the batch marks the organization.
      const auditLogKey = keys.privateKey
      const loud = createKit({ auditLogKey, report: (report) => reports.push(report) })
      await testEnv.DB.exec(
        `CREATE TRIGGER broken BEFORE INSERT ON ${table} BEGIN SELECT abs(-9223372036854775808); END;`
      )
      const answer = await setMfaPolicy(loud.seatgate, as(owner), ON, { mfaCheck: enrolled })
      expect(answer).toEqual({ ok: false, error: { code: 'mfa_policy_aborted' } })
      expect([await flagOf(id), await everything()]).toEqual([0, rows])
      const [metric] = reports.filter(({ event }) => event === 'mfa_policy_aborted')
      expect(metric).toEqual({ event: 'mfa_policy_aborted', error: ['enforce_mfa_for_members'] })
      expect(JSON.stringify(metric)).not.toContain(owner)
    }
  )

  it('is mfa_policy_aborted if D1 does not answer, before or at the batch [ORG-128]', async () => {
    const { id, owner, as } = await kit.organization()
    for (const lost of [isChange, () => true]) {
      const away = createKit({
        around({ asked }, run) {
          if (lost(asked)) throw new Error('Network connection lost.')
          return run()
        },
      })
      const answer = await setMfaPolicy(away.seatgate, as(owner), ON, { mfaCheck: enrolled })
      expect([codeOf(answer), await flagOf(id)]).toEqual(['mfa_policy_aborted', 0])
    }
  })

  it.each([
    [{}, 'enabled'],
    [{ enabled: 'true' }, 'enabled'],
    [{ enabled: 1 }, 'enabled'],
    [{ enabled: null }, 'enabled'],
    [{ enabled: [true] }, 'enabled'],
    [JSON.parse('{"__proto__":{"enabled":true}}'), 'enabled'],
    [[], 'enabled'],
    [null, 'body'],
    [true, 'body'],
  ])('refuses %j, and names the error', async (input, field) => {
    const { owner, as } = await kit.organization()
    const rows = await everything()
    const refusal: Result<unknown> = await setMfaPolicy(seatgate, as(owner), input, {
      mfaCheck: enrolled,
    })
    expect(refusal).toMatchObject({ error: { errors: { [field]: [expect.any(String)] } } })
    expect(await everything()).toEqual(rows)
  })

  it('is for owners and admins', async () => {
    const organization = await kit.organization()
    const member = await join(kit, organization)
    const ask = (userId: string) =>
      setMfaPolicy(seatgate, organization.as(userId), ON, { mfaCheck: enrolled })
    expect(codeOf(await ask(member))).toBe('insufficient_role')
    expect(codeOf(await ask(await newUser()))).toBe('organization_not_found')
  })

  it('on and off at once ends in one of the two, with the matching trail, in 20 rounds', async () => {
    const { id, owner, as } = await kit.organization()
    for (let round = 0; round < atScale({ share: 5, thorough: 20 }); round++) {
      const far = createKit({ delayMs: round % 3 })
      const answers = await Promise.all(
        [ON, OFF, ON, OFF].map((to) =>
          setMfaPolicy(far.seatgate, as(owner), to, { mfaCheck: enrolled })
        )
      )
      for (const answer of answers)
        expect(['ok', 'operation_in_progress']).toContain(codeOf(answer))
    }
    const { results } = await testEnv.DB.prepare(
      `SELECT metadata FROM seatgate_audit_events WHERE organization_id = ?
       AND action = 'organization.mfa_policy_change' ORDER BY sequence`
    )
      .bind(id)
      .all<{ metadata: string }>()
    let flag = false
    for (const { metadata } of results) {
      const { old_value, new_value } = JSON.parse(metadata) as Record<string, boolean>
      expect([old_value, new_value]).toEqual([flag, !flag])
      flag = !flag
    }
    expect(await flagOf(id)).toBe(Number(flag))
  })
})
