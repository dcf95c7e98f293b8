import { beforeAll, describe, expect, it } from 'vitest'
import {
  countPlatformEvents,
  listPlatformEvents,
  logEvent,
  type PlatformListInput,
  type Scope,
} from '../../../../src/index.ts'
import {
  clocked,
  organizationWith,
  owners,
  upTo,
  days,
  retaining,
  system,
  testEnv,
  unwrap,
  operator,
} from '../../../kit/index.ts'

const { seatgate, later } = clocked([])
let organization = ''
let other = ''
// The trail of the platform is one for all tests: these are the actions of this one.
const mine = { action_prefix: 'platform_test.' }

const told = async (input: PlatformListInput) =>
  unwrap(await listPlatformEvents(seatgate, { caller: operator }, { ...mine, ...input })).data.map(
    ({ action }) => action.slice(mine.action_prefix.length)
  )
const log = (action: string, where?: string, caller: Scope['caller'] = system) =>
  logEvent(
    seatgate,
    { caller: caller as never, ...(where && { organization: where }) },
    { action: `${mine.action_prefix}${action}` }
  )

beforeAll(async () => {
  organization = await organizationWith(seatgate)
  other = await organizationWith(seatgate)
  const steps = [organization, undefined, organization, other, undefined, undefined, organization]
  for (const [index, where] of steps.entries()) {
    // Two of one trail come at once.
    later(index === 5 ? 0 : 1)
    unwrap(await log(`e${index}`, where, index === 1 ? { userId: 'ada' } : system))
  }
})

describe('the platform’s people', () => {
  it('a null organization is the platform’s own trail, and one by its id is that [AUD-36]', async () => {
    expect(await told({ organization_id: null })).toEqual(['e5', 'e4', 'e1'])
    expect(await told({ organization_id: organization })).toEqual(['e6', 'e2', 'e0'])
    expect(await told({ organization_id: null, effective_user_id: null })).toEqual(['e5', 'e4'])
    expect(await told({ organization_id: null, effective_user_id: 'ada' })).toEqual(['e1'])
  })

  it('only has no event of the platform, including_system has them [AUD-37]', async () => {
    const only = { organization_id: organization, organization_scope: 'only' } as const
    const both = { ...only, organization_scope: 'including_system' } as const
    expect(await told(only)).toEqual(['e6', 'e2', 'e0'])
    expect(await told({ ...both, order: 'oldest' })).toEqual(['e0', 'e1', 'e2', 'e4', 'e5', 'e6'])
    for (const [input, count] of [
      [only, 3],
      [both, 6],
      [{ organization_id: null }, 3],
    ] as const) {
      const counted = await countPlatformEvents(seatgate, { caller: system }, { ...mine, ...input })
      expect(counted).toEqual({ ok: true, value: { count } })
    }
  })

  it.each([
    ['newest', 1],
    ['newest', 2],
    ['oldest', 1],
    ['oldest', 4],
  ] as const)('%s first in pages of %i has each once [AUD-34 AUD-37]', async (order, limit) => {
    const input = {
      ...mine,
      organization_id: organization,
      organization_scope: 'including_system' as const,
      order,
      limit,
    }
    const whole = await told({ ...input, limit: 500 })
    const seen: string[] = []
    let cursor: string | null | undefined
    for (let page = 0; page < 10 && cursor !== null; page++) {
      const read = unwrap(
        await listPlatformEvents(
          seatgate,
          { caller: system },
          { ...input, ...(cursor && { cursor }) }
        )
      )
      seen.push(...read.data.map(({ action }) => action.slice(mine.action_prefix.length)))
      cursor = read.nextCursor
    }
    expect(seen).toEqual(whole)
    expect(cursor).toBeNull()
  })

  it('a cursor is valid for one list [AUD-35]', async () => {
    const input = { ...mine, organization_id: organization, limit: 1 }
    const scope = { caller: system }
    const { nextCursor } = unwrap(await listPlatformEvents(seatgate, scope, input))
    const listedAs = (change: object) =>
      listPlatformEvents(seatgate, scope, { ...input, ...change, cursor: nextCursor! })
    expect(await listedAs({})).toMatchObject({ ok: true })
    for (const change of [
      { organization_id: null },
      { organization_id: other },
      { organization_scope: 'including_system' },
      { order: 'oldest' },
    ]) {
      expect(await listedAs(change)).toMatchObject({ error: { code: 'invalid_cursor' } })
    }
  })

  it('no other user reads any of it [AUD-41]', async () => {
    const owner = { userId: owners.get(organization)! }
    for (const [caller, code] of [
      [owner, 'insufficient_role'],
      [{ ...operator, impersonatedBy: 'x' }, 'insufficient_role'],
      [{ type: 'anonymous' }, 'insufficient_role'],
    ] as [Scope['caller'], string][]) {
      for (const ask of [listPlatformEvents, countPlatformEvents]) {
        for (const organization_id of [organization, null]) {
          expect(await ask(seatgate, { caller }, { organization_id })).toMatchObject({
            error: { code },
          })
        }
      }
    }
  })

  it.each([
    ['no organization', {}, ['organization_id']],
    ['an empty one', { organization_id: '' }, ['organization_id']],
    ['another scope', { organization_id: null, organization_scope: 'all' }, ['organization_scope']],
    ['an unknown filter', { organization_id: null, org: 'x' }, ['org']],
  ])('%s is an error [AUD-40]', async (_what, input, fields) => {
    const asked = await listPlatformEvents(seatgate, { caller: system }, input as never)
    const errors = !asked.ok && asked.error.code === 'validation_error' && asked.error.errors
    expect(Object.keys(errors || {})).toEqual(fields)
  })

  it('return the horizon of retention', async () => {
    const host = retaining(days(30))
    const id = await host.sealedOne(4)
    const input = { organization_id: id, order: 'oldest', limit: 2 } as const
    const first = unwrap(await listPlatformEvents(host.seatgate, { caller: system }, input))
    host.daysLater(31)
    await host.purge(id)
    const cursor = first.nextCursor!
    expect(
      await listPlatformEvents(host.seatgate, { caller: system }, { ...input, cursor })
    ).toEqual({ ok: false, error: { code: 'before_horizon', horizon: 4 } })
    await testEnv.DB.prepare('UPDATE seatgate_organizations SET deleted_at = 1 WHERE id = ?')
      .bind(id)
      .run()
    const left = unwrap(await listPlatformEvents(host.seatgate, { caller: system }, input))
    expect(left.data.map(({ sequence }) => sequence)).toEqual(upTo(5).slice(4))
  })
})
