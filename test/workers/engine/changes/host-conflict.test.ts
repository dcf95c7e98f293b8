import { sql } from 'drizzle-orm'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { users } from '../../../../host/identity/schema.ts'
import {
  acceptInvitationWithSignup,
  addMember,
  combine,
  commitTogether,
  createInvitation,
  createInvitations,
  createSeatgate,
  deleteUser,
  HostConflict,
  ledgerSeats,
  leaveOrganization,
  prepareMember,
  prepareOrganization,
  prepareUserDeletion,
  removeMember,
  seatUsage,
  softDeleteOrganization,
  suspendMember,
  type Report,
  type Statement,
} from '../../../../src/index.ts'
import { constraintIn, OWN_UNIQUE, ownerOf } from '../../../../src/database/commit.ts'
import {
  shareOf,
  db,
  host,
  postMember,
  postOrganization,
  signUp,
  invite,
  newAddress,
  readLedger,
  violations,
  joinByDomain,
  createJoiningKit,
  openOrganization,
  requestsOf,
  everything,
  freshSlug,
  kitWithHooks,
  EVERY_CHANGE,
  newTeam,
  freshStores,
  testEnv,
  add,
  unwrap,
  codeOf,
  join,
  newUser,
  PASSWORD,
  type KitOptions,
} from '../../../kit/index.ts'

beforeEach(freshStores)

afterEach(() => {
  vi.restoreAllMocks()
})

const CONFLICT = { ok: false, error: { code: 'host_conflict' } }

/** A world that keeps what it reports. */
function heedful(options: KitOptions = {}) {
  const reports: Report[] = []
  const kit = kitWithHooks({ report: (report) => reports.push(report), ...options })
  /** What was told of conflicts, and nothing else was told. */
  const conflicts = () =>
    reports.splice(0).map(({ event, error }) => {
      expect(event).toBe('host_conflict')
      expect(error).toBeInstanceOf(HostConflict)
      return (error as HostConflict).constraint
    })
  return { kit, conflicts, reports }
}

const run = (text: string) => testEnv.DB.prepare(text).run()

const FOREIGN_KEY = 'FOREIGN KEY constraint failed'

/** The statement of a host in a batch, and what breaks. */
const BREAKING: Readonly<
  Record<string, readonly [table: string, statement: string, says: string]>
> = {
  'a unique key': [
    'CREATE TABLE mine (name TEXT UNIQUE)',
    "INSERT INTO mine VALUES ('a'), ('a')",
    'UNIQUE constraint failed: mine.name',
  ],
  'a unique index of an expression': [
    'CREATE TABLE mine (name TEXT); CREATE UNIQUE INDEX mine_name ON mine (lower(name))',
    "INSERT INTO mine VALUES ('a'), ('A')",
    "UNIQUE constraint failed: index 'mine_name'",
  ],
  'a primary key': [
    'CREATE TABLE mine (id INTEGER PRIMARY KEY)',
    'INSERT INTO mine VALUES (1), (1)',
    'UNIQUE constraint failed: mine.id',
  ],
  'a check': [
    'CREATE TABLE mine (age INTEGER CHECK (age > 17))',
    'INSERT INTO mine VALUES (17)',
    'CHECK constraint failed: age > 17',
  ],
  'a check with a name': [
    'CREATE TABLE mine (age INTEGER, CONSTRAINT grown_up CHECK (age > 17))',
    'INSERT INTO mine VALUES (17)',
    'CHECK constraint failed: grown_up',
  ],
  'a column that is needed': [
    'CREATE TABLE mine (name TEXT NOT NULL)',
    'INSERT INTO mine VALUES (NULL)',
    'NOT NULL constraint failed: mine.name',
  ],
  'a foreign key': [
    'CREATE TABLE mine (user_id TEXT REFERENCES users (id))',
    "INSERT INTO mine VALUES ('no such user')",
    FOREIGN_KEY,
  ],
  'a type of a strict table': [
    'CREATE TABLE mine (age INTEGER) STRICT',
    "INSERT INTO mine VALUES ('old')",
    'cannot store TEXT value in INTEGER column mine.age',
  ],
  'a primary key that is a number': [
    'CREATE TABLE mine (id INTEGER PRIMARY KEY)',
    "INSERT INTO mine VALUES ('text')",
    'datatype mismatch',
  ],
  'a trigger': [
    "CREATE TABLE mine (name TEXT); CREATE TRIGGER t BEFORE INSERT ON mine BEGIN SELECT RAISE(ABORT, 'closed: ask Ann'); END",
    "INSERT INTO mine VALUES ('a')",
    'closed: ask Ann',
  ],
  'a trigger whose words look like those of a guard': [
    "CREATE TABLE mine (name TEXT); CREATE TRIGGER t BEFORE INSERT ON mine BEGIN SELECT RAISE(ABORT, 'see guard:stale'); END",
    "INSERT INTO mine VALUES ('a')",
    'see guard:stale',
  ],
  'a guard of the host’s own': [
    '',
    "INSERT INTO seatgate_guards VALUES ('plan_full')",
    'guard:plan_full',
  ],
  'a guard that is called broken': [
    '',
    "INSERT INTO seatgate_guards VALUES ('broken')",
    'guard:broken',
  ],
}

