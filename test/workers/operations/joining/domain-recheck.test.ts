import { beforeEach, describe, expect, it } from 'vitest'
import { listDomains, setDomainMode, verifyDomain, joinRules } from '../../../../src/index.ts'
import { sweepHandler } from '../../../../src/worker/index.ts'
import { sweepDomains } from '../../../../src/operations/joining/recheck-domains.ts'
import {
  createJoiningKit,
  joinAs,
  neighbourOf,
  openOrganization,
  freshStores,
  testEnv,
  unwrap,
  codeOf,
} from '../../../kit/index.ts'

const DAY_MS = 24 * 60 * 60_000

/** A world whose clock stands, and whose DNS says what it is told to. */
function watched(recordGraceDays?: number) {
  const clock = { time: Date.now() }
  const dns = { answer: true as boolean | 'broken', looked: [] as string[] }
  const reports: string[] = []
  const kit = createJoiningKit(
    { now: () => new Date(clock.time), report: ({ event }) => reports.push(event) },
    {
      verifyDomain: ({ domain }) => {
        dns.looked.push(domain)
        if (dns.answer === 'broken') throw new Error('no resolver')
        return dns.answer
      },
      ...(recordGraceDays !== undefined && { recordGraceDays }),
    }
  )
  const sweepAfter = async (days: number) => {
    clock.time += days * DAY_MS
    dns.looked = []
    await sweepDomains(kit.seatgate)
    return dns.looked
  }
  return { kit, clock, dns, reports, sweepAfter }
}

async function open(kit: ReturnType<typeof watched>['kit'], mode: 'auto' | 'request' = 'auto') {
  const organization = await openOrganization(kit, mode)
  const scope = organization.as(organization.owner)
  const domain = async () => unwrap(await listDomains(kit.seatgate, scope, {})).data[0]
  const events = async () => {
    const { results } = await testEnv.DB.prepare(
      `SELECT action, metadata, actor_type FROM seatgate_audit_events
       WHERE organization_id = ? AND action GLOB 'organization.domain.*' ORDER BY sequence`
    )
      .bind(organization.id)
      .all<{ action: string; metadata: string; actor_type: string }>()
    return results.slice(2).map(({ action, metadata, actor_type: by }) => {
      const { domain: _domain, ...rest } = JSON.parse(metadata) as Record<string, unknown>
      return { action: action.replace('organization.domain.', ''), by, ...rest }
    })
  }
  return { organization, scope, domain, events }
}

beforeEach(freshStores)

