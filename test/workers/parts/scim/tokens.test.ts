import { describe, expect, it } from 'vitest'
import {
  codeOf,
  createScimKit,
  everything,
  lastEventOf,
  pushedOrganization,
  pushingTo,
  readState,
  softDeleted,
  unwrap,
  userWith,
} from '../../../kit/index.ts'
import { addMember } from '../../../../src/index.ts'
import {
  createScimToken,
  listScimTokens,
  revokeScimToken,
  rotateScimToken,
} from '../../../../src/hono/scim/index.ts'

let time = Date.parse('2026-05-01T00:00:00Z')
const kit = createScimKit({ provider: 'd1', now: () => new Date(time) })
const { context } = kit
const HOUR = 3_600_000

describe('a token', () => {
  it('is in no row and in no list, and works until it ends [SCIM-12]', async () => {
    const organization = await pushedOrganization(kit)
    const scope = organization.as(organization.owner)
    const expiresAt = new Date(time + HOUR)
    time += 1
    const { token, id } = unwrap(await createScimToken(context, scope, { name: 'Okta', expiresAt }))
    expect(JSON.stringify(await everything())).not.toContain(token!.slice(-64))
    const listed = unwrap(await listScimTokens(context, scope)).data
    expect(JSON.stringify(listed)).not.toContain(token!.slice(-64))
    expect(listed).toMatchObject([{}, { id, name: 'Okta', expiresAt: expiresAt.toISOString() }])
    const asked = () => organization.send('GET', '/Users', undefined, bearer(token!))
    expect((await asked()).status).toBe(200)
    time = expiresAt.getTime()
    const ended = await asked()
    expect(ended.status).toBe(401)
    expect(ended.headers.get('www-authenticate')).toBe('Bearer')
    expect(ended.headers.get('content-type')).toBe('application/scim+json')
  })

  it('changes no row if it expires during the change', async () => {
    const organization = await pushedOrganization(kit)
    const scope = organization.as(organization.owner)
    const expiresAt = new Date(time + HOUR)
    const { token } = unwrap(await createScimToken(context, scope, { expiresAt }))
    let whileProvisioning = () => {}
    const slow = createScimKit(
      { provider: 'd1', now: () => new Date(time) },
      {
        provision({ email }) {
          whileProvisioning()
          return userWith(email)
        },
      }
    )
    const pushing = pushingTo(slow, { ...organization, token: token! })
    await pushing.push('early')
    whileProvisioning = () => (time = expiresAt.getTime())
    expect(await pushing.ask('POST', '/Users', pushing.person('late'))).toMatchObject({
      status: 401,
    })
    const { members, events } = await readState(organization.id)
    expect(members).toHaveLength(2)
    expect(events.filter(({ action }) => action === 'organization.scim_user.created')).toHaveLength(
      1
    )
  })

  it('is not created for an operator who acts as an owner [OP-2]', async () => {
    const organization = await pushedOrganization(kit)
    const caller = { userId: organization.owner, impersonatedBy: 'support-1' }
    const scope = { caller, organization: organization.id }
    expect(codeOf(await createScimToken(context, scope))).toBe('insufficient_role')
    const rotated = await rotateScimToken(context, scope, organization.tokenId)
    expect(codeOf(rotated)).toBe('insufficient_role')
    expect(unwrap(await listScimTokens(context, scope)).data).toHaveLength(1)
  })

  it('is valid beside one other, and a replaced one for the chosen overlap [SCIM-13]', async () => {
    const organization = await pushedOrganization(kit)
    const scope = organization.as(organization.owner)
    const { tokenId, token } = organization
    const rotated = unwrap(await rotateScimToken(context, scope, tokenId, { overlapHours: 2 }))
    expect(await lastEventOf(organization.id)).toMatchObject({
      action: 'organization.scim_token.rotated',
      targetId: tokenId,
    })
    const works = async (secret: string) =>
      (await organization.send('GET', '/Users', undefined, bearer(secret))).status
    expect([await works(token), await works(rotated.token!)]).toEqual([200, 200])
    expect(codeOf(await createScimToken(context, scope))).toBe('too_many')
    expect(codeOf(await rotateScimToken(context, scope, rotated.id))).toBe('too_many')
    time += 2 * HOUR
    expect([await works(token), await works(rotated.token!)]).toEqual([401, 200])
    expect(codeOf(await rotateScimToken(context, scope, tokenId))).toBe('not_found')
    unwrap(await rotateScimToken(context, scope, rotated.id, { overlapHours: 0 }))
    expect(await works(rotated.token!)).toBe(401)
    expect(unwrap(await listScimTokens(context, scope)).data).toHaveLength(1)
  })

  it('is created and rotated once under a key, and a repeat has no secret', async () => {
    const organization = await pushedOrganization(kit)
    const scope = organization.as(organization.owner)
    const made = { operationId: crypto.randomUUID() }
    const input = { name: 'Entra' }
    const first = unwrap(await createScimToken(context, scope, input, made))
    expect(unwrap(await createScimToken(context, scope, input, made))).toEqual({
      ...first,
      token: null,
    })
    const other = { name: 'Okta' }
    expect(codeOf(await createScimToken(context, scope, other, made))).toBe('idempotency_mismatch')
    unwrap(await revokeScimToken(context, scope, organization.tokenId))
    const turn = { operationId: crypto.randomUUID() }
    const rotated = unwrap(await rotateScimToken(context, scope, first.id, {}, turn))
    expect(unwrap(await rotateScimToken(context, scope, first.id, {}, turn))).toEqual({
      ...rotated,
      token: null,
    })
    expect(unwrap(await listScimTokens(context, scope)).data).toHaveLength(2)
    const stored = JSON.stringify(await everything())
    for (const { token } of [first, rotated]) expect(stored).not.toContain(token!.slice(-64))
  })

  it('is created three times at once, and two are valid', async () => {
    const organization = await pushedOrganization(kit)
    const scope = organization.as(organization.owner)
    const made = await Promise.all([1, 2, 3].map(() => createScimToken(context, scope)))
    expect(made.filter((each) => each.ok)).toHaveLength(1)
    expect(unwrap(await listScimTokens(context, scope)).data).toHaveLength(2)
  })

  it('ends when it is revoked, and with the organization', async () => {
    const [one, other] = [await pushedOrganization(kit), await pushedOrganization(kit)]
    unwrap(await revokeScimToken(context, one.as(one.owner), one.tokenId))
    expect((await one.send('GET', '/Users')).status).toBe(401)
    await softDeleted(kit.seatgate, other)
    expect((await other.send('GET', '/Users')).status).toBe(401)
  })

  it('has a visible name, or is without a name', async () => {
    const organization = await pushedOrganization(kit)
    const scope = organization.as(organization.owner)
    for (const name of ['', '  ', '\u200b', '\u202eatkO']) {
      const made = await createScimToken(context, scope, { name })
      expect(codeOf(made), JSON.stringify(name)).toBe('validation_error')
    }
    expect(unwrap(await createScimToken(context, scope, { name: ' Okta ' })).name).toBe('Okta')
  })

  it('of another form is refused without a query, and one of another organization with one', async () => {
    const organization = await pushedOrganization(kit)
    const other = await pushedOrganization(kit)
    const secret = organization.token.slice(-64)
    const before = kit.trips()
    for (const wrong of ['', 'x', `scim_${organization.id}_${'0'.repeat(63)}`]) {
      expect((await organization.send('GET', '/Users', undefined, bearer(wrong))).status).toBe(401)
    }
    expect(kit.trips()).toBe(before)
    for (const wrong of [
      `scim_${other.id}_${secret}`,
      `scim_${organization.id}_${'0'.repeat(64)}`,
    ]) {
      const response = await organization.send(
        'POST',
        '/Users',
        organization.person('x'),
        bearer(wrong)
      )
      expect(response.status).toBe(401)
    }
  })

  it('is created only by an owner, and listed and revoked with organization:update', async () => {
    const organization = await pushedOrganization(kit)
    const owner = organization.as(organization.owner)
    const scopeWith = async (role: string) => {
      const userId = await userWith(`${role}@elsewhere.example`)
      unwrap(await addMember(kit.seatgate, owner, { userId, role }))
      return organization.as(userId)
    }
    const [admin, member] = [await scopeWith('admin'), await scopeWith('member')]
    const made = unwrap(await createScimToken(context, owner))
    for (const scope of [admin, member]) {
      expect(codeOf(await createScimToken(context, scope))).toBe('insufficient_role')
      expect(codeOf(await rotateScimToken(context, scope, made.id))).toBe('insufficient_role')
    }
    expect(codeOf(await listScimTokens(context, member))).toBe('insufficient_role')
    expect(codeOf(await revokeScimToken(context, member, made.id))).toBe('insufficient_role')
    expect(unwrap(await listScimTokens(context, admin)).data).toHaveLength(2)
    unwrap(await revokeScimToken(context, admin, made.id))
    expect(unwrap(await listScimTokens(context, owner)).data).toHaveLength(1)
  })

  it('is hidden from strangers', async () => {
    const organization = await pushedOrganization(kit)
    const { tokenId } = organization
    const member = { caller: { userId: 'stranger' }, organization: organization.id }
    const all = (scope: typeof member) => [
      createScimToken(context, scope),
      rotateScimToken(context, scope, tokenId),
      revokeScimToken(context, scope, tokenId),
      listScimTokens(context, scope),
    ]
    for (const answer of await Promise.all(all(member))) {
      expect(codeOf(answer)).toBe('organization_not_found')
    }
  })

  it('writes its time of use at most once an hour', async () => {
    const organization = await pushedOrganization(kit)
    const scope = organization.as(organization.owner)
    const lastUsed = async () => unwrap(await listScimTokens(context, scope)).data[0]?.lastUsedAt
    expect(await lastUsed()).toBeNull()
    await organization.send('GET', '/Users')
    const first = await lastUsed()
    expect(first).toBe(new Date(time).toISOString())
    time += HOUR / 2
    await organization.send('GET', '/Users')
    expect(await lastUsed()).toBe(first)
    time += HOUR
    await organization.send('GET', '/Users')
    expect(await lastUsed()).toBe(new Date(time).toISOString())
  })
})

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