describe('a constraint of the host’s that breaks', () => {
  it.each(shareOf(Object.entries(BREAKING), 6))(
    'is host_conflict in a batch of the host’s, and its seat is free: %s [C2]',
    async (_what, [table, statement, says]) => {
      for (const text of table.split(/; (?=CREATE)/)) if (text) await run(text)
      const { kit, conflicts } = heedful()
      const organization = await kit.organization({ seats: 2 })
      const scope = { caller: { userId: organization.owner }, organization: organization.id }
      const rows = await everything()
      const userId = await newUser()
      const withUser = await everything()
      const joining = unwrap(await prepareMember(kit.seatgate, scope, { userId, role: 'member' }))
      const broken = kit.seatgate.db.run(sql.raw(statement)) as unknown as Statement
      expect(await commitTogether(kit.seatgate, joining, { after: [broken] })).toEqual(CONFLICT)
      await kit.settled()
      expect(conflicts()).toEqual([says])
      expect(await everything()).toEqual({ ...rows, users: withUser.users })
      expect(await readLedger(organization.id)).toMatchObject({ held: 1, reserved: 0 })
      // The last seat is there for the next one, at once.
      expect(codeOf(await add(kit, organization))).toBe('ok')
      await kit.settled()
      expect(await violations(organization.id, { quiet: true })).toEqual([])
    }
  )

  it('may be answered in the host’s own words where the batch is the host’s [C2]', async () => {
    const { kit } = heedful()
    const { seatgate } = kit
    const userId = crypto.randomUUID()
    const taken = `${await newUser()}@example.com`
    const founding = async () =>
      unwrap(
        await prepareOrganization(
          seatgate,
          { caller: { userId } },
          { name: 'New', slug: freshSlug() }
        )
      )
    const row = { id: userId, email: taken, passwordHash: 'none', createdAt: new Date() }
    const before = [seatgate.db.insert(users).values(row)]
    const answer = await commitTogether(seatgate, await founding(), {
      before,
      onConflict: (constraint) =>
        constraint.endsWith('users.email')
          ? {
              code: 'validation_error',
              errors: { email: ['This e-mail address is already taken.'] },
            }
          : null,
    })
    expect(answer).toEqual({
      ok: false,
      error: {
        code: 'validation_error',
        errors: { email: ['This e-mail address is already taken.'] },
      },
    })
    expect(
      await commitTogether(seatgate, await founding(), { before, onConflict: () => null })
    ).toEqual(CONFLICT)
    const both = combine(await founding(), await founding())
    expect(await commitTogether(seatgate, both, { before })).toEqual(CONFLICT)
  })

  it.each(shareOf(EVERY_CHANGE, 8).map((mutator) => [mutator.name, mutator] as const))(
    'is never an outage, and leaves no trace: %s [C2]',
    async (name, { act }) => {
      const team = await newTeam()
      const { kit, conflicts } = heedful()
      const before = [await everything(), await readLedger(team.organization.id)]
      await run(
        "CREATE TRIGGER theirs BEFORE INSERT ON seatgate_audit_events BEGIN SELECT RAISE(ABORT, 'closed'); END"
      )
      const refusal = await act(kit.seatgate, team)
      await kit.settled()
      await run('DROP TRIGGER theirs')
      const recovers = name.startsWith('loadActiveOrganization')
      expect(codeOf(refusal)).toBe(recovers ? 'no_active_organization' : 'host_conflict')
      expect(conflicts()).toEqual(['closed'])
      expect([await everything(), await readLedger(team.organization.id)]).toEqual(before)
    }
  )
})

