import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { addressProof } from '../../../../host/identity/address-proof.ts'
import {
  addressVerification,
  identityRoutes,
  registration,
} from '../../../../host/identity/routes.ts'
import {
  acceptInvitation,
  acceptInvitationWithSignup,
  createInvitation,
  createInvitations,
  declineInvitation,
  joinOrganization,
  listJoinableOrganizations,
  listOwnInvitations,
  resendInvitation,
  viewInvitation,
  type InvitationWithToken,
  type Registration,
} from '../../../../src/index.ts'
import {
  asUser,
  clientOf,
  db,
  embedded,
  host,
  HOST_SECRET,
  postInvitation,
  postOrganization as organizationOver,
  people,
  problem,
  seatgateWith,
  type Person,
  createKit,
  invite,
  mailbox,
  memberWith,
  newAddress,
  userWith,
  createJoiningKit,
  joinAs,
  openOrganization,
  testEnv,
  unwrap,
  codeOf,
  PASSWORD,
  SECRET,
  unhashed,
  type Kit,
} from '../../../kit/index.ts'

const verifiedAt = (email: string) =>
  testEnv.DB.prepare('SELECT email_verified_at FROM users WHERE email = ?')
    .bind(email)
    .first<number>('email_verified_at')

type Kind = 'token' | 'mailToken'

/** Accepts with one of the tokens, as a user of the address who has not verified it. */
async function acceptUnverified(kit: Kit, invited: InvitationWithToken, kind: Kind) {
  const userId = await userWith(invited.email, false)
  const caller = { userId }
  unwrap(await acceptInvitation(kit.seatgate, { caller }, { token: invited[kind] }))
  await kit.settled()
  return caller
}

