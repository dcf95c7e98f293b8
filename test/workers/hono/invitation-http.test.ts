import { describe, expect, it, vi } from 'vitest'
import { registration } from '../../../host/identity/routes.ts'
import {
  acceptInvitation,
  acceptInvitationWithSignup,
  createInvitation,
  resendInvitation,
  type InvitationWithToken,
  type SeatExplanation,
} from '../../../src/index.ts'
import {
  asUser,
  embedded,
  host,
  HOST_SECRET,
  postInvitation,
  limitTo,
  postMember,
  postOrganization,
  people,
  problem,
  rowCounts,
  seatgateWith,
  type Client,
  type Person,
  headersOf,
  createKit,
  invite,
  newAddress,
  userWith,
  inClear,
  secretsOf,
  containsToken,
  everything,
  isChange,
  testEnv,
  unwrap,
  PASSWORD,
  shareOf,
} from '../../kit/index.ts'

const run = (sql: string, ...values: unknown[]) =>
  testEnv.DB.prepare(sql)
    .bind(...values)
    .run()

const rowsOf = async (table: 'seatgate_jobs', organizationId: string) => {
  const sql = `SELECT * FROM ${table} WHERE organization_id = ?`
  return (await testEnv.DB.prepare(sql).bind(organizationId).all()).results
}

/** An organization whose owner Ada has invited somebody; `stranger` is somebody else. */
async function invitedTeam() {
  const [owner, guest, stranger] = (await people(3)) as [Person, Person, Person]
  await run("UPDATE users SET name = 'Ada' WHERE id = ?", owner.userId)
  const organization = await postOrganization(owner)
  const invitation = await postInvitation(organization, owner, guest.email, 'admin')
  const { token } = invitation
  const view = async (by: Person | null = null, presented: unknown = token) => {
    const response = await host.post('/invitations/view', { token: presented }, by?.token ?? null)
    expect(response.status).toBe(200)
    return response.json()
  }
  return { owner, guest, stranger, organization, invitation, token, view }
}

const ENDS = {
  already_accepted: "accepted_at = 1, accepted_by_id = 'ann'",
  revoked: "revoked_at = 1, revoke_reason = 'revoked'",
  declined: 'declined_at = 1',
} as const

const endsOf = Object.entries(ENDS) as [keyof typeof ENDS, string][]
const set = ({ id }: InvitationWithToken, to: string) =>
  run(`UPDATE seatgate_invitations SET ${to} WHERE id = ?`, id)

async function whole(response: Response) {
  const { status } = response
  return { status, headers: headersOf(response), body: await response.text() }
}

