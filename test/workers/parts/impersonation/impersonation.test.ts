import { describe, expect, it } from 'vitest'
import {
  addMember,
  getOrganization,
  listAuditEvents,
  listMembers,
  listOrganizations,
  prepareMember,
  commitTogether,
  removeMember,
  renameOrganization,
  restoreMember,
  restoreOrganization,
  suspendMember,
} from '../../../../src/index.ts'
import { sweepHandler } from '../../../../src/worker/index.ts'
import {
  authenticateImpersonation,
  endImpersonation,
  impersonation,
  impersonationRoutes,
  listImpersonations,
  listOwnImpersonations,
  startImpersonation,
  type StartImpersonationInput,
} from '../../../../src/hono/impersonation/index.ts'
import {
  actingAs,
  actionsOf,
  codeOf,
  createImpersonationKit,
  everything,
  eventsOf,
  isChange,
  join,
  meanwhile,
  newUser,
  operator,
  PASSWORD,
  REASON,
  softDeleted,
  testEnv,
  unwrap,
  type TestOrganization,
} from '../../../kit/index.ts'

let time = Date.parse('2026-05-01T00:00:00Z')
const now = () => new Date(time)
const MINUTE = 60_000
const kit = createImpersonationKit({ now })
const { context, seatgate, client } = kit

/** An operator who has started none. */
const someone = () => ({ userId: `operator ${crypto.randomUUID()}`, operator: true }) as const

const start = (
  organization: TestOrganization,
  input: Partial<StartImpersonationInput> = {},
  caller: Parameters<typeof startImpersonation>[1]['caller'] = someone(),
  options = {}
) =>
  startImpersonation(
    context,
    { caller, organization: organization.id },
    { userId: organization.owner, reason: REASON, minutes: 15, password: PASSWORD, ...input },
    options
  )

const status = async ({ id }: TestOrganization, token: string) =>
  (await client.get(`/organizations/${id}/members`, token)).status

const lastEventOf = async (organization: string) => {
  const scope = { caller: { type: 'system' }, organization } as const
  return unwrap(await listAuditEvents(seatgate, scope, { limit: 1 })).data[0]
}