describe('the two tokens of an invitation', () => {
  it('the returned one admits and verifies no address, the mailed one verifies [A1]', async () => {
    const kit = createKit()
    const organization = await kit.organization()
    const told = await invite(kit, organization)
    await acceptUnverified(kit, told, 'token')
    expect(await verifiedAt(told.email)).toBeNull()
    const mailed = await invite(kit, organization)
    await acceptUnverified(kit, mailed, 'mailToken')
    expect(await verifiedAt(mailed.email)).toEqual(expect.any(Number))
  })

  it('with sign-up registerUser receives whether the address is proven [A1]', async () => {
    const registered: Registration[] = []
    const kit = createKit({
      registerUser(asked) {
        registered.push(asked)
        return registration(seatgate.db, unhashed)(asked)
      },
    })
    const { seatgate } = kit
    const organization = await kit.organization()
    const [told, mailed] = [await invite(kit, organization), await invite(kit, organization)]
    for (const [{ email }, token] of [
      [told, told.token],
      [mailed, mailed.mailToken],
    ] as const) {
      unwrap(await acceptInvitationWithSignup(seatgate, { email, token, password: PASSWORD }))
    }
    expect(registered.map(({ emailVerified }) => emailVerified)).toEqual([false, true])
    expect(await verifiedAt(told.email)).toBeNull()
    expect(await verifiedAt(mailed.email)).toEqual(expect.any(Number))
  })

  it.each(['token', 'mailToken'] as const)(
    '%s closes it for a member as well [A1]',
    async (kind) => {
      const kit = createKit()
      const organization = await kit.organization()
      const email = newAddress()
      const invited = await invite(kit, organization, email)
      const userId = await memberWith(kit, organization, email)
      unwrap(await acceptInvitation(kit.seatgate, { caller: { userId } }, { token: invited[kind] }))
      expect((await verifiedAt(email)) !== null).toBe(kind === 'mailToken')
    }
  )

  it('the mailed one still proves the address of a user who joined by the returned one [A1 C10]', async () => {
    let now = new Date()
    const kit = createKit({ now: () => now })
    const organization = await kit.organization()
    const invited = await invite(kit, organization)
    const caller = await acceptUnverified(kit, invited, 'token')
    const again = (token: string) => acceptInvitation(kit.seatgate, { caller }, { token })
    expect(codeOf(await again(invited.token))).toBe('ok')
    expect(await verifiedAt(invited.email)).toBeNull()
    now = new Date(invited.expiresAt)
    expect(codeOf(await again(invited.mailToken))).toBe('ok')
    expect(await verifiedAt(invited.email)).toBeNull()
    now = new Date(now.getTime() - 1)
    expect(unwrap(await again(invited.mailToken))).toMatchObject({ created: false })
    expect(await verifiedAt(invited.email)).toEqual(expect.any(Number))
  })

  it('does not prove an address that the user has changed to since [A1 C10]', async () => {
    const kit = createKit()
    const invited = await invite(kit, await kit.organization())
    const caller = await acceptUnverified(kit, invited, 'token')
    const other = newAddress()
    const move = 'UPDATE users SET email = ? WHERE id = ?'
    await testEnv.DB.prepare(move).bind(other, caller.userId).run()
    const { mailToken: token } = invited
    expect(codeOf(await acceptInvitation(kit.seatgate, { caller }, { token }))).toBe('ok')
    expect(await verifiedAt(other)).toBeNull()
  })

  it.each(['first', 'again'])(
    'an address that has changed since the read is not verified: %s [A1]',
    async (when) => {
      const calm = createKit()
      const invited = await invite(calm, await calm.organization())
      const userId = await userWith(invited.email, false)
      const caller = { userId }
      if (when === 'again') unwrap(await acceptInvitation(calm.seatgate, { caller }, invited))
      const other = newAddress()
      let reads = 0
      const kit = createKit({
        async around({ store }, run) {
          const answer = await run()
          // The host lets its users change their address: right after the library has read it.
          if (store === 'd1' && reads++ === 0) {
            const move = 'UPDATE users SET email = ? WHERE id = ?'
            await testEnv.DB.prepare(move).bind(other, userId).run()
          }
          return answer
        },
      })
      const { mailToken: token } = invited
      const answer = await acceptInvitation(kit.seatgate, { caller }, { token })
      expect(codeOf(answer)).toBe(when === 'again' ? 'ok' : 'invitation_mismatch')
      expect(reads).toBeGreaterThan(1)
      expect(await verifiedAt(other)).toBeNull()
    }
  )

  it('resending renews both, and either kind of an old one is revoked [A1]', async () => {
    const kit = createKit()
    const organization = await kit.organization()
    const first = await invite(kit, organization)
    const asOwner = organization.as(organization.owner)
    const second = unwrap(await resendInvitation(kit.seatgate, asOwner, first.id))
    expect(
      new Set([first, second].flatMap(({ token, mailToken }) => [token, mailToken])).size
    ).toBe(4)
    const caller = { userId: await userWith(first.email, false) }
    const accept = (token: string) => acceptInvitation(kit.seatgate, { caller }, { token })
    for (const old of [first.token, first.mailToken]) {
      expect(codeOf(await accept(old))).toBe('invitation_revoked')
    }
    expect(codeOf(await accept(second.mailToken))).toBe('ok')
    expect(await verifiedAt(first.email)).toEqual(expect.any(Number))
  })

  it('the mailer gets the mailed one, a host of its own mail gets both, in a list too [A1]', async () => {
    const box = mailbox()
    const kit = createKit(box.options)
    const organization = await kit.organization()
    const asOwner = organization.as(organization.owner)
    const list = { invitations: [{ email: newAddress(), role: 'member' }] }
    const [row] = unwrap(await createInvitations(kit.seatgate, asOwner, list))
    await kit.settled()
    const invited = unwrap(row!)
    expect(invited.mailToken).not.toBe(invited.token)
    expect(box.mails).toHaveLength(1)
    expect(box.mails[0]?.text).toContain(`#${invited.mailToken}\n`)
    expect(JSON.stringify(box.mails)).not.toContain(invited.token)
  })

  it('either is good for viewing and declining [A1]', async () => {
    const kit = createKit()
    const organization = await kit.organization()
    for (const kind of ['token', 'mailToken'] as const) {
      const { [kind]: token } = await invite(kit, organization)
      expect(await viewInvitation(kit.seatgate, null, { token })).toMatchObject({
        status: 'signup',
      })
      const anybody = { caller: { type: 'anonymous' } } as const
      expect(codeOf(await declineInvitation(kit.seatgate, anybody, { token }))).toBe('ok')
    }
  })
})

