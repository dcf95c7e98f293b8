import { describe, expect, it } from 'vitest'
import {
  createInvitation,
  createInvitations,
  resendInvitation,
  viewInvitation,
  listOwnInvitations,
} from '../../../../src/index.ts'
import { sweepHandler } from '../../../../src/worker/index.ts'
import {
  createKit,
  invite,
  mailbox,
  newAddress,
  userWith,
  testEnv,
  unwrap,
  codeOf,
  type TestOrganization,
} from '../../../kit/index.ts'

const DAY = 24 * 60 * 60 * 1000

const run = (sql: string, ...values: unknown[]) =>
  testEnv.DB.prepare(sql)
    .bind(...values)
    .run()

const statusOf = (id: string) =>
  testEnv.DB.prepare('SELECT mail_status FROM seatgate_invitations WHERE id = ?')
    .bind(id)
    .first<string>('mail_status')

const waitingFor = async ({ id }: TestOrganization) =>
  (
    await testEnv.DB.prepare(
      'SELECT attempts, last_error FROM seatgate_jobs WHERE organization_id = ?'
    )
      .bind(id)
      .all()
  ).results

describe('the mailer’s argument', () => {
  it('has the facts of the mail, and its text as a default [C7]', async () => {
    const box = mailbox()
    const kit = createKit(box.options)
    const organization = await kit.organization()
    await run("UPDATE users SET name = 'Ada' WHERE id = ?", organization.owner)
    const input = { email: newAddress(), role: 'admin', locale: 'de-ch' }
    const asOwner = organization.as(organization.owner)
    const invited = unwrap(await createInvitation(kit.seatgate, asOwner, input))
    await kit.settled()
    expect(box.mails).toEqual([
      {
        kind: 'invitation',
        to: input.email,
        locale: 'de-CH',
        token: invited.mailToken,
        url: `https://app.example/join#${invited.mailToken}`,
        organization: { id: organization.id, name: 'Test', slug: organization.slug },
        inviter: { name: 'Ada' },
        role: 'admin',
        expiresAt: invited.expiresAt,
        subject: 'Invitation to Test',
        text: expect.stringMatching(/^Ada has invited you to Test\./),
        html: expect.stringContaining('Ada has invited you to Test.'),
        idempotencyKey: `${invited.id}:1`,
        organizationId: organization.id,
      },
    ])
  })

  it('keeps the language for a retry and a resending, and each row of a list has its own [C7]', async () => {
    let now = new Date()
    const box = mailbox()
    let failures = 1
    const kit = createKit({
      ...box.options,
      now: () => now,
      mailer: {
        async send(mail) {
          if (failures-- > 0) throw new Error('down')
          return box.options.mailer.send(mail)
        },
      },
    })
    const organization = await kit.organization()
    const asOwner = organization.as(organization.owner)
    const list = [
      { email: newAddress(), role: 'member', locale: 'fr' },
      { email: newAddress(), role: 'member' },
      { email: newAddress(), role: 'member', locale: null },
    ]
    const rows = unwrap(await createInvitations(kit.seatgate, asOwner, { invitations: list }))
    await kit.settled()
    now = new Date(now.getTime() + 60_000)
    await sweepHandler(kit.seatgate)()
    const localeOf = (email: string) => box.mails.filter(({ to }) => to === email).at(-1)?.locale
    expect(list.map(({ email }) => localeOf(email))).toEqual(['fr', null, null])
    unwrap(await resendInvitation(kit.seatgate, asOwner, unwrap(rows[0]!).id))
    await kit.settled()
    expect(box.mails.map(({ locale }) => locale).filter((locale) => locale === 'fr')).toHaveLength(
      2
    )
  })

  it.each(['', 'nonsense_tag', 'x'.repeat(40), 7, 'en\n'])(
    'refuses %j as a language [C7]',
    async (locale) => {
      const kit = createKit()
      const organization = await kit.organization()
      const input = { email: newAddress(), role: 'member', locale }
      const asOwner = organization.as(organization.owner)
      const answer = await createInvitation(kit.seatgate, asOwner, input as never)
      expect(answer).toMatchObject({
        ok: false,
        error: { errors: { locale: [expect.any(String)] } },
      })
    }
  )
})

