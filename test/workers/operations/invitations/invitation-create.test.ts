import { describe, expect, it } from 'vitest'
import {
  addMember,
  changeInvitationRole,
  createInvitation,
  createInvitations,
  declineInvitation,
  invitations,
  listInvitations,
  listOwnInvitations,
  resendInvitation,
  revokeInvitation,
  seatUsage,
  viewInvitation,
  type OwnInvitation,
  type Page,
  type PageInput,
} from '../../../../src/index.ts'
import {
  inClear,
  accept,
  createKit,
  invite,
  mailbox,
  newAddress,
  userWith,
  violations,
  testEnv,
  unwrap,
  codeOf,
  enforcingOr,
  join,
  newUser,
  SECRET,
} from '../../../kit/index.ts'
import { sweepHandler } from '../../../../src/worker/index.ts'

const DAY = 24 * 60 * 60 * 1000

describe.each(enforcingOr('d1'))('inviting (%s)', (provider) => {
  it('answers the invitation with its token, open for seven days [INV-16 INV-17 INV-31]', async () => {
    const now = new Date('2026-01-01T00:00:00Z')
    const kit = createKit({ provider, now: () => now })
    const organization = await kit.organization({ seats: 5 })
    const email = newAddress()
    const invited = await invite(kit, organization, ` ${email.toUpperCase()} `, 'admin')
    expect(invited).toEqual({
      id: expect.any(String),
      organizationId: organization.id,
      email,
      role: 'admin',
      status: 'pending',
      expiresAt: new Date(now.getTime() + 7 * DAY).toISOString(),
      invitedBy: organization.owner,
      mailStatus: 'skipped',
      createdAt: now.toISOString(),
      token: expect.any(String),
      mailToken: expect.any(String),
    })
    const row = await testEnv.DB.prepare('SELECT * FROM seatgate_invitations WHERE id = ?')
      .bind(invited.id)
      .first<Record<string, unknown>>()
    expect(row).toMatchObject({ accepted_at: null, revoked_at: null, token_version: 1 })
    expect(String(row?.['token_hash'])).toMatch(/^[0-9a-f]{64}$/)
    expect(JSON.stringify(row)).not.toContain(invited.token)
    expect(JSON.stringify(row)).not.toContain(invited.mailToken)
  })

  it('holds a seat while it is open, and no seat for a member [SEAT-36 INV-26]', async () => {
    const kit = createKit({ provider })
    const organization = await kit.organization({ seats: 3 })
    const asOwner = organization.as(organization.owner)
    await invite(kit, organization)
    const email = newAddress()
    await join(kit, organization, 'member', await userWith(email))
    const full = { limit: 3, held: 2, reserved: 1, available: 0 }
    expect(unwrap(await seatUsage(kit.seatgate, asOwner))).toMatchObject(full)
    const present = await createInvitation(kit.seatgate, asOwner, { email, role: 'member' })
    expect(codeOf(present)).toBe('already_member')
    const another = await createInvitation(kit.seatgate, asOwner, {
      email: newAddress(),
      role: 'member',
    })
    expect(another).toMatchObject({ ok: false, error: { code: 'seat_limit_reached', used: 3 } })
    const joining = { userId: await newUser(), role: 'member' }
    expect(codeOf(await addMember(kit.seatgate, asOwner, joining))).toBe('seat_limit_reached')
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it('again at a full limit: a new token, the old one revoked, the same seat [INV-28 INV-34 SEAT-39]', async () => {
    const kit = createKit({ provider })
    const organization = await kit.organization({ seats: 2 })
    const first = await invite(kit, organization)
    const second = await invite(kit, organization, first.email, 'admin')
    expect(await viewInvitation(kit.seatgate, null, first)).toEqual({ status: 'revoked' })
    expect(await viewInvitation(kit.seatgate, null, second)).toMatchObject({ status: 'signup' })
    const seats = await testEnv.DB.prepare(
      'SELECT seat_id, revoke_reason FROM seatgate_invitations WHERE organization_id = ? ORDER BY revoke_reason IS NULL'
    )
      .bind(organization.id)
      .all<{ seat_id: string; revoke_reason: string | null }>()
    expect(seats.results.map(({ revoke_reason }) => revoke_reason)).toEqual(['superseded', null])
    expect(seats.results[0]?.seat_id).toBe(seats.results[1]?.seat_id)
    expect(unwrap(await accept(kit, second)).membership.role).toBe('admin')
    await kit.settled()
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it('resending at a full limit: the old link is revoked, the lifetime starts again [INV-36 INV-37]', async () => {
    let now = new Date()
    const kit = createKit({ provider, now: () => now })
    const organization = await kit.organization({ seats: 2 })
    const first = await invite(kit, organization)
    now = new Date(now.getTime() + 3 * DAY)
    const asOwner = organization.as(organization.owner)
    const again = unwrap(await resendInvitation(kit.seatgate, asOwner, first.id))
    await kit.settled()
    expect(again).toMatchObject({
      id: first.id,
      expiresAt: new Date(now.getTime() + 7 * DAY).toISOString(),
    })
    expect(await viewInvitation(kit.seatgate, null, first)).toEqual({ status: 'revoked' })
    expect(codeOf(await accept(kit, again))).toBe('ok')
  })

  it('changes its role at a full limit, for a caller who may give that role [INV-37]', async () => {
    const kit = createKit({ provider })
    const organization = await kit.organization({ seats: 3 })
    const admin = organization.as(await join(kit, organization, 'admin'))
    const { id, email, token } = await invite(kit, organization)
    const change = (role: string) => changeInvitationRole(kit.seatgate, admin, id, { role })
    expect(codeOf(await change('owner'))).toBe('insufficient_role')
    expect(codeOf(await change('guest'))).toBe('validation_error')
    expect(unwrap(await change('admin'))).toMatchObject({ role: 'admin' })
    const userId = await userWith(email)
    const scope = { caller: { userId } }
    const { acceptInvitation } = await import('../../../../src/index.ts')
    const accepted = unwrap(await acceptInvitation(kit.seatgate, scope, { token }))
    expect(accepted.membership.role).toBe('admin')
  })

  it('revoking frees the seat at once, and is possible once [INV-40 INV-41 INV-44 SEAT-38]', async () => {
    let now = new Date()
    const kit = createKit({ provider, now: () => now })
    const organization = await kit.organization({ seats: 2 })
    const asOwner = organization.as(organization.owner)
    const first = await invite(kit, organization)
    unwrap(await revokeInvitation(kit.seatgate, asOwner, first.id))
    const again = await revokeInvitation(kit.seatgate, asOwner, first.id)
    expect(codeOf(again)).toBe('not_pending')
    expect(codeOf(await accept(kit, first))).toBe('invitation_revoked')
    const second = await invite(kit, organization)
    now = new Date(now.getTime() + 8 * DAY)
    expect(codeOf(await revokeInvitation(kit.seatgate, asOwner, second.id))).toBe('ok')
    await kit.settled()
    expect(unwrap(await seatUsage(kit.seatgate, asOwner))).toMatchObject({ reserved: 0 })
  })

  it('declining takes only the token, or the right person [INV-45 INV-46]', async () => {
    const kit = createKit({ provider })
    const organization = await kit.organization({ seats: 2 })
    const invited = await invite(kit, organization)
    const stranger = { caller: { userId: await userWith(newAddress()) } }
    const refusal = await declineInvitation(kit.seatgate, stranger, invited)
    expect(codeOf(refusal)).toBe('invitation_mismatch')
    const nobody = { caller: { type: 'anonymous' as const } }
    expect(codeOf(await declineInvitation(kit.seatgate, nobody, invited))).toBe('ok')
    await kit.settled()
    expect(codeOf(await accept(kit, invited))).toBe('invitation_declined')
    expect(await viewInvitation(kit.seatgate, null, invited)).toEqual({ status: 'declined' })
    const usage = unwrap(await seatUsage(kit.seatgate, organization.asOperator))
    expect(usage).toMatchObject({ held: 1, reserved: 0 })
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it('of ten invitations for one address at once one stays open [INV-35]', async () => {
    const kit = createKit({ provider, delayMs: 2 })
    const organization = await kit.organization({ seats: 20 })
    const email = newAddress()
    const asOwner = organization.as(organization.owner)
    const answers = await Promise.all(
      Array.from({ length: 10 }, () =>
        createInvitation(kit.seatgate, asOwner, { email, role: 'member' })
      )
    )
    await kit.settled()
    for (const answer of answers) {
      expect(['ok', 'operation_in_progress']).toContain(codeOf(answer))
    }
    const { data } = unwrap(await listInvitations(kit.seatgate, asOwner))
    expect(data).toHaveLength(1)
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it('a list of them: each row its outcome, in order, never more than there are seats [INV-33 SEAT-40]', async () => {
    const kit = createKit({ provider })
    const organization = await kit.organization({ seats: 5, members: 1 })
    const asOwner = organization.as(organization.owner)
    const [one, two] = [newAddress(), newAddress()]
    const member = newAddress()
    await join(kit, organization, 'member', await userWith(member))
    const rows = [
      { email: one, role: 'member' },
      { email: 'nobody', role: 'member' },
      { email: member, role: 'member' },
      { email: one.toUpperCase(), role: 'admin' },
      { email: two, role: 'guest' },
      { email: two, role: 'admin' },
      ...Array.from({ length: 4 }, () => ({ email: newAddress(), role: 'member' })),
    ]
    const outcomes = unwrap(await createInvitations(kit.seatgate, asOwner, { invitations: rows }))
    await kit.settled()
    expect(outcomes.map(codeOf)).toEqual([
      'ok',
      'validation_error',
      'already_member',
      'ok',
      'validation_error',
      'ok',
      'ok',
      'seat_limit_reached',
      'seat_limit_reached',
      'seat_limit_reached',
    ])
    expect(outcomes[3]).toEqual(outcomes[0])
    expect(unwrap(await seatUsage(kit.seatgate, asOwner))).toMatchObject({ reserved: 3 })
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it('invitations that hold no seats (INV-85, SEAT-41) leave it to the acceptance', async () => {
    const kit = createKit({ provider, invitationsHoldSeats: false })
    const organization = await kit.organization({ seats: 2 })
    const [one, two] = [await invite(kit, organization), await invite(kit, organization)]
    expect(codeOf(await accept(kit, one))).toBe('ok')
    const late = await accept(kit, two)
    expect(codeOf(late)).toBe('seat_limit_reached')
    expect(await viewInvitation(kit.seatgate, null, two)).toMatchObject({ status: 'signup' })
  })
})

describe('the right to invite', () => {
  it('owners and admins, to roles that there are, owners to be by owners [INV-18 INV-19 INV-42]', async () => {
    const kit = createKit()
    const organization = await kit.organization()
    const as = {
      owner: organization.as(organization.owner),
      admin: organization.as(await join(kit, organization, 'admin')),
      member: organization.as(await join(kit, organization, 'member')),
      stranger: organization.as(await newUser()),
    }
    const asked = async (who: keyof typeof as, role: unknown) =>
      codeOf(
        await createInvitation(kit.seatgate, as[who], {
          email: newAddress(),
          role: role as never,
        })
      )
    expect(await asked('owner', 'owner')).toBe('ok')
    expect(await asked('admin', 'owner')).toBe('insufficient_role')
    expect(await asked('admin', 'admin')).toBe('ok')
    expect(await asked('admin', 'guest')).toBe('validation_error')
    expect(await asked('member', 'guest')).toBe('insufficient_role')
    expect(await asked('stranger', 'guest')).toBe('organization_not_found')
  })

  it('no user reaches another organization’s invitations [INV-39 INV-43]', async () => {
    const kit = createKit()
    const [mine, theirs] = [await kit.organization(), await kit.organization()]
    const { id } = await invite(kit, theirs)
    const asOwner = mine.as(mine.owner)
    for (const foreign of [id, crypto.randomUUID()]) {
      expect(codeOf(await revokeInvitation(kit.seatgate, asOwner, foreign))).toBe('not_found')
      expect(codeOf(await resendInvitation(kit.seatgate, asOwner, foreign))).toBe('not_found')
      const changed = await changeInvitationRole(kit.seatgate, asOwner, foreign, {
        role: 'admin',
      })
      expect(codeOf(changed)).toBe('not_found')
    }
  })

  it.each([
    ['INV-21', 'rate_limited_user', { perUser: 3, perOrganization: 50 }],
    ['INV-22', 'rate_limited_organization', { perUser: 50, perOrganization: 3 }],
  ])(
    '%s INV-25 INV-38 no more than the limit, however many at once: %s',
    async (_id, code, limits) => {
      let now = new Date()
      const kit = createKit({ invitationLimits: limits, now: () => now, delayMs: 2 })
      const organization = await kit.organization()
      const asOwner = organization.as(organization.owner)
      const email = newAddress()
      const answers = await Promise.all(
        Array.from({ length: 8 }, (_, index) =>
          createInvitation(kit.seatgate, asOwner, {
            email: `${index}-${email}`,
            role: 'member',
          })
        )
      )
      await kit.settled()
      expect(answers.filter(({ ok }) => ok).length).toBeLessThanOrEqual(3)
      for (const answer of answers) {
        expect(['ok', code, 'operation_in_progress']).toContain(codeOf(answer))
        // A12: as long as the window is open, told by the read and by the guard in the batch alike.
        if (codeOf(answer) !== code) continue
        expect(answer).toEqual({ ok: false, error: { code, retryAfterSeconds: 86_400 } })
      }
      now = new Date(now.getTime() + 3_600_500)
      for (let more = 0; more < 3; more++) {
        await createInvitation(kit.seatgate, asOwner, { email, role: 'member' })
      }
      const full = await createInvitation(kit.seatgate, asOwner, { email, role: 'member' })
      expect(full).toEqual({ ok: false, error: { code, retryAfterSeconds: 82_800 } })
      const count = 'SELECT count(*) AS n FROM seatgate_invitations WHERE organization_id = ?'
      const made = await testEnv.DB.prepare(count).bind(organization.id).first<number>('n')
      expect(made).toBe(3)
      now = new Date(now.getTime() + DAY)
      const tomorrow = await createInvitation(kit.seatgate, asOwner, { email, role: 'member' })
      expect(codeOf(tomorrow)).toBe('ok')
    }
  )

  it('needs a secret, and a mailer needs a link [INV-6 INV-5]', async () => {
    const kit = createKit({ secret: undefined as never })
    const organization = await kit.organization()
    const asOwner = organization.as(organization.owner)
    const input = { email: newAddress(), role: 'member' }
    await expect(createInvitation(kit.seatgate, asOwner, input)).rejects.toThrow(TypeError)
    expect(() => invitations({} as never)).toThrow(/secret/)
    const mailer = { send: async () => ({ outcome: 'sent' }) as const }
    expect(() => invitations({ secret: SECRET, mailer })).toThrow(/mailer needs url/)
  })

  it('warns of a lifetime beyond thirty days [INV-3 INV-4]', async () => {
    const warnings: unknown[] = []
    const worldOf = (days: number) =>
      createKit({
        invitationTtlSeconds: days * 24 * 60 * 60,
        report: ({ error }) => warnings.push(error),
      })
    const organization = await worldOf(30).organization()
    await invite(worldOf(30), organization)
    expect(warnings).toEqual([])
    await invite(worldOf(31), organization)
    expect(warnings).toEqual([expect.stringMatching(/31 days.*30 days/)])
  })
})

describe('a repeated invitation', () => {
  it('is answered as the first time, token and all, which is in no table in clear [INV-15]', async () => {
    const kit = createKit()
    const organization = await kit.organization({ seats: 3 })
    const asOwner = organization.as(organization.owner)
    const input = { email: newAddress(), role: 'member' }
    const operationId = crypto.randomUUID()
    const ask = () => createInvitation(kit.seatgate, asOwner, input, { operationId })
    const first = unwrap(await ask())
    expect(unwrap(await ask())).toEqual(first)
    expect(await inClear(organization.id, [first.token, first.mailToken])).toEqual([])
    expect(unwrap(await seatUsage(kit.seatgate, asOwner))).toMatchObject({ reserved: 1 })
  })
})

describe('lists', () => {
  it('shows an organization’s open ones, newest first [INV-47]', async () => {
    let now = new Date()
    const kit = createKit({ now: () => now })
    const organization = await kit.organization()
    const made = []
    for (let index = 0; index < 3; index++) {
      now = new Date(now.getTime() + 1000)
      made.push(await invite(kit, organization))
    }
    const asOwner = organization.as(organization.owner)
    unwrap(await revokeInvitation(kit.seatgate, asOwner, made[1]!.id))
    const { data } = unwrap(await listInvitations(kit.seatgate, asOwner))
    expect(data.map(({ id }) => id)).toEqual([made[2]!.id, made[0]!.id])
    expect(data[0]).not.toHaveProperty('token')
    now = new Date(now.getTime() + 8 * DAY)
    expect(unwrap(await listInvitations(kit.seatgate, asOwner)).data).toEqual([])
  })

  it('shows a user’s own invitations only to a verified address [INV-48 INV-49]', async () => {
    const kit = createKit()
    const organization = await kit.organization()
    const email = newAddress()
    const { id } = await invite(kit, organization, email)
    const verified = { caller: { userId: await userWith(email) } }
    const own = unwrap(await listOwnInvitations(kit.seatgate, verified))
    expect(own.data).toEqual([
      expect.objectContaining({
        id,
        organization: { id: organization.id, name: 'Test', slug: organization.slug },
      }),
    ])
    await testEnv.DB.prepare('UPDATE users SET email_verified_at = NULL WHERE email = ?')
      .bind(email)
      .run()
    expect(unwrap(await listOwnInvitations(kit.seatgate, verified)).data).toEqual([])
  })

  it('lists a user’s own invitations on several pages, each once, and each page newest first [INV-48]', async () => {
    let now = new Date('2026-08-01T12:00:00Z')
    const kit = createKit({ now: () => now })
    const email = newAddress()
    const sent: string[] = []
    for (let index = 0; index < 5; index++) {
      now = new Date(now.getTime() + 1000)
      sent.push((await invite(kit, await kit.organization(), email)).id)
    }
    const own = { caller: { userId: await userWith(email) } }
    const whole = unwrap(await listOwnInvitations(kit.seatgate, own))
    expect(whole).toMatchObject({ nextCursor: null })
    expect(whole.data.map(({ id }) => id)).toEqual(sent.toReversed())
    const seen: string[] = []
    let cursor: string | null = null
    do {
      const input: PageInput = { limit: 2, ...(cursor !== null && { cursor }) }
      const page: Page<OwnInvitation> = unwrap(await listOwnInvitations(kit.seatgate, own, input))
      const times = page.data.map(({ createdAt }) => createdAt)
      expect(times).toEqual(times.toSorted().toReversed())
      seen.push(...page.data.map(({ id }) => id))
      cursor = page.nextCursor
    } while (cursor !== null)
    expect(seen).toHaveLength(5)
    expect(seen.toSorted()).toEqual(sent.toSorted())
  })
})

describe('mail', () => {
  it('goes out after the commit, once, under one key [INV-29 MAIL-2 MAIL-3 MAIL-7 MAIL-11]', async () => {
    const box = mailbox()
    const kit = createKit(box.options)
    const organization = await kit.organization()
    const invited = await invite(kit, organization)
    expect(box.mails).toEqual([
      {
        kind: 'invitation',
        to: invited.email,
        locale: null,
        token: invited.mailToken,
        url: `https://app.example/join#${invited.mailToken}`,
        organization: { id: organization.id, name: 'Test', slug: organization.slug },
        inviter: null,
        role: 'member',
        expiresAt: invited.expiresAt,
        subject: 'Invitation to Test',
        text: expect.stringContaining(`https://app.example/join#${invited.mailToken}`),
        html: expect.stringContaining(`https://app.example/join#${invited.mailToken}`),
        idempotencyKey: `${invited.id}:1`,
        organizationId: organization.id,
      },
    ])
    const status = 'SELECT mail_status FROM seatgate_invitations WHERE id = ?'
    const read = () => testEnv.DB.prepare(status).bind(invited.id).first<string>('mail_status')
    expect(invited.mailStatus).toBe('queued')
    expect(await read()).toBe('sent')
    expect(await intentsOf(organization.id)).toEqual([])
  })

  it('waits encrypted while the mailer fails, and is dropped once it is revoked [MAIL-5 MAIL-8 INV-15]', async () => {
    let now = new Date()
    let attempts = 0
    const kit = createKit({
      now: () => now,
      invitationUrl: (token) => token,
      mailer: {
        async send() {
          attempts += 1
          throw new Error('down')
        },
      },
    })
    const organization = await kit.organization()
    const invited = await invite(kit, organization)
    const [waiting] = await intentsOf(organization.id)
    expect(waiting).toMatchObject({ kind: 'send_invitation', attempts: 1, last_error: 'Error' })
    expect(await inClear(organization.id, [invited.token, invited.mailToken])).toEqual([])
    now = new Date(now.getTime() + 60_000)
    await sweepHandler(kit.seatgate)()
    expect(attempts).toBe(2)
    unwrap(await revokeInvitation(kit.seatgate, organization.as(organization.owner), invited.id))
    now = new Date(now.getTime() + 60_000)
    await sweepHandler(kit.seatgate)()
    expect(attempts).toBe(2)
    expect(await intentsOf(organization.id)).toEqual([])
  })
})

const intentsOf = async (organizationId: string) =>
  (
    await testEnv.DB.prepare('SELECT * FROM seatgate_jobs WHERE organization_id = ?')
      .bind(organizationId)
      .all()
  ).results