describe('over HTTP', () => {
  it('the answers have only the returned token, also repeated and resent [A1]', async () => {
    const [owner] = (await people(1)) as [Person]
    const organization = await organizationOver(owner)
    const path = `/organizations/${organization.id}/invitations`
    const key = { 'idempotency-key': crypto.randomUUID() }
    const input = { email: newAddress(), role: 'member' }
    const ask = async () => (await host.post(path, input, owner.token, key)).json<{ id: string }>()
    const first = await ask()
    expect(await ask()).toEqual(first)
    const again = await host.post(`${path}/${first.id}/resend`, undefined, owner.token)
    for (const answer of [first, await again.json<object>()]) {
      expect(Object.keys(answer)).toContain('token')
      expect(Object.keys(answer)).not.toContain('mailToken')
      expect(Object.values(answer).filter((value) => String(value).length > 100)).toHaveLength(1)
    }
  })

  it('signing up with a returned token opens no domain and shows no invitation [A1]', async () => {
    const kit = createJoiningKit({ secret: HOST_SECRET })
    const corporation = await openOrganization(kit, 'auto')
    const email = `ceo@${corporation.domain.domain}`
    const elsewhere = await invite(kit, corporation, email)
    const [attacker] = (await people(1)) as [Person]
    const own = await organizationOver(attacker)
    const { token } = await postInvitation(own, attacker, email)
    const input = { token, email, password: PASSWORD }
    const joined = await host.post('/invitations/accept-with-signup', input)
    expect(joined.status).toBe(201)
    const session = await joined.json<{ token: string; user: { id: string } }>()
    expect(await verifiedAt(email)).toBeNull()
    const list = async (at: string) =>
      (await host.get(at, session.token)).json<{ data: object[] }>()
    expect((await list('/joinable-organizations')).data).toEqual([])
    expect((await list('/invitations')).data).toEqual([])
    const knock = () =>
      host.post('/join-requests', { organizationId: corporation.id }, session.token)
    expect(await problem(await knock())).toMatchObject({ code: 'organization_not_found' })

    // The mail of the other organization reaches the person: from then on the address is theirs.
    const scope = { caller: { userId: session.user.id } }
    unwrap(await acceptInvitation(kit.seatgate, scope, { token: elsewhere.mailToken }))
    expect(await verifiedAt(email)).toEqual(expect.any(Number))
  })

  it('an account with an unverified address stays so, by the returned token [A1]', async () => {
    const kit = createJoiningKit()
    const corporation = await openOrganization(kit, 'request')
    const email = `ann@${corporation.domain.domain}`
    const told = await invite(kit, await kit.organization(), email)
    const { userId } = await acceptUnverified(kit, told, 'token')
    expect(codeOf(await joinAs(kit, corporation, userId))).toBe('organization_not_found')
    const again = unwrap(
      await createInvitation(kit.seatgate, corporation.as(corporation.owner), {
        email,
        role: 'member',
      })
    )
    const caller = { userId }
    expect(unwrap(await listOwnInvitations(kit.seatgate, { caller })).data).toEqual([])
    unwrap(await acceptInvitation(kit.seatgate, { caller }, { token: again.mailToken }))
    expect(unwrap(await listJoinableOrganizations(kit.seatgate, { caller })).data).toEqual([])
    expect(codeOf(await joinAs(kit, corporation, userId))).toBe('ok')
  })
})