describe('a start', () => {
  it('returns the token once, stores its hash, and is an event with the reason and the end [OP-7 OP-9 OP-12]', async () => {
    const organization = await kit.organization()
    const by = someone()
    const options = { operationId: crypto.randomUUID() }
    const started = unwrap(await start(organization, {}, by, options))
    const { token, ...view } = started
    expect(view).toEqual({
      id: started.id,
      organizationId: organization.id,
      userId: organization.owner,
      operatorId: by.userId,
      reason: REASON,
      expiresAt: new Date(time + 15 * MINUTE).toISOString(),
      createdAt: now().toISOString(),
    })
    expect(unwrap(await start(organization, {}, by, options))).toEqual({ ...view, token: null })
    expect(JSON.stringify(await everything())).not.toContain(token)
    expect(await lastEventOf(organization.id)).toMatchObject({
      id: started.id,
      action: 'organization.impersonation.started',
      actorType: 'operator',
      actorId: by.userId,
      targetType: 'user',
      targetId: organization.owner,
      metadata: { user_id: organization.owner, reason: REASON, expires_at: view.expiresAt },
    })
    expect(await status(organization, token!)).toBe(200)
  })

  it('is refused for a member who was suspended since the read [OP-8]', async () => {
    const organization = await kit.organization()
    const userId = await join(kit, organization)
    const overtaken = createImpersonationKit({
      now,
      around: meanwhile(async () =>
        unwrap(await suspendMember(seatgate, organization.as(organization.owner), userId))
      ),
    })
    const input = { userId, reason: REASON, minutes: 15, password: PASSWORD }
    const scope = { caller: someone(), organization: organization.id }
    expect(codeOf(await startImpersonation(overtaken.context, scope, input))).toBe('not_a_member')
    expect(await eventsOf(organization.id, 'organization.impersonation.started')).toEqual([])
  })

  it('requires an operator in person, with a proof of their own identity [OP-7 OP-8]', async () => {
    const asked: string[] = []
    const proving = createImpersonationKit({
      now,
      verifyPassword(userId, password) {
        asked.push(userId)
        return password === PASSWORD
      },
    })
    const organization = await kit.organization()
    const { caller } = await actingAs(proving.context, organization)
    asked.length = 0
    const by = someone()
    const ask = async (input: object, caller: object = by) =>
      codeOf(
        await startImpersonation(
          proving.context,
          { caller: caller as typeof by, organization: organization.id },
          {
            userId: organization.owner,
            reason: REASON,
            minutes: 15,
            password: PASSWORD,
            ...input,
          }
        )
      )
    expect(await ask({ password: 'wrong' })).toBe('invalid_password')
    expect(await ask({ password: undefined })).toBe('validation_error')
    expect(asked).toEqual([by.userId])
    for (const other of [
      { userId: organization.owner },
      { ...by, impersonatedBy: 'operator' },
      {
        type: 'service_account',
        serviceAccountId: 'm',
        organizationId: organization.id,
        role: 'owner',
      },
      caller,
    ]) {
      expect(await ask({}, other)).toBe('organization_not_found')
    }
    expect(await ask({}, { type: 'system' })).toBe('step_up_required')
    expect(asked).toEqual([by.userId])
    expect(await ask({})).toBe('ok')
  })

  it('requires an active member who is not an operator [OP-8]', async () => {
    const organization = await kit.organization()
    const suspended = await join(kit, organization)
    unwrap(await suspendMember(seatgate, organization.as(organization.owner), suspended))
    for (const userId of [suspended, await newUser(), 'nobody']) {
      expect(codeOf(await start(organization, { userId }))).toBe('not_a_member')
    }
    const by = someone()
    expect(await start(organization, { userId: 'operator 2' }, by)).toMatchObject({
      error: { code: 'validation_error', errors: { userId: ['Must not be an operator.'] } },
    })
    expect(codeOf(await start({ ...organization, id: crypto.randomUUID() }))).toBe(
      'organization_not_found'
    )
    for (const [answer, code] of [
      [undefined, 'validation_error'],
      [null, 'validation_error'],
      [new Error('down'), 'unavailable'],
    ] as const) {
      const asking = createImpersonationKit(
        { now },
        {
          async isOperator() {
            if (answer instanceof Error) throw answer
            return answer as never
          },
        }
      )
      const scope = { caller: by, organization: organization.id }
      const input = { userId: organization.owner, reason: REASON, minutes: 1, password: PASSWORD }
      expect(codeOf(await startImpersonation(asking.context, scope, input))).toBe(code)
    }
  })

  it('has a reason of 10 to 500 characters, and at most the configured minutes [OP-7]', async () => {
    const organization = await kit.organization()
    const wrong: readonly (readonly [string, object])[] = [
      ['reason', { reason: 'nine char' }],
      ['reason', { reason: 'x'.repeat(501) }],
      ['reason', { reason: 'Ticket 4711\n the import' }],
      ['reason', { reason: ' '.repeat(10) }],
      ['reason', { reason: '\u200b'.repeat(10) }],
      ['reason', { reason: `nine char${' '.repeat(10)}` }],
      ['reason', { reason: undefined }],
      ['minutes', { minutes: 0 }],
      ['minutes', { minutes: 61 }],
      ['minutes', { minutes: 1.5 }],
      ['minutes', { minutes: '15' }],
      ['userId', { userId: '' }],
    ]
    for (const [field, input] of wrong) {
      const answer = await start(organization, input)
      expect(answer, JSON.stringify(input)).toMatchObject({ error: { code: 'validation_error' } })
      expect(Object.keys((answer as { error: { errors: object } }).error.errors)).toEqual([field])
    }
    unwrap(await start(organization, { reason: 'x'.repeat(10), minutes: 60 }))
    const short = createImpersonationKit({ now }, { mostMinutes: 5 })
    const scope = { caller: someone(), organization: organization.id }
    const input = { userId: organization.owner, reason: REASON, password: PASSWORD }
    const six = await startImpersonation(short.context, scope, { ...input, minutes: 6 })
    expect(codeOf(six)).toBe('validation_error')
  })

  it('is refused beyond ten of the operator and fifty of the organization, also at once [OP-17]', async () => {
    const organization = await kit.organization()
    const by = someone()
    const answers = await Promise.all(Array.from({ length: 12 }, () => start(organization, {}, by)))
    const codes = answers.map(codeOf)
    const counts = Map.groupBy(codes, (code) => code)
    expect(counts.get('ok')!.length).toBeLessThanOrEqual(10)
    for (let more = 0; more < 10; more++) await start(organization, {}, by)
    expect(unwrap(await listOwnImpersonations(context, { caller: by })).data).toHaveLength(10)
    expect(codeOf(await start(organization, {}, by))).toBe('too_many')
    for (let more = 10; more < 50; more++) unwrap(await start(organization))
    expect(codeOf(await start(organization))).toBe('too_many')
    time += 15 * MINUTE
    unwrap(await start(organization, {}, by))
    expect(unwrap(await listOwnImpersonations(context, { caller: by })).data).toHaveLength(1)
  })
})

