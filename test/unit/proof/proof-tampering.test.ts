import { describe, expect, it } from 'vitest'
import type { Checkpoint } from '../../../src/proof/verify-proof.ts'
import { verifyExport } from '../../../src/proof/verify-export.ts'
import { seeded } from '../../end-to-end/seeded.ts'
import { BETWEEN_CHECKPOINTS, endOf, EVENTS, sealed } from './sealed-log.ts'
import { WAYS } from './tampering.ts'
import { atScale } from '../../kit/scale.ts'

const log = sealed()
const whole = [...log.lines, endOf(EVENTS)]
const verify = (lines: readonly string[], checkpoints: readonly Checkpoint[] = log.checkpoints) =>
  verifyExport(lines, checkpoints)

describe('a log that was not touched', () => {
  it('verifies [AUD-54]', async () => {
    expect(await verify(whole)).toEqual({
      organizationId: 'acme',
      horizon: 0,
      events: EVENTS,
      proven: EVENTS,
      finding: null,
    })
  })

  it('verifies with each of its checkpoints, and later events are younger', async () => {
    for (const checkpoint of log.checkpoints) {
      expect(await verify(whole, [checkpoint])).toMatchObject({
        proven: checkpoint.size,
        finding: null,
      })
    }
  })

  it('verifies when personal data are erased [AUD-66]', async () => {
    const erased = log.lines.map((line) => JSON.stringify({ ...JSON.parse(line), personal: null }))
    expect(erased).not.toEqual(log.lines)
    expect(await verify([...erased, endOf(EVENTS)])).toMatchObject({
      proven: EVENTS,
      finding: null,
    })
  })

  it('verifies with events that were not sealed at the export', async () => {
    const lines = log.lines.map((line, index) =>
      index < 20 ? line : JSON.stringify({ ...JSON.parse(line), leafHash: null })
    )
    expect(await verify([...lines, endOf(EVENTS)])).toMatchObject({ finding: null })
  })

  it('is not another organization’s', async () => {
    const elsewhere = log.checkpoints.map((each) => ({ ...each, origin: 'audit.example/other' }))
    expect((await verify(whole, elsewhere)).finding?.kind).toBe('organization')
  })
})

const RUNS = atScale({ share: 60, thorough: 1250 })

describe('a log that was tampered with', () => {
  it.each(Object.keys(WAYS))(
    `%s: is found at the exact line with its kind, ${RUNS.toLocaleString('en')} times in logs of 1 to 60 events [AUD-54]`,
    async (way) => {
      const random = seeded(6962)
      for (let run = 0; run < RUNS; run++) {
        const { lines, checkpoints, finding } = WAYS[way]!(random)
        expect((await verify(lines, checkpoints)).finding, `${run}`).toEqual(finding)
      }
    }
  )

  it('one that was sealed again from some event on is found between two checkpoints [AUD-55]', async () => {
    const random = seeded(7)
    for (let run = 0; run < 300; run++) {
      const at = random(EVENTS) + 1
      const forged = sealed(EVENTS, (event, sequence) =>
        sequence === at ? { ...event, actorId: 'eve' } : event
      )
      const { finding, proven } = await verify([...forged.lines, endOf(EVENTS)])
      expect(finding?.kind).toBe('root')
      expect(proven).toBe(Math.floor((at - 1) / BETWEEN_CHECKPOINTS) * BETWEEN_CHECKPOINTS)
      expect(finding!.sequence).toBeLessThanOrEqual(at)
      expect(finding!.line).toBeGreaterThanOrEqual(at)
      expect(finding!.line - finding!.sequence).toBeLessThan(BETWEEN_CHECKPOINTS)
    }
  })

  it.each([
    ['an event without its hash', { leafHash: undefined }, 'altered'],
    [
      'personal data of somebody else',
      { personal: { salt: 'x', ipAddress: '::1', userAgent: null } },
      'personal',
    ],
    ['personal data that are none', { personal: 'me' }, 'personal'],
    ['a further member', { extra: 1 }, 'altered'],
    ['another organization', { organizationId: 'other' }, 'organization'],
  ])('%s', async (_what, change, kind) => {
    const lines = whole.with(4, JSON.stringify({ ...JSON.parse(whole[4]!), ...change }))
    expect((await verify(lines)).finding).toEqual({ kind, line: 5, sequence: 5 })
  })

  it.each([
    ['no end', whole.slice(0, -1), 'incomplete'],
    ['an end that says less', whole.with(EVENTS, endOf(EVENTS - 1)), 'incomplete'],
    ['a cut', whole.with(EVENTS, endOf(EVENTS).replace('false', 'true')), 'incomplete'],
    ['lines behind the end', [...whole, whole[0]!], 'incomplete'],
    ['nothing', [], 'truncated'],
    ['text', ['hello'], 'unreadable'],
  ])('with %s', async (_what, lines, kind) => {
    expect((await verify(lines)).finding?.kind).toBe(kind)
  })
})