describe('a verified domain [C8]', () => {
  it('is looked up again once a day, and no row changes while its record is there', async () => {
    const { kit, sweepAfter } = watched()
    const { domain, events, organization } = await open(kit)
    const before = await domain()
    expect(await sweepAfter(0.9)).toEqual([])
    expect(await sweepAfter(0.1)).toEqual([organization.domain.domain])
    expect(await sweepAfter(0.5)).toEqual([])
    expect(await sweepAfter(0.5)).toHaveLength(1)
    expect([await domain(), await events()]).toEqual([before, []])
  })

  it('without its DNS record is flagged at once, and requires approval after seven days', async () => {
    const { kit, clock, dns, sweepAfter } = watched()
    const { domain, events, organization } = await open(kit)
    dns.answer = false
    await sweepAfter(1)
    const since = new Date(clock.time).toISOString()
    const missing = { action: 'record_missing', by: 'system' }
    expect(await domain()).toMatchObject({
      mode: 'auto',
      verified: true,
      recordMissingSince: since,
    })
    expect(await events()).toEqual([missing])
    for (let days = 1; days < 7; days++) await sweepAfter(1)
    expect(await domain()).toMatchObject({ mode: 'auto', recordMissingSince: since })
    const early = await joinAs(kit, organization, await neighbourOf(organization))
    expect(unwrap(early).status).toBe('joined')

    await sweepAfter(1)
    expect(await domain()).toMatchObject({ mode: 'request', recordMissingSince: since })
    const lowered = { old_mode: 'auto', new_mode: 'request', reason: 'record_missing' }
    expect(await events()).toEqual([missing, { action: 'mode_change', by: 'system', ...lowered }])
    const late = await joinAs(kit, organization, await neighbourOf(organization))
    expect(unwrap(late).status).toBe('requested')
    await sweepAfter(1)
    expect(await events()).toHaveLength(2)
  })

  it('has the period of grace that joinRules sets', async () => {
    const { kit, dns, sweepAfter } = watched(2)
    const { domain } = await open(kit)
    dns.answer = false
    await sweepAfter(1)
    await sweepAfter(1)
    expect(await domain()).toMatchObject({ mode: 'auto' })
    await sweepAfter(1)
    expect(await domain()).toMatchObject({ mode: 'request' })
    const rules = (recordGraceDays: number) => () =>
      joinRules({ verifyDomain: () => true, recordGraceDays })
    for (const wrong of [-1, 1.5, NaN]) expect(rules(wrong)).toThrow(/recordGraceDays/)
  })

  it('stays unchanged while the resolver fails, for any time', async () => {
    const { kit, dns, reports, sweepAfter } = watched(0)
    const { domain, events } = await open(kit)
    const before = await domain()
    dns.answer = 'broken'
    for (let days = 0; days < 10; days++) await sweepAfter(1)
    expect([await domain(), await events()]).toEqual([before, []])
    expect(reports).toEqual(Array(10).fill('domain_check_failed'))
  })

  it('loses its flag when its record is found again, and keeps the changed mode', async () => {
    const { kit, dns, sweepAfter } = watched(0)
    const { domain, events, scope, organization } = await open(kit)
    dns.answer = false
    await sweepAfter(1)
    await sweepAfter(1)
    const { seatgate } = kit
    const auto = () => setDomainMode(seatgate, scope, organization.domain.id, { mode: 'auto' })
    expect(codeOf(await auto())).toBe('domain_not_verified')
    dns.answer = true
    await sweepAfter(1)
    expect(await domain()).toMatchObject({ mode: 'request', recordMissingSince: null })
    expect((await events()).at(-1)).toEqual({ action: 'record_found', by: 'system' })
    expect(unwrap(await auto()).mode).toBe('auto')
  })

  it('can be verified again by hand, without waiting for the sweep', async () => {
    const { kit, dns, sweepAfter } = watched()
    const { domain, events, scope, organization } = await open(kit)
    dns.answer = false
    await sweepAfter(1)
    const again = () => verifyDomain(kit.seatgate, scope, organization.domain.id)
    expect(codeOf(await again())).toBe('domain_not_verified')
    dns.answer = true
    expect(unwrap(await again())).toMatchObject({ verified: true, recordMissingSince: null })
    expect(await domain()).toMatchObject({ mode: 'auto', recordMissingSince: null })
    expect((await events()).at(-1)).toEqual({ action: 'record_found', by: 'user' })
  })

  it('is checked in its turn: ten a sweep, the oldest checks first', async () => {
    const { kit, clock, sweepAfter } = watched()
    const opened: string[] = []
    for (let count = 0; count < 12; count++) {
      opened.push((await openOrganization(kit, 'request')).domain.domain)
      clock.time += 1000
    }
    expect((await sweepAfter(1)).toSorted()).toEqual(opened.slice(0, 10).toSorted())
    expect((await sweepAfter(0)).toSorted()).toEqual(opened.slice(10).toSorted())
    expect(await sweepAfter(0)).toEqual([])
  })

  it('is looked up by the cron, and not at all without joining or before it is verified', async () => {
    const { kit, clock, dns } = watched()
    const { organization } = await open(kit)
    await testEnv.DB.prepare('UPDATE seatgate_organization_domains SET verified_at = NULL').run()
    clock.time += DAY_MS
    dns.looked = []
    await sweepHandler(kit.seatgate)()
    expect(dns.looked).toEqual([])
    await testEnv.DB.prepare('UPDATE seatgate_organization_domains SET verified_at = 1').run()
    await sweepHandler({ ...kit.seatgate, joining: null })()
    expect(dns.looked).toEqual([])
    await sweepHandler(kit.seatgate)()
    expect(dns.looked).toEqual([organization.domain.domain])
  })
})