describe('the token', () => {
  it('is valid up to the millisecond of its expiry [OP-10]', async () => {
    const organization = await kit.organization()
    const { token } = await actingAs(context, organization, { minutes: 1 }, someone())
    time += MINUTE - 1
    expect(await status(organization, token)).toBe(200)
    time += 1
    expect(await status(organization, token)).toBe(401)
  })

  it('is refused without a query if it is truncated or changed, and any other text is the host’s [OP-10]', async () => {
    const organization = await kit.organization()
    const { token } = await actingAs(context, organization, {}, someone())
    const before = kit.trips()
    for (const text of [
      token.slice(0, -1),
      `${token}0`,
      'sg_impersonation-',
      token.toLowerCase(),
    ]) {
      expect(await status(organization, text), text).toBe(401)
    }
    expect(kit.trips()).toBe(before)
    expect(await status(organization, `user:${organization.owner}`)).toBe(200)
  })

  it('is valid in one organization: another one of the user is absent, and a request without an organization has no caller [OP-11]', async () => {
    const organization = await kit.organization()
    const other = await kit.organization()
    unwrap(
      await addMember(seatgate, other.as(other.owner), {
        userId: organization.owner,
        role: 'owner',
      })
    )
    const { caller, id, token } = await actingAs(context, organization, {}, someone())
    const absent = await client.get(`/organizations/${crypto.randomUUID()}/members`, token)
    const elsewhere = await client.get(`/organizations/${other.id}/members`, token)
    expect([elsewhere.status, await elsewhere.text()]).toEqual([404, await absent.text()])
    const known = {
      userId: organization.owner,
      impersonatedBy: 'operator',
      impersonation: { id, organizationId: organization.id },
    }
    for (const by of [caller, known]) {
      const scope = { caller: by, organization: other.id }
      expect(codeOf(await getOrganization(seatgate, scope))).toBe('organization_not_found')
      expect(codeOf(await listMembers(seatgate, scope))).toBe('organization_not_found')
      const renamed = await renameOrganization(seatgate, scope, { name: 'Taken' })
      expect(codeOf(renamed)).toBe('organization_not_found')
      const listed = unwrap(await listOrganizations(seatgate, { caller: by })).data
      expect(listed.map((each) => each.organization.id)).toEqual([organization.id])
    }
    const prepared = await prepareMember(
      seatgate,
      { caller: known, organization: other.id },
      { userId: await newUser(), role: 'member' }
    )
    const joined = await commitTogether(seatgate, unwrap(prepared))
    expect(codeOf(joined)).toBe('organization_not_found')
    const founded = await client.post('/organizations', { name: 'New' }, token)
    expect(founded.status).toBe(401)
  })
})

describe('an end', () => {
  it('is caused by any operator, the host or the token itself, and is recorded [OP-12 OP-13]', async () => {
    const organization = await kit.organization()
    const scope = { organization: organization.id }
    for (const by of ['another operator', 'the host', 'itself']) {
      const { id, caller, token } = await actingAs(context, organization, {}, someone())
      const other = await actingAs(context, organization, {}, someone())
      for (const stranger of [{ userId: organization.owner }, other.caller]) {
        const refused = await endImpersonation(context, { ...scope, caller: stranger }, id)
        expect(codeOf(refused)).toBe('organization_not_found')
      }
      const ends = {
        'another operator': operator,
        'the host': { type: 'system' } as const,
        itself: caller,
      }[by]!
      unwrap(await endImpersonation(context, { ...scope, caller: ends }, id))
      expect(await lastEventOf(organization.id)).toMatchObject({
        action: 'organization.impersonation.ended',
        targetId: organization.owner,
        causeEventId: id,
      })
      expect(await status(organization, token)).toBe(401)
      const again = await endImpersonation(context, { ...scope, caller: operator }, id)
      expect(codeOf(again)).toBe('not_found')
    }
    expect(await eventsOf(organization.id, 'organization.impersonation.ended')).toHaveLength(3)
  })

  it('rolls back a change that the token has begun [OP-13]', async () => {
    const organization = await kit.organization()
    const by = someone()
    const { id, token } = await actingAs(context, organization, {}, by)
    let once = true
    const held = createImpersonationKit({
      now,
      async around({ asked }, run) {
        if (once && isChange(asked)) {
          once = false
          const scope = { caller: by, organization: organization.id }
          unwrap(await endImpersonation(context, scope, id))
        }
        return run()
      },
    })
    const renamed = await held.client.patch(
      `/organizations/${organization.id}`,
      { name: 'Late' },
      token
    )
    expect(renamed.status).toBe(401)
    const scope = organization.as(organization.owner)
    expect(unwrap(await getOrganization(seatgate, scope)).name).not.toBe('Late')
  })

  it('rolls back a change that outlasts the impersonation [OP-19]', async () => {
    const organization = await kit.organization()
    const { token } = await actingAs(context, organization, { minutes: 1 }, someone())
    let isRead = false
    const slow = createImpersonationKit({
      now,
      async around(_, run) {
        const rows = await run()
        if (!isRead) time += MINUTE
        isRead = true
        return rows
      },
    })
    const path = `/organizations/${organization.id}`
    expect((await slow.client.patch(path, { name: 'Late' }, token)).status).toBe(401)
    const scope = organization.as(organization.owner)
    expect(unwrap(await getOrganization(seatgate, scope)).name).not.toBe('Late')
  })

  it('follows the end or suspension of the membership and the end of the organization, permanently [OP-15]', async () => {
    const organization = await kit.organization()
    const scope = organization.as(organization.owner)
    const member = await join(kit, organization)
    const first = await actingAs(context, organization, { userId: member }, someone())
    unwrap(await suspendMember(seatgate, scope, member))
    unwrap(await restoreMember(seatgate, scope, member))
    expect(await status(organization, first.token)).toBe(401)
    const second = await actingAs(context, organization, { userId: member }, someone())
    unwrap(await removeMember(seatgate, scope, member))
    unwrap(await addMember(seatgate, scope, { userId: member, role: 'member' }))
    expect(await status(organization, second.token)).toBe(401)
    const third = await actingAs(context, organization, {}, someone())
    await softDeleted(seatgate, organization)
    unwrap(await restoreOrganization(seatgate, { caller: operator }, organization.id))
    expect(await status(organization, third.token)).toBe(401)
  })
})