describe('a table that references those of the library', () => {
  it('keeps a membership: removal, leaving and the deletion of the user are host_conflict [C2]', async () => {
    const team = await newTeam()
    const { organization, owner, member, second } = team
    const { kit, conflicts } = heedful()
    const { seatgate } = kit
    await run(
      `CREATE TABLE badges (organization_id TEXT, user_id TEXT,
        FOREIGN KEY (organization_id, user_id) REFERENCES seatgate_memberships (organization_id, user_id))`
    )
    await testEnv.DB.prepare(
      'INSERT INTO badges SELECT organization_id, user_id FROM seatgate_memberships WHERE user_id IN (?, ?)'
    )
      .bind(member, second)
      .run()
    const before = [await everything(), await readLedger(organization.id)]
    expect(await removeMember(seatgate, organization.as(owner), member)).toEqual(CONFLICT)
    const scope = { caller: { userId: second }, organization: organization.id }
    expect(await leaveOrganization(seatgate, scope)).toEqual(CONFLICT)
    const caller = { userId: second }
    expect(await deleteUser(seatgate, { caller }, { password: PASSWORD })).toEqual(CONFLICT)
    const host = { type: 'system' } as const
    const leaving = unwrap(await prepareUserDeletion(seatgate, { caller: host }, second))
    expect(await commitTogether(seatgate, leaving)).toEqual(CONFLICT)
    await kit.settled()
    expect(conflicts()).toEqual([FOREIGN_KEY, FOREIGN_KEY, FOREIGN_KEY, FOREIGN_KEY])
    expect([await everything(), await readLedger(organization.id)]).toEqual(before)
    // What deletes no row is not concerned.
    expect(codeOf(await suspendMember(seatgate, organization.as(owner), member))).toBe('ok')
  })

  it('keeps an organization alive by a trigger of its own [C2]', async () => {
    const { organization, owner } = await newTeam()
    const { kit, conflicts } = heedful()
    await run(
      "CREATE TRIGGER paid BEFORE UPDATE OF deleted_at ON seatgate_organizations BEGIN SELECT RAISE(ABORT, 'unpaid invoices'); END"
    )
    const rows = await everything()
    const answer = await softDeleteOrganization(kit.seatgate, organization.as(owner), {
      confirmName: 'Test',
      password: PASSWORD,
    })
    expect([answer, conflicts()]).toEqual([CONFLICT, ['unpaid invoices']])
    expect(await everything()).toEqual(rows)
  })

  it('has one organization for each person by a unique index of the host’s [C2]', async () => {
    const { kit, conflicts } = heedful()
    const organization = await kit.organization({ seats: 3 })
    await run('CREATE UNIQUE INDEX only_one ON seatgate_memberships (user_id)')
    const other = await kit.organization()
    const answer = await addMember(kit.seatgate, organization.as(organization.owner), {
      userId: other.owner,
      role: 'member',
    })
    expect([answer, conflicts()]).toEqual([
      CONFLICT,
      ['UNIQUE constraint failed: seatgate_memberships.user_id'],
    ])
    await kit.settled()
    expect(unwrap(await seatUsage(kit.seatgate, organization.asOperator))).toMatchObject({
      held: 1,
      reserved: 0,
    })
  })

  it('refuses invitations, one or many, and no seat stays reserved [C2]', async () => {
    const { kit, conflicts } = heedful()
    const organization = await kit.organization({ seats: 5 })
    const scope = organization.as(organization.owner)
    await run(
      "CREATE TRIGGER no_mail BEFORE INSERT ON seatgate_invitations WHEN NEW.email LIKE '%@example.com' BEGIN SELECT RAISE(ABORT, 'blocked domain'); END"
    )
    const rows = [newAddress(), newAddress()].map((email) => ({ email, role: 'member' }))
    expect(await createInvitation(kit.seatgate, scope, rows[0] as never)).toEqual(CONFLICT)
    expect(await createInvitations(kit.seatgate, scope, { invitations: rows })).toEqual(CONFLICT)
    await kit.settled()
    expect(conflicts()).toEqual(['blocked domain', 'blocked domain'])
    expect(await readLedger(organization.id)).toMatchObject({ held: 1, reserved: 0 })
  })
})