describe('a host without a check of verified addresses', () => {
  const silent = { emailVerification: undefined as never }

  it('takes no address for verified: no list, and no way in by domain [A1]', async () => {
    const kit = createKit(silent)
    const email = newAddress()
    const invited = await invite(kit, await kit.organization(), email)
    const caller = { userId: await userWith(email) }
    await expect(listOwnInvitations(kit.seatgate, { caller })).rejects.toThrow(/emailVerification/)
    expect(() => createJoiningKit(silent)).toThrow(/emailVerification/)
    const client = embedded({ ...silent, joining: undefined as never })
    expect((await client.get('/invitations', asUser(caller))).status).toBe(404)
    expect(codeOf(await acceptInvitation(kit.seatgate, { caller }, invited))).toBe('ok')
  })

  it('may declare all addresses verified if no user signs up by an invitation [A1]', async () => {
    const always = { emailVerification: 'always', registerUser: undefined as never } as const
    const kit = createJoiningKit(always)
    const corporation = await openOrganization(kit, 'auto')
    const email = `ann@${corporation.domain.domain}`
    const { id } = await invite(kit, await kit.organization(), email)
    const caller = { userId: await userWith(email, false) }
    const { data } = unwrap(await listOwnInvitations(kit.seatgate, { caller }))
    expect(data.map((invitation) => invitation.id)).toEqual([id])
    const input = { organizationId: corporation.id }
    expect(unwrap(await joinOrganization(kit.seatgate, { caller }, input)).status).toBe('joined')
    expect(() => createKit({ emailVerification: 'always' })).toThrow(/registerUser/)
  })

  it.each([
    ['a column alone', { column: addressVerification(db).column }],
    ['another text', 'all'],
    ['a function', () => true],
  ])('is refused at start: %s [A1]', (_what, emailVerification) => {
    expect(() => seatgateWith({ emailVerification: emailVerification as never })).toThrow(
      /emailVerification/
    )
  })
})

describe('the reference host', () => {
  /** Its identity with mail, which is kept here. */
  function mailingHost(secret = SECRET) {
    const mails: { to: string; token: string }[] = []
    const proof = addressProof(db, secret, async (mail) => void mails.push(mail))
    const routes = new Hono().route('/', identityRoutes(seatgateWith(), { proof }))
    return { mails, proof, client: clientOf((url, init) => routes.request(url, init)) }
  }

  it('verifies the address of a sign-up by the mail that it sends [A1]', async () => {
    const { client, mails } = mailingHost()
    const email = newAddress()
    const input = { email, password: PASSWORD }
    const signedUp = await client.post('/identity/sign-up', input)
    const { token: session } = await signedUp.json<{ token: string }>()
    expect(mails).toMatchObject([{ to: email }])
    expect(await verifiedAt(email)).toBeNull()

    const verify = (token: unknown) => client.post('/identity/verify-email', { token })
    const [mailed = ''] = mails.map(({ token }) => token)
    const forged = mailingHost(`${SECRET}!`)
    const userId = await testEnv.DB.prepare('SELECT id FROM users WHERE email = ?')
      .bind(email)
      .first<string>('id')
    await forged.proof.send({ id: userId!, email })
    for (const wrong of ['', 7, session, `${mailed}x`, forged.mails[0]?.token]) {
      expect(await problem(await verify(wrong))).toMatchObject({ fields: ['token'] })
    }
    expect(await verifiedAt(email)).toBeNull()
    expect((await verify(mailed)).status).toBe(204)
    const first = await verifiedAt(email)
    expect(first).toEqual(expect.any(Number))
    expect((await verify(mailed)).status).toBe(204)
    expect(await verifiedAt(email)).toBe(first)
  })

  it('mails it again for a signed-in, unverified user, and never to a former address [A1]', async () => {
    const { client, mails, proof } = mailingHost()
    const [{ email, token, userId }] = (await people(1)) as [Person]
    expect((await client.post('/identity/verification', undefined)).status).toBe(401)
    expect((await client.post('/identity/verification', undefined, token)).status).toBe(204)
    expect(mails.map(({ to }) => to)).toEqual([email])
    const other = newAddress()
    await testEnv.DB.prepare('UPDATE users SET email = ? WHERE id = ?').bind(other, userId).run()
    expect(await proof.accept(mails[0]!.token)).toBe(false)
    expect(await verifiedAt(other)).toBeNull()
    await client.post('/identity/verification', undefined, token)
    expect(await proof.accept(mails[1]!.token)).toBe(true)
    expect((await client.post('/identity/verification', undefined, token)).status).toBe(204)
    expect(mails).toHaveLength(2)
  })
})
