import { drizzle } from 'drizzle-orm/d1'
import { describe, expect, it } from 'vitest'
import type { AuditEvent, Page } from '../../../../src/index.ts'
import {
  allPages,
  anOperator,
  asUser,
  embedded,
  host,
  limitTo,
  postMember,
  NUMBERS,
  postOrganization,
  people,
  person,
  smallTeam,
  type Person,
  testEnv,
  keys,
} from '../../../kit/index.ts'

type Told = Pick<
  AuditEvent,
  'action' | 'actorType' | 'actorId' | 'targetType' | 'targetId' | 'metadata'
>

/** What is on record about an organization, oldest first. */
async function eventsOf(organizationId: string): Promise<AuditEvent[]> {
  const response = await host.get(
    `/organizations/${organizationId}/audit?limit=200`,
    await someAdmin(organizationId)
  )
  return [...(await response.json<Page<AuditEvent>>()).data].reverse()
}

// Reading the trail takes an administrator: one who is made for it, and not on record.
async function someAdmin(organizationId: string): Promise<string> {
  const reader = await person()
  await testEnv.DB.prepare(
    `INSERT INTO seatgate_memberships (id, organization_id, user_id, role, created_at, updated_at)
     VALUES (?1, ?2, ?1, 'admin', 1, 1)`
  )
    .bind(reader.userId, organizationId)
    .run()
  return reader.token
}

const told = (events: readonly AuditEvent[]): Told[] =>
  events.map(({ action, actorType, actorId, targetType, targetId, metadata }) => ({
    action,
    actorType,
    actorId,
    targetType,
    targetId,
    metadata,
  }))

const by = (actor: Person, action: string, target: [string, unknown], metadata: object) => ({
  action,
  actorType: 'user',
  actorId: actor.userId,
  targetType: target[0],
  targetId: target[1],
  metadata,
})

async function seatOf(organizationId: string, { userId }: Person): Promise<string | null> {
  return testEnv.DB.prepare(
    'SELECT seat_id FROM seatgate_memberships WHERE organization_id = ? AND user_id = ?'
  )
    .bind(organizationId, userId)
    .first('seat_id')
}