describe('the page of an invitation', () => {
  it('shows an anonymous caller the organization, and asks them to sign up [INV-50 INV-62]', async () => {
    const { organization, invitation, view } = await invitedTeam()
    const { email, role, expiresAt } = invitation
    const { name, slug } = organization
    expect(await view()).toEqual({
      status: 'signup',
      invitation: { email, role, expiresAt },
      organization: { name, slug },
      inviter: { name: 'Ada' },
    })
  })

  it('lets its recipient accept [INV-51]', async () => {
    const { organization, guest, view } = await invitedTeam()
    const { name, slug } = organization
    expect(await view(guest)).toMatchObject({
      status: 'accept',
      organization: { name, slug },
      inviter: { name: 'Ada' },
    })
    await run('UPDATE users SET name = ? WHERE id = ?', 'Guest', guest.userId)
    expect(await view(guest)).toMatchObject({ status: 'accept' })
  })

  it('sets the active organization of a user who accepts [INV-63]', async () => {
    const { organization, guest, token } = await invitedTeam()
    expect((await host.post('/invitations/accept', { token }, guest.token)).status).toBe(200)
    const active = await host.get('/active-organization', guest.token)
    expect(await active.json()).toMatchObject({
      organization: { id: organization.id },
      role: 'admin',
    })
  })

  it('names another user the two addresses only [INV-52]', async () => {
    const { guest, stranger, view } = await invitedTeam()
    expect(await view(stranger)).toEqual({
      status: 'mismatch',
      invitation: { email: guest.email },
      user: { email: stranger.email },
    })
  })

  it('does not say why a token is invalid [INV-53]', async () => {
    const { guest, token, view } = await invitedTeam()
    for (const presented of ['garbage', token.slice(1), `${token}A`, token.toLowerCase(), '', 7]) {
      expect(await view(guest, presented)).toEqual({ status: 'invalid' })
    }
  })

  it.each(endsOf)(
    'is %s for every caller, also after its expiry [INV-54 INV-55]',
    async (status, end) => {
      const { guest, stranger, invitation, view } = await invitedTeam()
      await set(invitation, end)
      for (const by of [null, guest, stranger]) expect(await view(by)).toEqual({ status })
      await set(invitation, 'expires_at = 1')
      for (const by of [null, guest, stranger]) expect(await view(by)).toEqual({ status })
    }
  )

  it('is expired or open according to the expiry in its row [INV-54 INV-14]', async () => {
    const { guest, stranger, invitation, view } = await invitedTeam()
    await set(invitation, 'expires_at = 1')
    for (const by of [null, guest, stranger]) expect(await view(by)).toEqual({ status: 'expired' })
    await set(invitation, `expires_at = ${Date.now() + 60_000}`)
    expect(await view(guest)).toMatchObject({ status: 'accept' })
  })

  it('an older token is revoked, unless a user is in [INV-55]', async () => {
    const { owner, organization, invitation, view } = await invitedTeam()
    const path = `/organizations/${organization.id}/invitations/${invitation.id}/resend`
    expect((await host.post(path, undefined, owner.token)).status).toBe(200)
    expect(await view()).toEqual({ status: 'revoked' })
    await set(invitation, 'expires_at = 1')
    expect(await view()).toEqual({ status: 'revoked' })
    await set(invitation, ENDS.already_accepted)
    expect(await view()).toEqual({ status: 'already_accepted' })
  })

  it('is expired without a row only after the expiry in its token [INV-56]', async () => {
    const { owner, organization, guest } = await invitedTeam()
    await run('DELETE FROM seatgate_invitations')
    const client = embedded()
    const as = { token: asUser(owner) }
    const { token } = await postInvitation(organization, as, guest.email, 'member', client)
    await run('DELETE FROM seatgate_invitations')
    const later = embedded({ now: () => new Date(Date.now() + 8 * 24 * 60 * 60 * 1000) })
    const statusAt = async (at: Client) => (await at.post('/invitations/view', { token })).json()
    expect(await statusAt(client)).toEqual({ status: 'invalid' })
    expect(await statusAt(later)).toEqual({ status: 'expired' })
  })

  it('leaves out the name of a deleted user [INV-57]', async () => {
    const { owner, stranger: admin, organization } = await invitedTeam()
    await postMember(organization, owner, admin, 'admin')
    const { token } = await postInvitation(organization, admin, newAddress())
    // Past the library: removing the member would end the invitation.
    await run('DELETE FROM seatgate_memberships WHERE user_id = ?', admin.userId)
    await run('DELETE FROM users WHERE id = ?', admin.userId)
    const page = await (await host.post('/invitations/view', { token })).json()
    expect(page).toMatchObject({ status: 'signup', inviter: null })
  })

  it('is invalid if the organization is deleted [INV-58]', async () => {
    const { guest, organization, view } = await invitedTeam()
    await run('UPDATE seatgate_organizations SET deleted_at = 1 WHERE id = ?', organization.id)
    for (const by of [null, guest]) expect(await view(by)).toEqual({ status: 'invalid' })
  })

  it('is invalid for an address that it was not made out to [INV-13]', async () => {
    const { invitation, view } = await invitedTeam()
    await set(invitation, `email = '${newAddress()}'`)
    expect(await view()).toEqual({ status: 'invalid' })
  })
})

describe('a forged acceptance', () => {
  const ways: [string, string, (team: Awaited<ReturnType<typeof invitedTeam>>) => unknown][] = [
    ['of one that is none', 'invitation_invalid', () => null],
    [
      'of an accepted one',
      'invitation_already_accepted',
      (team) => set(team.invitation, ENDS.already_accepted),
    ],
    ['of a revoked one', 'invitation_revoked', (team) => set(team.invitation, ENDS.revoked)],
    ['of a declined one', 'invitation_declined', (team) => set(team.invitation, ENDS.declined)],
    ['of an expired one', 'invitation_expired', (team) => set(team.invitation, 'expires_at = 1')],
    ['by somebody else', 'invitation_mismatch', () => null],
  ]

  it.each(shareOf(ways, 1))(
    '%s is %s, and makes no change [INV-60]',
    async (_what, code, spoil) => {
      const team = await invitedTeam()
      await spoil(team)
      const { guest, stranger, organization, invitation } = team
      const token = code === 'invitation_invalid' ? 'garbage' : team.token
      const by = code === 'invitation_mismatch' ? stranger : guest
      const before = await everything()
      const accepted = await host.post('/invitations/accept', { token }, by.token)
      expect((await problem(accepted)).code).toBe(code)
      if (code !== 'invitation_mismatch') {
        const input = { token, email: invitation.email, password: PASSWORD }
        const joined = await host.post('/invitations/accept-with-signup', input)
        expect((await problem(joined)).code).toBe(code)
      }
      const declined = await host.post('/invitations/decline', { token }, by.token)
      expect((await problem(declined)).code).toBe(code)
      // Sessions are touched by whoever uses them, wrong attempts are counted, and what happened before is
      // still being forwarded.
      const beside = {
        seatgate_sessions: [],
        seatgate_rate_limits: [],
        seatgate_audit_outbox: [],
        seatgate_sink_cursors: [],
      }
      expect({ ...(await everything()), ...beside }).toEqual({ ...before, ...beside })
      expect((await host.get(`/organizations/${organization.id}`, by.token)).status).toBe(404)
    }
  )

  it('without a session is possible only with sign-up [INV-62]', async () => {
    const { token } = await invitedTeam()
    expect((await host.post('/invitations/accept', { token })).status).toBe(401)
    expect((await host.post('/invitations/view', { token })).status).toBe(200)
    expect((await host.post('/invitations/decline', { token })).status).toBe(204)
  })
})