describe('accepting with sign-up', () => {
  const signingUp = async (options: KitOptions = {}) => {
    const { kit, conflicts } = heedful(options)
    const organization = await kit.organization({ seats: 2 })
    const invited = await invite(kit, organization)
    const accepts = (name: string) =>
      acceptInvitationWithSignup(kit.seatgate, {
        token: invited.token,
        email: invited.email,
        password: 'a fine password',
        name,
      })
    return { kit, conflicts, organization, invited, accepts }
  }

  it('is host_conflict for a name that is taken, and works with another [C2]', async () => {
    const { kit, conflicts, organization, accepts } = await signingUp()
    await run('CREATE UNIQUE INDEX users_name ON users (name)')
    await run(
      "INSERT INTO users (id, email, name, password_hash, created_at) VALUES ('u', 'u@x.example', 'Ann', 'none', 0)"
    )
    const rows = await everything()
    expect(await accepts('Ann')).toEqual(CONFLICT)
    expect(conflicts()).toEqual(['UNIQUE constraint failed: users.name'])
    expect(await everything()).toEqual(rows)
    expect(await readLedger(organization.id)).toMatchObject({ held: 1, reserved: 1 })
    expect(codeOf(await accepts('Ben'))).toBe('ok')
    await kit.settled()
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it('is no conflict of the host’s where the same address signs up twice at once [C2]', async () => {
    const { kit, conflicts, accepts } = await signingUp({ delayMs: 5 })
    const codes = (await Promise.all([accepts('Ann'), accepts('Ben')])).map(codeOf)
    await kit.settled()
    expect(codes.toSorted()).toEqual(['invitation_already_accepted', 'ok'])
    expect(conflicts()).toEqual([])
  })
})

describe('over HTTP', () => {
  it('answers DELETE /users/me with 409, without Retry-After and without SQL [C2]', async () => {
    const owner = await signUp(newAddress())
    const leaver = await signUp(newAddress())
    const organization = await postOrganization(owner)
    await postMember(organization, owner, leaver)
    await run('CREATE TABLE orders (user_id TEXT NOT NULL REFERENCES users (id))')
    await testEnv.DB.prepare('INSERT INTO orders VALUES (?)').bind(leaver.userId).run()
    const logged = vi.spyOn(console, 'error').mockImplementation(() => {})
    const kept = async () => {
      const { users, seatgate_memberships, seatgate_sessions, seatgate_audit_events } =
        await everything()
      return { users, seatgate_memberships, seatgate_sessions, seatgate_audit_events }
    }
    const rows = await kept()
    const answer = await host.send('DELETE', '/users/me', { password: PASSWORD }, leaver.token)
    expect(answer.status).toBe(409)
    expect(answer.headers.get('retry-after')).toBeNull()
    expect(await answer.json()).toEqual({
      type: 'urn:seatgate:refusal:host_conflict',
      title: 'Conflicts with other data of this application',
      status: 409,
      code: 'host_conflict',
    })
    expect(logged.mock.calls.flat().join('\n')).toContain(FOREIGN_KEY)
    expect(await kept()).toEqual(rows)
    await run('DELETE FROM orders')
    const again = await host.send('DELETE', '/users/me', { password: PASSWORD }, leaver.token)
    expect(again.status).toBe(204)
  })
})

describe('the line', () => {
  it('lets no user wait behind a person whom the host’s tables refuse [C2]', async () => {
    const reports: Report[] = []
    const kit = createJoiningKit({ report: (report) => reports.push(report) })
    const organization = await openOrganization(kit, 'auto', 2)
    const leaver = await join(kit, organization)
    const first = await joinByDomain(kit, organization)
    const second = await joinByDomain(kit, organization)
    await run(
      `CREATE TRIGGER banned BEFORE INSERT ON seatgate_memberships WHEN NEW.user_id = '${first.userId}' BEGIN SELECT RAISE(ABORT, 'banned'); END`
    )
    const scope = organization.as(organization.owner)
    unwrap(await removeMember(kit.seatgate, scope, leaver))
    await kit.settled()
    expect(reports).toMatchObject([{ event: 'host_conflict', error: { constraint: 'banned' } }])
    expect(await requestsOf(organization)).toEqual([
      { user_id: first.userId, state: 'declined' },
      { user_id: second.userId, state: 'joined' },
    ])
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })
})

describe('an operation under a key', () => {
  it('is answered host_conflict again [C2]', async () => {
    const { kit, conflicts } = heedful()
    const organization = await kit.organization({ seats: 3 })
    const input = { userId: await newUser(), role: 'member' }
    const adding = () =>
      addMember(kit.seatgate, organization.as(organization.owner), input, { operationId: 'k' })
    await run(
      "CREATE TRIGGER closed BEFORE INSERT ON seatgate_memberships BEGIN SELECT RAISE(ABORT, 'closed'); END"
    )
    expect(await adding()).toEqual(CONFLICT)
    await run('DROP TRIGGER closed')
    expect(await adding()).toEqual(CONFLICT)
    expect(conflicts()).toEqual(['closed'])
  })
})

describe('the log', () => {
  it('names the constraint by default, and no value [C2]', async () => {
    const logged = vi.spyOn(console, 'error').mockImplementation(() => {})
    const seatgate = createSeatgate({
      database: db,
      seats: ledgerSeats(testEnv.SEATS),
      sessions: 'none',
    })
    const userId = await newUser()
    const founding = unwrap(
      await prepareOrganization(
        seatgate,
        { caller: { userId } },
        { name: 'New', slug: freshSlug() }
      )
    )
    const row = {
      id: 'x',
      email: `${userId}@example.com`,
      passwordHash: 'n',
      createdAt: new Date(),
    }
    expect(
      await commitTogether(seatgate, founding, { before: [db.insert(users).values(row)] })
    ).toEqual(CONFLICT)
    const text = logged.mock.calls.flat().join('\n')
    expect(text).toContain('host_conflict')
    expect(text).toContain('UNIQUE constraint failed: users.email')
    expect(text).not.toContain(userId)
  })
})

describe('the constraints of the library', () => {
  it('are known: every unique key of its tables, and no other [C2]', async () => {
    const { results } = await testEnv.DB.prepare(
      `SELECT DISTINCT m.name || '.' || group_concat(x.name, ', ' || m.name || '.') AS key
       FROM sqlite_master m, pragma_index_list(m.name) i, pragma_index_info(i.name) x
       WHERE m.type = 'table' AND m.name GLOB 'seatgate_*' AND i."unique" = 1
       GROUP BY m.name, i.name
       UNION SELECT m.name || '.' || c.name FROM sqlite_master m, pragma_table_info(m.name) c
       WHERE m.type = 'table' AND m.name GLOB 'seatgate_*'
         AND c.pk = 1 AND c.type = 'INTEGER'
         AND NOT EXISTS (SELECT 1 FROM pragma_table_info(m.name) WHERE pk = 2)`
    ).all<{ key: string }>()
    expect([...OWN_UNIQUE].toSorted()).toEqual(results.map(({ key }) => key).toSorted())
  })

  it('are distinguished from those of the host by their names [C2]', () => {
    expect(
      ownerOf(
        'UNIQUE constraint failed: seatgate_memberships.organization_id, seatgate_memberships.user_id'
      )
    ).toBe('key')
    expect(ownerOf('UNIQUE constraint failed: seatgate_memberships.user_id')).toBe('host')
    expect(ownerOf('UNIQUE constraint failed: users.email')).toBe('host')
    expect(ownerOf('NOT NULL constraint failed: seatgate_memberships.role')).toBe('library')
    expect(ownerOf('NOT NULL constraint failed: users.email')).toBe('host')
    expect(ownerOf('audit_immutable')).toBe('library')
    expect(ownerOf('not audit_immutable')).toBe('host')
  })

  it('are read from the whole of a message, with or without the additions of newer versions [C2]', () => {
    const unique = 'UNIQUE constraint failed: users.email'
    for (const text of [
      `D1_ERROR: ${unique}: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_UNIQUE)`,
      `${unique}: SQLITE_CONSTRAINT_UNIQUE`,
      `D1_ERROR: ${unique}`,
    ]) {
      expect(constraintIn(text)).toBe(unique)
    }
    expect(constraintIn('D1_ERROR: guard:seat_limit_reached:5:5')).toBe(
      'guard:seat_limit_reached:5:5'
    )
    for (const text of [
      `Failed query: insert into users\nparams: ${unique}`,
      'Network connection lost.',
      'D1_ERROR: no such column: guard:stale at offset 88: SQLITE_ERROR',
    ]) {
      expect(constraintIn(text)).toBeNull()
    }
  })
})