describe('the record of each operation', () => {
  it('creation writes organization.create and the seat, no member_add [ORG-13]', async () => {
    const owner = await person()
    const { id } = await postOrganization(owner)
    const seat = await seatOf(id, owner)
    const events = await eventsOf(id)
    expect(told(events)).toEqual([
      by(owner, 'organization.create', ['organization', id], {}),
      by(owner, 'seat.assigned', ['seat', seat], {
        user_id: owner.userId,
        held: 1,
        reserved: 0,
        limit: 'unlimited',
        limit_version: 0,
      }),
    ])
    expect(events[0]).toEqual({
      id: expect.any(String),
      organizationId: id,
      sequence: 1,
      action: 'organization.create',
      outcome: 'success',
      actorType: 'user',
      actorId: owner.userId,
      effectiveUserId: owner.userId,
      targetType: 'organization',
      targetId: id,
      metadata: {},
      requestId: expect.any(String),
      traceId: null,
      causeEventId: null,
      idempotencyKey: null,
      personalDigest: null,
      personal: null,
      insertedAt: expect.stringMatching(/Z$/),
      schemaVersion: 1,
      occurredAt: expect.stringMatching(/^\d{4}-.*Z$/),
    })
  })

  it('joining, another role, removal and leaving [ORG-76 ORG-86 ORG-93]', async () => {
    const [owner, one, two] = (await people(3)) as [Person, Person, Person]
    const organization = await postOrganization(owner)
    const { id } = organization
    const before = (await eventsOf(id)).length
    await postMember(organization, owner, one, 'admin')
    const seat = await seatOf(id, one)
    const path = `/organizations/${id}/members`
    await host.patch(`${path}/${one.userId}`, { role: 'member' }, owner.token)
    await host.delete(`${path}/${one.userId}`, owner.token)
    await postMember(organization, owner, two)
    const other = await seatOf(id, two)
    await host.delete(`${path}/${two.userId}`, two.token)
    const [user_id, left] = [one.userId, two.userId]
    const alone = { held: 1, reserved: 0, limit: 'unlimited', limit_version: 0 }
    expect(told((await eventsOf(id)).slice(before))).toEqual([
      by(owner, 'organization.member_add', ['user', user_id], { role: 'admin', user_id }),
      by(owner, 'seat.assigned', ['seat', seat], expect.objectContaining({ user_id })),
      by(owner, 'organization.member_role_change', ['user', user_id], {
        old_role: 'admin',
        new_role: 'member',
        user_id,
      }),
      by(owner, 'organization.member_remove', ['user', user_id], { user_id }),
      by(owner, 'seat.released', ['seat', seat], { user_id, ...alone }),
      by(owner, 'organization.member_add', ['user', left], { role: 'member', user_id: left }),
      by(owner, 'seat.assigned', ['seat', other], expect.objectContaining({ user_id: left })),
      by(two, 'organization.member_remove', ['user', left], { user_id: left, reason: 'left' }),
      by(two, 'seat.released', ['seat', other], { user_id: left, ...alone }),
    ])
  })

  it('renaming reports both names [ORG-17]', async () => {
    const owner = await person()
    const { id } = await postOrganization(owner)
    await host.patch(`/organizations/${id}`, { name: 'New' }, owner.token)
    expect(told(await eventsOf(id)).at(-1)).toEqual(
      by(owner, 'organization.rename', ['organization', id], { old_name: 'Acme', new_name: 'New' })
    )
  })

  it('a limit set by an operator is recorded with the operator and the old limit', async () => {
    const { id } = await postOrganization(await person())
    const path = `/organizations/${id}/seats/limit`
    await embedded().put(path, { limit: 5, reason: 'contract 7' }, anOperator)
    await embedded().put(path, { limit: 'unlimited', version: 9 }, anOperator)
    const changed = (metadata: object) => ({
      action: 'seat.limit_changed',
      actorType: 'operator',
      actorId: 'operations',
      targetType: 'organization',
      targetId: id,
      metadata: { held: 1, reserved: 0, ...metadata },
    })
    expect(told(await eventsOf(id)).slice(-2)).toEqual([
      changed({
        version: 1,
        limit: 5,
        limit_version: 1,
        old_limit: null,
        reason: 'contract 7',
      }),
      changed({ version: 9, limit: 'unlimited', limit_version: 9, old_limit: 5 }),
    ])
  })

  it('refusals, repeats and operations without a change leave no event [AUD-24]', async () => {
    const { owner, member, candidate, organization, path } = await smallTeam()
    await limitTo(organization, 2)
    const before = await eventsOf(organization.id)
    const members = `${path}/members`
    const answers = await Promise.all([
      host.post(members, { userId: member.userId, role: 'admin' }, owner.token),
      host.post(members, { userId: member.userId, role: 'member' }, owner.token),
      host.post(members, { userId: candidate.userId, role: 'emperor' }, owner.token),
      host.delete(`${members}/${owner.userId}`, owner.token),
      host.delete(`${members}/${candidate.userId}`, owner.token),
      host.patch(`${members}/${owner.userId}`, { role: 'member' }, owner.token),
      host.patch(path, { name: 'Acme' }, owner.token),
      host.patch(path, { name: '' }, owner.token),
      host.patch(path, { name: 'Mine' }, member.token),
      embedded().put(`${path}/seats/limit`, { limit: 9, version: 1 }, anOperator),
    ])
    expect(answers.map(({ status }) => status)).toEqual([
      409, 200, 422, 409, 404, 409, 200, 422, 403, 409,
    ])
    expect(await eventsOf(organization.id)).toEqual(before)
  })

  it.each([
    ['seatgate_organizations'],
    ['seatgate_memberships'],
    ['seatgate_audit_events'],
    ['seatgate_audit_outbox'],
  ])('a creation that fails to write %s leaves no trace [AUD-9 ORG-137]', async (table) => {
    const owner = await person()
    const counts = () =>
      testEnv.DB.prepare(
        'SELECT (SELECT count(*) FROM seatgate_organizations) AS o, (SELECT count(*) FROM seatgate_memberships) AS m, (SELECT count(*) FROM seatgate_audit_events) AS e'
      ).first()
    const before = await counts()
    await testEnv.DB.exec(
      `CREATE TRIGGER broken BEFORE INSERT ON ${table} BEGIN SELECT abs(-9223372036854775808); END;`
    )
    const slug = `org-${crypto.randomUUID().slice(0, 8)}`
    // The log accepts every event, so the batch marks the organization.
    const logged = embedded({ auditLogKey: keys.privateKey })
    const answer = await logged.post('/organizations', { name: 'X', slug }, asUser(owner))
    await testEnv.DB.exec('DROP TRIGGER broken')
    expect(answer.status).toBe(503)
    expect(await counts()).toEqual(before)
  })
})