describe('a token that opens no invitation', () => {
  it('is answered to the byte as any other, on every route [INV-12 INV-53]', async () => {
    const { owner, guest, organization, invitation, token } = await invitedTeam()
    const foreign = await postInvitation(
      organization,
      { token: asUser(owner) },
      newAddress(),
      'member',
      embedded()
    )
    const purged = await postInvitation(organization, owner, newAddress())
    await run('DELETE FROM seatgate_invitations WHERE id = ?', purged.id)
    const [elsewhere] = (await people(1)) as [Person]
    const lost = await postOrganization(elsewhere)
    const deleted = await postInvitation(lost, elsewhere, guest.email)
    await run('UPDATE seatgate_organizations SET deleted_at = 1 WHERE id = ?', lost.id)
    const moved = await postInvitation(organization, owner, newAddress())
    await set(moved, `email = '${newAddress()}'`)
    const worthless = {
      'of another host': foreign.token,
      'whose row is gone': purged.token,
      'of a deleted organization': deleted.token,
      'made out to another address': moved.token,
      'with a bit turned': `${token.slice(0, 60)}${token[60] === 'A' ? 'B' : 'A'}${token.slice(61)}`,
      'an id': invitation.id,
    }
    const before = await rowCounts()
    for (const path of ['view', 'accept', 'decline', 'accept-with-signup']) {
      for (const by of [null, guest]) {
        const ask = async (presented: string) =>
          whole(
            await host.post(
              `/invitations/${path}`,
              { token: presented, email: guest.email, password: PASSWORD },
              by?.token ?? null
            )
          )
        const garbage = await ask('garbage')
        for (const [what, presented] of Object.entries(worthless)) {
          expect(await ask(presented), `${path} ${what}`).toEqual(garbage)
        }
      }
    }
    const after = await rowCounts()
    expect(after).toEqual({ ...before, seatgate_rate_limits: after['seatgate_rate_limits'] })
  })
})

