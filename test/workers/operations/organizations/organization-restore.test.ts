import { describe, expect, it } from 'vitest'
import {
  addMember,
  createOrganization,
  deleteUser,
  fetchOrganization,
  forwardOrganization,
  getOrganization,
  restoreOrganization,
  seatUsage,
  softDeleteOrganization,
  updateSlug,
} from '../../../../src/index.ts'
import {
  expectSound,
  readLedger,
  everything,
  freshSlug,
  kitWithHooks,
  lastEventOf,
  softDeleted,
  testEnv,
  add,
  unwrap,
  codeOf,
  createKit,
  enforcing,
  join,
  leave,
  newUser,
  operator,
  PASSWORD,
  atScale,
} from '../../../kit/index.ts'

const kit = createKit()
const { seatgate } = kit
const asOperator = { caller: operator }

describe('restoreOrganization', () => {
  it('restores all members, for operators and the host itself, and is recorded [ORG-31]', async () => {
    for (const caller of [operator, { type: 'system' } as const]) {
      const organization = await kit.organization()
      const member = await join(kit, organization)
      await softDeleted(seatgate, organization)
      const restored = unwrap(await restoreOrganization(seatgate, { caller }, organization.id))
      expect(restored).toMatchObject({ id: organization.id, slug: organization.slug })
      for (const userId of [organization.owner, member]) {
        expect(codeOf(await getOrganization(seatgate, organization.as(userId)))).toBe('ok')
      }
      expect(await lastEventOf(organization.id)).toMatchObject({
        action: 'organization.restore',
        targetType: 'organization',
        targetId: organization.id,
        metadata: {},
      })
      await expectSound(organization.id, false)
    }
  })

  it('does not exist for other callers, not even its owner [ORG-31]', async () => {
    const { id, owner, ...rest } = await kit.organization()
    await softDeleted(seatgate, { id, owner, ...rest })
    const rows = await everything()
    for (const caller of [
      { userId: owner },
      { userId: owner, operator: false },
      { userId: owner, operator: true, impersonatedBy: 'operator' },
      {
        type: 'service_account',
        serviceAccountId: 'bot',
        organizationId: id,
        role: 'owner',
      } as const,
    ]) {
      const refusal = await restoreOrganization(seatgate, { caller }, id)
      expect(codeOf(refusal)).toBe('organization_not_found')
    }
    expect(await everything()).toEqual(rows)
  })

  it('refuses a slug that a live organization has now [ORG-31]', async () => {
    const organization = await kit.organization()
    await softDeleted(seatgate, organization)
    const caller = { userId: await newUser() }
    unwrap(
      await createOrganization(seatgate, { caller }, { name: 'Next', slug: organization.slug })
    )
    const rows = await everything()
    const refusal = await restoreOrganization(seatgate, asOperator, organization.id)
    expect(refusal).toMatchObject({
      error: { code: 'validation_error', errors: { slug: ['This slug is already taken.'] } },
    })
    expect(await everything()).toEqual(rows)
  })

  it('refuses a slug that another organization has just given up [ORG-31]', async () => {
    const organization = await kit.organization()
    await softDeleted(seatgate, organization)
    const clock = { now: Date.now() }
    const clocked = createKit({ now: () => new Date(clock.now) })
    const caller = { userId: await newUser() }
    const input = { name: 'Next', slug: organization.slug }
    const next = unwrap(await createOrganization(seatgate, { caller }, input))
    const scope = { caller, organization: next.id }
    const change = { slug: freshSlug(), confirmSlug: next.slug, password: PASSWORD }
    unwrap(await updateSlug(clocked.seatgate, scope, change))
    const restore = () => restoreOrganization(clocked.seatgate, asOperator, organization.id)
    expect(codeOf(await restore())).toBe('validation_error')
    clock.now += 7 * 24 * 3_600_000
    expect(codeOf(await restore())).toBe('ok')
  })

  it('returns a live organization unchanged, and answers not found for an unknown one', async () => {
    const { id, slug } = await kit.organization()
    const rows = await everything()
    expect(unwrap(await restoreOrganization(seatgate, asOperator, id))).toMatchObject({ id })
    for (const name of [crypto.randomUUID(), slug, '', '__proto__', `${id}\u0000`]) {
      const refusal = await restoreOrganization(seatgate, asOperator, name)
      expect(codeOf(refusal)).toBe('organization_not_found')
    }
    expect(await everything()).toEqual(rows)
  })

  it('leaves no organization without an owner, even if its last one was deleted', async () => {
    const hooked = kitWithHooks()
    const organization = await hooked.organization()
    const { id, owner } = organization
    await join(hooked, organization)
    await softDeleted(hooked.seatgate, organization)
    const gone = await deleteUser(
      hooked.seatgate,
      { caller: { userId: owner } },
      { password: PASSWORD }
    )
    expect(codeOf(gone)).toBe('ok')
    const restored = await restoreOrganization(hooked.seatgate, asOperator, id)
    await hooked.settled()
    const live = await fetchOrganization(seatgate, id)
    const owners = await testEnv.DB.prepare(
      "SELECT count(*) AS n FROM seatgate_memberships WHERE organization_id = ? AND role = 'owner' AND status = 'active'"
    )
      .bind(id)
      .first('n')
    expect({ restored: codeOf(restored), live: live.ok, owners }).toEqual({
      restored: 'last_owner',
      live: false,
      owners: 0,
    })
  })
})