describe('the sequence', () => {
  const sequences = async (id: string) => (await eventsOf(id)).map(({ sequence }) => sequence)

  it('has no gap and no repeat under 50 operations at once [AUD-53]', async () => {
    const owner = await person()
    const { id } = await postOrganization(owner)
    const joining = await people(25)
    const operations = joining.flatMap(({ userId }, index) => [
      host.post(`/organizations/${id}/members`, { userId, role: 'member' }, owner.token),
      host.patch(`/organizations/${id}`, { name: `Acme ${index}` }, owner.token),
    ])
    const answers = await Promise.all(operations)
    const done = answers.filter(({ ok }) => ok).length
    expect(done).toBeGreaterThanOrEqual(25)
    const seen = await sequences(id)
    expect(seen).toEqual(Array.from(seen, (_, index) => index + 1))
    const kinds = (await eventsOf(id)).map(({ action }) => action)
    expect(kinds.filter((action) => action === 'organization.member_add')).toHaveLength(25)
    expect(kinds.filter((action) => action === 'seat.assigned')).toHaveLength(26)
  })

  it('has no gap after batches that failed [AUD-53]', async () => {
    const owner = await person()
    const { id } = await postOrganization(owner)
    // A batch that writes ends in a statement that breaks it, after the events were written.
    let writes = false
    const failing = new Proxy(testEnv.DB, {
      get(target, key) {
        if (key !== 'batch') {
          return (text: string) => {
            writes ||= text.startsWith('insert into "seatgate_audit_events"')
            return target.prepare(text)
          }
        }
        return (statements: D1PreparedStatement[]) =>
          target.batch(
            writes
              ? [...statements, target.prepare("INSERT INTO seatgate_guards VALUES ('broken')")]
              : statements
          )
      },
    })
    const client = embedded({ database: drizzle(failing) })
    const failed = await client.patch(`/organizations/${id}`, { name: 'No' }, asUser(owner))
    expect(failed.ok).toBe(false)
    const before = await sequences(id)
    await host.patch(`/organizations/${id}`, { name: 'Yes' }, owner.token)
    expect(await sequences(id)).toEqual([...before, before.length + 1])
  })

  it('counts each organization for itself', async () => {
    const owner = await person()
    const two = [await postOrganization(owner), await postOrganization(owner)]
    expect(await Promise.all(two.map(({ id }) => sequences(id)))).toEqual([
      [1, 2],
      [1, 2],
    ])
  })
})

describe('GET /organizations/:org/audit', () => {
  it('pages newest first through 120 events of one time, without repeat or gap [AUD-34]', async () => {
    const owner = await person()
    const { id } = await postOrganization(owner)
    await testEnv.DB.prepare(
      `INSERT INTO seatgate_audit_events (organization_id, sequence, id, action, outcome, actor_type, metadata, occurred_at, inserted_at)
       SELECT ?1, 2 + value, ?1 || value, 'test.event', 'success', 'system', '{}', 7, 7 FROM json_each(?2)`
    )
      .bind(id, NUMBERS)
      .run()
    const pages = await allPages<AuditEvent>(`/organizations/${id}/audit`, owner.token, 50)
    expect(pages.map(({ length }) => length)).toEqual([50, 50, 22])
    const sequences = pages.flat().map(({ sequence }) => sequence)
    expect(sequences).toEqual(Array.from({ length: 122 }, (_, index) => 122 - index))
  })

  it('is for owners and admins, and for one organization only [AUD-41]', async () => {
    const { owner, member, candidate, organization, path } = await smallTeam()
    await postOrganization(owner)
    expect((await host.get(`${path}/audit`, member.token)).status).toBe(403)
    expect((await host.get(`${path}/audit`, candidate.token)).status).toBe(404)
    const events = await eventsOf(organization.id)
    expect(new Set(events.map(({ organizationId }) => organizationId))).toEqual(
      new Set([organization.id])
    )
  })

  it('holds no token, password or address [AUD-29]', async () => {
    const { owner, organization, path } = await smallTeam()
    await host.patch(path, { name: 'Other' }, owner.token)
    const text = JSON.stringify(await eventsOf(organization.id))
    expect(text).not.toMatch(/token|password|secret|@/i)
    expect(text).not.toContain(owner.token)
  })
})