describe('names in mail and on the page of an invitation', () => {
  it.each([
    ['  ', null, 'You have been invited to '],
    ['\u200b', null, 'You have been invited to '],
    ['Ann \u202eelpmaxe.live', 'Ann elpmaxe.live', 'Ann elpmaxe. live has invited you to '],
    ['😀'.repeat(200), `${'😀'.repeat(79)}…`, `${'😀'.repeat(79)}… has invited you to `],
  ])('the name %j of an inviter [B8]', async (name, shown, text) => {
    const box = mailbox()
    const kit = createKit(box.options)
    const organization = await kit.organization()
    await run('UPDATE users SET name = ? WHERE id = ?', name, organization.owner)
    const { token } = await invite(kit, organization)
    expect(box.mails[0]?.text.startsWith(text)).toBe(true)
    expect(await viewInvitation(kit.seatgate, null, { token })).toMatchObject({
      inviter: shown === null ? null : { name: shown },
    })
  })

  it('the name of an organization, in mail, view and one’s own list [B8]', async () => {
    const box = mailbox()
    const kit = createKit(box.options)
    const organization = await kit.organization()
    // As a host may have it from before, or from elsewhere.
    const name = 'Acme \u202ewww.evil.example'
    await run('UPDATE seatgate_organizations SET name = ? WHERE id = ?', name, organization.id)
    const { email, token } = await invite(kit, organization)
    expect(box.mails[0]?.subject).toBe('Invitation to Acme www. evil. example')
    const shown = { organization: { name: 'Acme www.evil.example', slug: organization.slug } }
    expect(await viewInvitation(kit.seatgate, null, { token })).toMatchObject(shown)
    const caller = { userId: await userWith(email) }
    const { data } = unwrap(await listOwnInvitations(kit.seatgate, { caller }))
    expect(data).toMatchObject([shown])
  })
})

describe('one address that gets many mails', () => {
  const limited = { perUser: Infinity, perOrganization: Infinity, perRecipient: 2 }

  it('further mails wait, the invitations stay valid, and no answer shows it [C9 INV-24]', async () => {
    let now = new Date()
    const box = mailbox()
    const reports: string[] = []
    const kit = createKit({
      ...box.options,
      invitationLimits: limited,
      now: () => now,
      report: ({ event }) => reports.push(event),
    })
    const email = newAddress()
    const [mine, theirs] = [await kit.organization(), await kit.organization()]
    for (let index = 0; index < 4; index++) await invite(kit, mine, email)
    expect(box.mails).toHaveLength(2)
    const fair = await invite(kit, theirs, email)
    expect(fair).toMatchObject({ status: 'pending', mailStatus: 'queued' })
    expect(box.mails).toHaveLength(2)
    expect(await statusOf(fair.id)).toBe('queued')
    expect(await waitingFor(theirs)).toEqual([{ attempts: 0, last_error: 'Held' }])
    expect(reports).toEqual([])

    // Another address is none of its affair, and the sweep lets it wait.
    await invite(kit, theirs)
    expect(box.mails).toHaveLength(3)
    now = new Date(now.getTime() + 60_000)
    await sweepHandler(kit.seatgate)()
    expect(box.mails).toHaveLength(3)

    // A day later it goes out, and what was replaced meanwhile does not.
    now = new Date(now.getTime() + DAY)
    await sweepHandler(kit.seatgate)()
    expect(box.mails.slice(3).map(({ to, token }) => [to, token])).toContainEqual([
      email,
      fair.mailToken,
    ])
    expect(box.mails.filter(({ to }) => to === email)).toHaveLength(4)
    expect(await statusOf(fair.id)).toBe('sent')
    expect(await waitingFor(theirs)).toEqual([])
  })

  it('no more mails are sent than the limit, however many at once, and resending counts [C9]', async () => {
    const box = mailbox()
    const options = { ...box.options, invitationLimits: limited, delayMs: 2 }
    const kit = createKit(options)
    const email = newAddress()
    const organizations = await Promise.all(Array.from({ length: 5 }, () => kit.organization()))
    const invited = await Promise.all(organizations.map((each) => invite(kit, each, email)))
    await kit.settled()
    expect(box.mails).toHaveLength(2)
    const [first] = organizations
    const asOwner = first!.as(first!.owner)
    expect(codeOf(await resendInvitation(kit.seatgate, asOwner, invited[0]!.id))).toBe('ok')
    await kit.settled()
    expect(box.mails).toHaveLength(2)
  })

  it.each([
    ['the first', 1],
    ['the second', 2],
  ])(
    'a mail that the mailer did not take does not count: %s [C9]',
    async (_which, perRecipient) => {
      let now = new Date()
      const box = mailbox()
      let failures = 0
      const kit = createKit({
        ...box.options,
        invitationLimits: { ...limited, perRecipient },
        now: () => now,
        mailer: {
          async send(mail) {
            if (failures-- > 0) throw new Error('down')
            return box.options.mailer.send(mail)
          },
        },
      })
      const email = newAddress()
      for (let sent = 1; sent < perRecipient; sent++) {
        await invite(kit, await kit.organization(), email)
      }
      expect(box.mails).toHaveLength(perRecipient - 1)
      failures = 2
      const { id } = await invite(kit, await kit.organization(), email)
      for (let minute = 0; minute < 3; minute++) {
        now = new Date(now.getTime() + 60_000)
        await sweepHandler(kit.seatgate)()
      }
      expect(box.mails).toHaveLength(perRecipient)
      expect(await statusOf(id)).toBe('sent')
    }
  )
})