describe.each(enforcing)('the seats of an organization that was deleted, %s', (provider) => {
  const counted = createKit({ provider })

  it('are all there after the restoration, and the limit holds again [ORG-31 SEAT-29]', async () => {
    const organization = await counted.organization({ seats: 3, members: 3 })
    const before = unwrap(await seatUsage(counted.seatgate, organization.as(organization.owner)))
    await softDeleted(counted.seatgate, organization)
    await forwardOrganization(counted.seatgate, organization.id)
    unwrap(await restoreOrganization(counted.seatgate, asOperator, organization.id))
    const after = unwrap(await seatUsage(counted.seatgate, organization.as(organization.owner)))
    expect(after).toEqual(before)
    expect(after).toMatchObject({ held: 3, reserved: 0, limit: 3, available: 0 })
    expect(codeOf(await add(counted, organization))).toBe('seat_limit_reached')
    await forwardOrganization(counted.seatgate, organization.id)
    await counted.settled()
    await expectSound(organization.id, true)
  })

  it('drop no user if the limit is now too low [ORG-31 SEAT-29]', async () => {
    const organization = await counted.organization({ seats: 3, members: 3 })
    const { id, owner, as } = organization
    const [, someone] = (await membersOf(id)).filter((userId) => userId !== owner)
    await softDeleted(counted.seatgate, organization)
    await forwardOrganization(counted.seatgate, id)
    await testEnv.DB.prepare(
      'UPDATE seatgate_entitlements SET limit_seats = 1, version = version + 1 WHERE organization_id = ?'
    )
      .bind(id)
      .run()
    unwrap(await restoreOrganization(counted.seatgate, asOperator, id))
    expect(await membersOf(id)).toHaveLength(3)
    const usage = await seatUsage(counted.seatgate, as(owner))
    expect(usage).toMatchObject({ value: { held: 3, limit: 1, overLimit: true, available: 0 } })
    expect(codeOf(await add(counted, organization))).toBe('seat_limit_reached')
    unwrap(await leave(counted, organization, someone!))
    expect(codeOf(await add(counted, organization))).toBe('seat_limit_reached')
  })
})