describe('accepting', () => {
  it('verifies the address, and own invitations are shown from then on [INV-67 INV-49]', async () => {
    const { owner, guest, organization, invitation } = await invitedTeam()
    const [other] = (await people(1)) as [Person]
    const elsewhere = await postOrganization(other)
    const waiting = await postInvitation(elsewhere, other, guest.email)
    const own = async () =>
      (await (await host.get('/invitations', guest.token)).json<{ data: object[] }>()).data
    expect(await own()).toEqual([])
    const library = seatgateWith({ secret: HOST_SECRET })
    const scope = { caller: { userId: owner.userId }, organization: organization.id }
    const { mailToken } = unwrap(await resendInvitation(library, scope, invitation.id))
    const accepted = await host.post('/invitations/accept', { token: mailToken }, guest.token)
    expect(accepted.status).toBe(200)
    expect(await accepted.json()).toEqual({
      membership: expect.objectContaining({ userId: guest.userId, role: 'admin' }),
      organization: expect.objectContaining({ id: organization.id }),
    })
    const { id, name, slug } = elsewhere
    expect(await own()).toMatchObject([{ id: waiting.id, organization: { id, name, slug } }])
    expect(JSON.stringify(await own())).not.toContain('token')
  })

  it('with sign-up: the host signs in, and the way leads into the organization [INV-78 INV-84]', async () => {
    const { owner, organization } = await invitedTeam()
    const { token, email } = await postInvitation(organization, owner, newAddress())
    const input = { token, email: email.toUpperCase(), password: PASSWORD, name: 'Zoë' }
    const response = await host.post('/invitations/accept-with-signup', input)
    expect(response.status).toBe(201)
    const joined = await response.json<{ user: { id: string }; token: string }>()
    expect(joined).toMatchObject({ user: { email, name: 'Zoë' }, membership: { role: 'member' } })
    expect(JSON.stringify(joined)).not.toMatch(/password|hash/i)
    const [cookie] = response.headers.getSetCookie()
    expect(cookie).toContain(`seatgate_session=${joined.token}`)
    expect(cookie).toMatch(/HttpOnly/)
    const active = await host.get('/active-organization', joined.token)
    expect(await active.json()).toMatchObject({ organization: { id: organization.id } })
    const again = await host.post('/identity/sign-in', { email, password: PASSWORD })
    expect(again.status).toBe(200)
    const taken = await postInvitation(await postOrganization(owner), owner, email)
    const second = await host.post('/invitations/accept-with-signup', {
      ...taken,
      password: PASSWORD,
    })
    expect(await problem(second)).toMatchObject({ code: 'validation_error', fields: ['email'] })
  })

  it('the library itself creates no session [INV-84]', async () => {
    const kit = createKit()
    const organization = await kit.organization()
    const asOwner = organization.as(organization.owner)
    const invited = unwrap(
      await createInvitation(kit.seatgate, asOwner, { email: newAddress(), role: 'member' })
    )
    const sessions = () =>
      testEnv.DB.prepare('SELECT count(*) AS n FROM seatgate_sessions').first('n')
    const before = await sessions()
    unwrap(await acceptInvitationWithSignup(kit.seatgate, { ...invited, password: PASSWORD }))
    await kit.settled()
    expect(await sessions()).toBe(before)
  })

  it('registers once, however often the batch has to be made [INV-83]', async () => {
    const registered: string[] = []
    let batches = 0
    const kit = createKit({
      async registerUser(someone) {
        registered.push(someone.email)
        return registration(kit.seatgate.db)(someone)
      },
      async around({ asked }, run) {
        if (isChange(asked) && asked.some((sql) => sql.startsWith('insert into "users"'))) {
          batches += 1
          if (batches === 1)
            await run()
              .then(() => run())
              .catch(() => {})
        }
        return run()
      },
    })
    const calm = createKit()
    const organization = await calm.organization()
    const asOwner = organization.as(organization.owner)
    const email = newAddress()
    const invited = unwrap(
      await createInvitation(calm.seatgate, asOwner, { email, role: 'member' })
    )
    await acceptInvitationWithSignup(kit.seatgate, { ...invited, password: PASSWORD })
    await kit.settled()
    expect(registered).toEqual([email])
    const users = await testEnv.DB.prepare('SELECT count(*) AS n FROM users WHERE email = ?')
      .bind(email)
      .first('n')
    expect(users).toBe(1)
  })

  it('discloses no number to a user without a seat, who may try again [SEAT-41]', async () => {
    const [owner, guest] = (await people(2)) as [Person, Person]
    const organization = await postOrganization(owner)
    const client = embedded({ invitationsHoldSeats: false })
    const as = { token: asUser(owner) }
    const { token } = await postInvitation(organization, as, guest.email, 'member', client)
    await limitTo(organization, 1)
    const accept = () => client.post('/invitations/accept', { token }, asUser(guest))
    const refused = await accept()
    expect(refused.status).toBe(409)
    const body = await refused.json<object>()
    expect(Object.keys(body).toSorted()).toEqual(['code', 'status', 'title', 'type'])
    expect(body).toMatchObject({ code: 'seat_limit_reached' })
    await limitTo(organization, 2)
    expect((await accept()).status).toBe(200)
  })
})

describe('the seats, explained', () => {
  it('lists the holders, their kind, and when the next seat is free [SEAT-36]', async () => {
    const { owner, guest, organization, invitation } = await invitedTeam()
    const path = `/organizations/${organization.id}/seats/explain`
    const explained = async () => (await host.get(path, owner.token)).json<SeatExplanation>()
    await limitTo(organization, 2)
    expect(await explained()).toEqual({
      limit: 2,
      held: 1,
      reserved: 1,
      available: 0,
      overLimit: false,
      version: 1,
      refusal: { code: 'seat_limit_reached', limit: 2, used: 2 },
      members: [{ userId: owner.userId, role: 'owner' }],
      invitations: [{ id: invitation.id, email: guest.email, expiresAt: invitation.expiresAt }],
      nextExpiry: invitation.expiresAt,
      inputs: {
        plan: null,
        included: 2,
        purchased: 0,
        addOns: 0,
        cap: null,
        override: { reason: null, until: null },
        graceEnd: null,
        unknownSince: null,
        syncedAt: null,
      },
      over: null,
    })
    await limitTo(organization, 3)
    expect(await explained()).toMatchObject({ refusal: null, available: 1 })
    await host.post('/invitations/decline', { token: invitation.token })
    expect(await explained()).toMatchObject({ reserved: 0, invitations: [], nextExpiry: null })
  })
})