describe('a list of invitations', () => {
  const listOf = (count: number) => ({
    invitations: Array.from({ length: count }, () => ({ email: newAddress(), role: 'member' })),
  })

  it('of 100 under the default limits lets 100 through, and leaves the others’ limits alone [C9]', async () => {
    const kit = createKit({ invitationLimits: {} })
    const organization = await kit.organization()
    const asOwner = organization.as(organization.owner)
    const rows = unwrap(await createInvitations(kit.seatgate, asOwner, listOf(100)))
    expect(rows.map(codeOf)).toEqual(Array.from({ length: 100 }, () => 'ok'))
    const { email, role } = listOf(1).invitations[0]!
    expect(codeOf(await createInvitation(kit.seatgate, asOwner, { email, role }))).toBe('ok')
  })

  it('has a limit of its own, exact with several at once [C9]', async () => {
    let now = new Date()
    const kit = createKit({
      invitationLimits: { inBulk: 5 },
      now: () => now,
      delayMs: 2,
    })
    const organization = await kit.organization()
    const asOwner = organization.as(organization.owner)
    const lists = await Promise.all(
      Array.from({ length: 4 }, () => createInvitations(kit.seatgate, asOwner, listOf(2)))
    )
    const codes = lists.flatMap((list) => (list.ok ? list.value.map(codeOf) : ['again', 'again']))
    expect(codes.filter((code) => code === 'ok').length).toBeLessThanOrEqual(5)
    unwrap(await createInvitations(kit.seatgate, asOwner, listOf(5)))
    const made = 'SELECT count(*) AS n FROM seatgate_invitations WHERE organization_id = ?'
    expect(await testEnv.DB.prepare(made).bind(organization.id).first('n')).toBe(5)
    const full = unwrap(await createInvitations(kit.seatgate, asOwner, listOf(1)))
    expect(full.map(codeOf)).toEqual(['rate_limited_organization'])
    now = new Date(now.getTime() + DAY)
    const tomorrow = unwrap(await createInvitations(kit.seatgate, asOwner, listOf(1)))
    expect(tomorrow.map(codeOf)).toEqual(['ok'])
  })

  it('one limit that refuses leaves the others as they were [D11]', async () => {
    const kit = createKit({ invitationLimits: { perUser: 5, perOrganization: 1 } })
    const organization = await kit.organization()
    const other = await kit.organization()
    const asOwner = organization.as(organization.owner)
    const { email, role } = listOf(1).invitations[0]!
    await invite(kit, organization)
    for (let more = 0; more < 3; more++) {
      const refused = await createInvitation(kit.seatgate, asOwner, { email, role })
      expect(codeOf(refused)).toBe('rate_limited_organization')
    }
    const counted = 'SELECT sum(count) AS n FROM seatgate_rate_limits WHERE key LIKE ?'
    const of = (key: string) => testEnv.DB.prepare(counted).bind(`%${key}%`).first('n')
    expect([await of(organization.owner), await of(organization.id)]).toEqual([1, 1])
    expect(await of(other.id)).toBeNull()
  })
})
