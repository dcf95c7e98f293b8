import { describe, expect, it } from 'vitest'
import { seatgateRouter } from '../../../../src/hono/index.ts'
import {
  acceptInvitationWithSignup,
  createInvitation,
  createSeatgate,
  d1Seats,
  invitations,
  listAuditEvents,
  type MailDelivery,
} from '../../../../src/index.ts'
import {
  db,
  seatgateWith,
  createKit,
  invite,
  mailbox,
  newAddress,
  testEnv,
  unwrap,
  codeOf,
  SECRET,
} from '../../../kit/index.ts'

const needed = { database: db, seats: d1Seats(), sessions: 'none' } as const
const send = async () => ({ outcome: 'sent' }) as const

const statusOf = (id: string) =>
  testEnv.DB.prepare('SELECT mail_status FROM seatgate_invitations WHERE id = ?')
    .bind(id)
    .first<string>('mail_status')

describe('the settings of invitations', () => {
  it('are seven days, 20 a user, 50 an organization, and no mailer or link [INV-1 INV-2]', () => {
    expect(invitations({ secret: SECRET })).toMatchObject({
      secret: SECRET,
      ttlSeconds: 7 * 24 * 60 * 60,
      holdSeats: true,
      limits: {
        perUser: 20,
        perOrganization: 50,
        inBulk: 500,
        perRecipient: 20,
        failedAccepts: 20,
      },
      mailer: null,
      url: null,
    })
  })

  it.each([
    ['a short secret', { secret: 'short' }, /secret/],
    ['a mailer that sends nothing', { mailer: {} as never }, /mailer/],
    ['a mailer without a link', { mailer: { send } }, /mailer needs url/],
    ['a lifetime of nothing', { invitationTtlSeconds: 0 }, /ttlSeconds/],
    ['half a limit', { invitationLimits: { perUser: 0.5 } }, /limits\.perUser/],
    ['a limit below nothing', { invitationLimits: { perOrganization: -1 } }, /perOrganization/],
  ])('are refused at start: %s', (_what, options, message) => {
    expect(() => seatgateWith(options)).toThrow(message)
  })

  it('are absent without the part, and so are the routes [INV-1]', async () => {
    const plain = createSeatgate({ ...needed, identity: { verifyPassword: () => true } })
    expect(plain.invitations).toBeNull()
    const none = seatgateRouter(plain, { authenticate: () => ({ userId: 'ada' }) })
    const paths = none.routes.flatMap(({ method, path }) => (method === 'ALL' ? [] : [path]))
    expect(paths.filter((path) => /invitations|members\/import/.test(path))).toEqual([])
    expect(paths).toContain('/organizations/:org/members')
  })

  it('are refused as bare options', () => {
    const options = { secret: SECRET } as never
    expect(() => createSeatgate({ ...needed, invitations: options })).toThrow(
      'createSeatgate: invitations must be invitations({ … }).'
    )
  })

  it('count no mail where there is no limit [INV-23]', async () => {
    const kit = createKit()
    const organization = await kit.organization()
    await invite(kit, organization)
    const counted = await testEnv.DB.prepare(
      'SELECT key FROM seatgate_rate_limits WHERE key LIKE ?'
    )
      .bind(`%${organization.id}%`)
      .all()
    expect(counted.results).toEqual([])
  })

  it('need registerUser for accepting with sign-up [INV-80]', async () => {
    const kit = createKit({ registerUser: undefined as never })
    const input = { token: 'any', email: newAddress(), password: 'correct horse' }
    await expect(acceptInvitationWithSignup(kit.seatgate, input)).rejects.toThrow(/registerUser/)
  })

  it('let registerUser refuse with its own codes, and report an unlisted one', async () => {
    const events: string[] = []
    for (const code of ['unavailable', 'last_owner'] as const) {
      const kit = createKit({
        report: ({ event }) => events.push(event),
        registerUser: async () => ({ ok: false, error: { code: code as 'unavailable' } }),
      })
      const { email, token } = await invite(kit, await kit.organization())
      const input = { token, email, password: 'correct horse' }
      expect(codeOf(await acceptInvitationWithSignup(kit.seatgate, input))).toBe(code)
    }
    expect(events).toEqual(['refusal_not_listed'])
  })
})

describe('inputs that are refused', () => {
  it('another organization or inviter; and the event has no address [INV-20 INV-32]', async () => {
    const kit = createKit()
    const [mine, theirs] = [await kit.organization(), await kit.organization()]
    const email = newAddress()
    const asOwner = mine.as(mine.owner)
    const invited = unwrap(
      await createInvitation(kit.seatgate, asOwner, {
        email,
        role: 'member',
        organizationId: theirs.id,
        organization_id: theirs.id,
        invitedById: theirs.owner,
      } as never)
    )
    expect(invited).toMatchObject({ organizationId: mine.id, invitedBy: mine.owner })
    const { data } = unwrap(await listAuditEvents(kit.seatgate, asOwner))
    const event = data.find(({ action }) => action === 'organization.invitation.created')
    expect(event).toMatchObject({
      targetType: 'invitation',
      targetId: invited.id,
      metadata: { invitation_id: invited.id, role: 'member' },
    })
    expect(JSON.stringify(data)).not.toContain(email)
    const foreign = await createInvitation(kit.seatgate, theirs.as(mine.owner), {
      email,
      role: 'member',
    })
    expect(codeOf(foreign)).toBe('organization_not_found')
  })
})

describe('the mailer', () => {
  it('is not needed: the invitation says that no mail was sent [INV-30 MAIL-4]', async () => {
    const kit = createKit()
    const invited = await invite(kit, await kit.organization())
    expect(invited.mailStatus).toBe('skipped')
    expect(await statusOf(invited.id)).toBe('skipped')
  })

  it('gets an address, a subject and both texts, and no way to track [MAIL-1 MAIL-6]', async () => {
    const box = mailbox()
    const kit = createKit(box.options)
    const organization = await kit.organization()
    await invite(kit, organization)
    const [mail] = box.mails
    const about = 'kind to locale token url organization inviter role expiresAt'.split(' ')
    expect(Object.keys(mail ?? {}).sort()).toEqual(
      [...about, 'html', 'idempotencyKey', 'organizationId', 'subject', 'text'].sort()
    )
    expect(mail?.html.match(/https?:/g)).toHaveLength(1)
    expect(mail?.html).not.toMatch(/<img|<script|style=/i)
  })

  it('may refuse permanently: the invitation shows it and keeps its seat [MAIL-10]', async () => {
    const reports: unknown[] = []
    const rejected: MailDelivery = { outcome: 'rejected', reason: 'suppressed' }
    const kit = createKit({
      mailer: { send: async () => rejected },
      invitationUrl: (token) => token,
      report: ({ event, error }) => reports.push([event, error]),
    })
    const organization = await kit.organization({ seats: 2 })
    const invited = await invite(kit, organization)
    expect(await statusOf(invited.id)).toBe('failed')
    expect(reports).toEqual([['invitation_mail_rejected', 'suppressed']])
    const full = await createInvitation(kit.seatgate, organization.as(organization.owner), {
      email: newAddress(),
      role: 'member',
    })
    expect(codeOf(full)).toBe('seat_limit_reached')
  })
})