describe('the ledger of a deleted organization', () => {
  it('is empty after its deletion is forwarded, and stays empty', async () => {
    const organization = await kit.organization({ seats: 5, members: 3 })
    expect(await readLedger(organization.id)).toMatchObject({ held: 3 })
    await softDeleted(seatgate, organization)
    expect(await readLedger(organization.id)).toMatchObject({ held: 3 })
    await forwardOrganization(seatgate, organization.id)
    expect(await readLedger(organization.id)).toBeNull()
    for (const act of [
      () => seatUsage(seatgate, organization.as(organization.owner)),
      () => seatUsage(seatgate, organization.asOperator),
      () => add(kit, organization),
    ]) {
      expect(codeOf(await act())).toBe('organization_not_found')
    }
    expect(await readLedger(organization.id)).toBeNull()
  })

  it('is sound even if it receives the deletion after the restoration', async () => {
    const organization = await kit.organization({ seats: 4, members: 2 })
    await softDeleted(seatgate, organization)
    unwrap(await restoreOrganization(seatgate, asOperator, organization.id))
    await join(kit, organization)
    await forwardOrganization(seatgate, organization.id)
    await join(kit, organization)
    expect(codeOf(await add(kit, organization))).toBe('seat_limit_reached')
    await forwardOrganization(seatgate, organization.id)
    await kit.settled()
    await expectSound(organization.id, true)
  })

  it('lets no admission slip through that was under way when it received the deletion', async () => {
    const organization = await kit.organization({ seats: 3, members: 2 })
    await softDeleted(seatgate, organization)
    unwrap(await restoreOrganization(seatgate, asOperator, organization.id))
    let forwarded = false
    const racing = createKit({
      async around({ asked }, run) {
        if (
          !forwarded &&
          asked.some((sql) => sql.startsWith('insert into "seatgate_memberships"'))
        ) {
          forwarded = true
          await forwardOrganization(seatgate, organization.id)
          await join(kit, organization)
        }
        return run()
      },
    })
    const input = { userId: await newUser(), role: 'member' }
    const late = await addMember(racing.seatgate, organization.as(organization.owner), input)
    await racing.settled()
    expect([forwarded, codeOf(late)]).toEqual([true, 'seat_limit_reached'])
    await forwardOrganization(seatgate, organization.id)
    await expectSound(organization.id, true)
  })
})

describe('deletions at once', () => {
  const deletion = (organization: { readonly id: string; readonly owner: string }) => {
    const far = createKit({ delayMs: 2 })
    const scope = { caller: { userId: organization.owner }, organization: organization.id }
    return softDeleteOrganization(far.seatgate, scope, { confirmName: 'Test', password: PASSWORD })
  }

  it('succeed once and are recorded once, in 20 rounds', async () => {
    for (let round = 0; round < atScale({ share: 5, thorough: 20 }); round++) {
      const organization = await kit.organization()
      const codes = (
        await Promise.all([deletion(organization), deletion(organization), deletion(organization)])
      ).map(codeOf)
      expect(codes.sort()).toEqual(['ok', 'organization_not_found', 'organization_not_found'])
      const recorded = await testEnv.DB.prepare(
        "SELECT count(*) AS n FROM seatgate_audit_events WHERE organization_id = ? AND action = 'organization.delete'"
      )
        .bind(organization.id)
        .first('n')
      expect(recorded).toBe(1)
    }
  })

  it('and admissions leave no stray seat, in 20 rounds, and a restoration includes all who were admitted', async () => {
    for (let round = 0; round < atScale({ share: 5, thorough: 20 }); round++) {
      const organization = await kit.organization({ seats: 6, members: 2 })
      const far = createKit({ delayMs: round % 3 })
      const joining = [add(far, organization), add(far, organization), add(far, organization)]
      const [deleted, ...joined] = await Promise.all([deletion(organization), ...joining])
      await far.settled()
      expect(codeOf(deleted!)).toBe('ok')
      const admitted = joined.filter(({ ok }) => ok).length
      for (const answer of joined) {
        expect(['ok', 'organization_not_found']).toContain(codeOf(answer))
      }
      await forwardOrganization(seatgate, organization.id)
      expect(await readLedger(organization.id)).toBeNull()
      unwrap(await restoreOrganization(seatgate, asOperator, organization.id))
      const usage = await seatUsage(seatgate, organization.as(organization.owner))
      expect(usage).toMatchObject({ value: { held: 2 + admitted, reserved: 0 } })
      await expectSound(organization.id, true)
    }
  })
})

async function membersOf(organizationId: string): Promise<string[]> {
  const { results } = await testEnv.DB.prepare(
    'SELECT user_id FROM seatgate_memberships WHERE organization_id = ? ORDER BY user_id'
  )
    .bind(organizationId)
    .all<{ user_id: string }>()
  return results.map(({ user_id }) => user_id)
}