describe('a token', () => {
  it('is in no table in clear and in no log, from its making to its end [INV-10 INV-15 MAIL-9]', async () => {
    const logged: unknown[] = []
    const spies = (['log', 'info', 'warn', 'error', 'debug'] as const).map((level) =>
      vi.spyOn(console, level).mockImplementation((...words) => void logged.push(words))
    )
    let fails = true
    const kit = createKit({
      report: (event) => logged.push(event, String(event.error)),
      mailer: {
        async send(mail) {
          if (fails) throw new Error(`no route to ${mail.to}: ${mail.text}`)
          return { outcome: 'rejected', reason: 'mailbox is full' }
        },
      },
      invitationUrl: (token) => `https://app.example/join#${token}`,
    })
    const organization = await kit.organization()
    const asOwner = organization.as(organization.owner)
    const email = newAddress()
    const input = { email, role: 'member' }
    const once = { operationId: crypto.randomUUID() }
    const tokens: string[] = []
    const check = async () => {
      await kit.settled()
      expect(await inClear(organization.id, tokens)).toEqual([])
    }
    const waiting = () => rowsOf('seatgate_jobs', organization.id)
    const made = unwrap(await createInvitation(kit.seatgate, asOwner, input, once))
    tokens.push(made.token, made.mailToken)
    await check()
    expect(await waiting()).toHaveLength(1)
    fails = false
    const again = unwrap(await resendInvitation(kit.seatgate, asOwner, made.id))
    tokens.push(again.token, again.mailToken)
    await check()
    const userId = await userWith(email)
    unwrap(await acceptInvitation(kit.seatgate, { caller: { userId } }, again))
    await check()
    for (const spy of spies) spy.mockRestore()
    expect(logged.length).toBeGreaterThan(0)
    // What a mailer of the host's says in its own error is the host's to keep quiet about.
    const said = JSON.stringify(logged.filter((entry) => typeof entry !== 'string'))
    for (const secret of [...tokens, email]) expect(said).not.toContain(secret)
    expect(containsToken(said, tokens)).toBe(false)
    const kept = JSON.stringify(await everything())
    expect(kept).not.toContain('no route to')
  })

  describe('in clear is noticed in the mail queue [D9]', () => {
    const base64 = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes))
    const inside = (token: string) => secretsOf(token)[2]!
    const ways: readonly [way: string, write: (token: string) => unknown][] = [
      ['as it is', (token) => ({ token })],
      ['as a name', (token) => ({ [token]: 1 })],
      ['in a link', (token) => ({ encrypted: `https://app.example/join#${token}` })],
      ['in JSON within JSON', (token) => ({ mail: JSON.stringify({ text: `"${token}"\n` }) })],
      ['in Base64', (token) => ({ encrypted: btoa(token) })],
      ['in Base64, after a character', (token) => ({ encrypted: btoa(`.${token}`) })],
      ['in Base64, after two', (token) => ({ encrypted: btoa(`..${token}.`) })],
      ['as its bytes', (token) => ({ encrypted: [...inside(token)] })],
      ['as its bytes in Base64', (token) => ({ encrypted: base64(inside(token)) })],
      [
        'as its bytes in Base64, after a nonce',
        (token) => ({
          encrypted: base64(
            new Uint8Array([...crypto.getRandomValues(new Uint8Array(13)), ...inside(token)])
          ),
        }),
      ],
      [
        'as its bytes in hex',
        (token) => ({
          encrypted: [...inside(token)].map((byte) => byte.toString(16).padStart(2, '0')).join(''),
        }),
      ],
    ]
    it.each(shareOf(ways, 1))('%s', async (_way, write) => {
      const kit = createKit({
        mailer: { send: () => Promise.reject(new Error('down')) },
        invitationUrl: (token) => token,
      })
      const organization = await kit.organization()
      const { token, mailToken } = await invite(kit, organization)
      for (const each of [token, mailToken]) {
        expect(await inClear(organization.id, [each])).toEqual([])
        await run(
          'UPDATE seatgate_jobs SET payload = ? WHERE organization_id = ?',
          JSON.stringify(write(each)),
          organization.id
        )
        expect(await inClear(organization.id, [each])).toEqual(['seatgate_jobs.payload'])
      }
    })
  })
})