describe('a list', () => {
  it('shows running impersonations to readers of the trail and to the operator [OP-14]', async () => {
    const organization = await kit.organization()
    const by = someone()
    const scope = organization.as(organization.owner)
    const member = await join(kit, organization)
    const { id } = await actingAs(context, organization, {}, by)
    await actingAs(context, organization, { minutes: 1 }, by)
    time += MINUTE
    const listed = unwrap(await listImpersonations(context, scope))
    expect(listed.data).toMatchObject([{ id, operatorId: by.userId, reason: REASON }])
    expect(JSON.stringify(listed)).not.toContain('oken')
    expect(unwrap(await listOwnImpersonations(context, { caller: by }))).toEqual(listed)
    expect(unwrap(await listOwnImpersonations(context, { caller: someone() })).data).toEqual([])
    expect(codeOf(await listImpersonations(context, organization.as(member)))).toBe(
      'insufficient_role'
    )
    const stranger = { caller: { userId: await newUser() }, organization: organization.id }
    expect(codeOf(await listImpersonations(context, stranger))).toBe('organization_not_found')
    const own = await listOwnImpersonations(context, { caller: { userId: member } })
    expect(codeOf(own)).toBe('insufficient_role')
  })
})

describe('the sweep', () => {
  it('deletes what has expired, at most 1,000 in a run, and records no event [OP-21]', async () => {
    const organization = await kit.organization()
    const running = await actingAs(context, organization)
    const expired = await actingAs(context, organization, { minutes: 1 })
    const ids = async () => {
      const { results } = await testEnv.DB.prepare(
        'SELECT id FROM seatgate_impersonations WHERE organization_id = ?'
      )
        .bind(organization.id)
        .all<{ id: string }>()
      return results.map(({ id }) => id).toSorted()
    }
    const sweep = sweepHandler(context)
    const before = await actionsOf(organization.id)
    time += MINUTE - 1
    await sweep()
    expect(await ids()).toEqual([running.id, expired.id].toSorted())
    time += 1
    await sweep()
    expect(await ids()).toEqual([running.id])
    expect(await actionsOf(organization.id)).toEqual(before)
    await testEnv.DB.prepare(
      `INSERT INTO seatgate_impersonations (id, organization_id, user_id, operator_id, token_hash,
         reason, expires_at, created_at)
       WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1001)
       SELECT 'past ' || i, ?1, 'u', 'o', printf('%064d', i), 'r', i, i FROM n`
    )
      .bind(organization.id)
      .run()
    await sweep()
    expect(await ids()).toEqual([running.id, 'past 1001'].toSorted())
    await sweep()
    expect(await ids()).toEqual([running.id])
  })
})

describe('a configuration', () => {
  it('without impersonations has no route for them and authenticates no token [OP-18]', () => {
    const bare = { ...seatgate, impersonation: null } as never
    expect(() => impersonationRoutes(bare, { authenticate: () => null })).toThrow(TypeError)
    expect(() => authenticateImpersonation(bare)).toThrow(/createSeatgate\(\{ impersonation/)
  })

  it('throws for a wrong option [OP-18]', () => {
    const isOperator = () => false
    expect(() => impersonation({} as never)).toThrow(TypeError)
    expect(() => impersonation({ isOperator, most: 1 } as never)).toThrow(TypeError)
    for (const mostMinutes of [0, 61, 1.5, NaN, '5' as never]) {
      expect(() => impersonation({ isOperator, mostMinutes })).toThrow(TypeError)
    }
  })
})
