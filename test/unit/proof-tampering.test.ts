import { describe, expect, it } from 'vitest'
import type { Checkpoint } from '../../src/proof/checkpoint.ts'
import { verifyExport } from '../../src/proof/verify-export.ts'
import { BETWEEN_CHECKPOINTS, endOf, EVENTS, sealed } from './sealed-log.ts'

const log = sealed()
const whole = [...log.lines, endOf(EVENTS)]
const verify = (lines: readonly string[], checkpoints: readonly Checkpoint[] = log.checkpoints) =>
  verifyExport(lines, checkpoints)

/** Numbers that are the same in every run. */
function seeded(seed: number) {
  let state = seed
  return (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

describe('a log that nobody touched', () => {
  it('AUD-54: verifies', async () => {
    expect(await verify(whole)).toEqual({
      organizationId: 'acme',
      horizon: 0,
      events: EVENTS,
      proven: EVENTS,
      finding: null,
    })
  })

  it('verifies with any one of its checkpoints, the rest being younger', async () => {
    for (const checkpoint of log.checkpoints) {
      expect(await verify(whole, [checkpoint])).toMatchObject({
        proven: checkpoint.size,
        finding: null,
      })
    }
  })

  it('AUD-66: verifies when personal data are erased', async () => {
    const erased = log.lines.map((line) => JSON.stringify({ ...JSON.parse(line), personal: null }))
    expect(erased).not.toEqual(log.lines)
    expect(await verify([...erased, endOf(EVENTS)])).toMatchObject({
      proven: EVENTS,
      finding: null,
    })
  })

  it('verifies with what was not sealed when it was exported', async () => {
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

describe('a log that was tampered with', () => {
  type Tampering = (random: (below: number) => number) => {
    lines: string[]
    at: number
    kinds: readonly string[]
  }
  const WAYS: Record<string, Tampering> = {
    'a flipped bit'(random) {
      const bytes = new TextEncoder().encode(`${whole.join('\n')}\n`)
      const where = random(bytes.length - 1)
      const before = new TextDecoder().decode(bytes.slice(0, where))
      bytes[where]! ^= 1 << random(8)
      const lines = new TextDecoder().decode(bytes).slice(0, -1).split('\n')
      return { lines, at: before.split('\n').length, kinds: [] }
    },
    'a deletion'(random) {
      const at = random(EVENTS) + 1
      return { lines: whole.toSpliced(at - 1, 1), at, kinds: ['sequence', 'incomplete'] }
    },
    'an insertion'(random) {
      const at = random(EVENTS + 1) + 1
      const copy = whole[random(EVENTS)]!
      const lines = whole.toSpliced(at - 1, 0, copy)
      // A copy put before or behind itself: the second of the two is one too many.
      const shown = copy === whole[at - 1] ? at + 1 : at
      return { lines, at: shown, kinds: ['sequence'] }
    },
    'a reordering'(random) {
      const [one, two] = [random(EVENTS), random(EVENTS - 1)]
      const other = two >= one ? two + 1 : two
      const [first, second] = [Math.min(one, other), Math.max(one, other)]
      const lines = whole.with(first, whole[second]!).with(second, whole[first]!)
      return { lines, at: first + 1, kinds: ['sequence'] }
    },
    'a truncation'(random) {
      const left = random(EVENTS)
      const end = random(2) === 0 ? [endOf(left)] : []
      return {
        lines: [...whole.slice(0, left), ...end],
        at: left + 1,
        kinds: ['truncated'],
      }
    },
  }

  it.each(Object.keys(WAYS))(
    'AUD-54: %s is found at the exact position, 2,000 times',
    async (way) => {
      const random = seeded(6962)
      for (let run = 0; run < 2000; run++) {
        const { lines, at, kinds } = WAYS[way]!(random)
        const { finding } = await verify(lines)
        expect(finding, `${run}`).not.toBeNull()
        expect(finding?.sequence, `${run} ${finding?.kind}`).toBe(at)
        if (kinds.length > 0) expect(kinds).toContain(finding?.kind)
      }
    }
  )

  it('AUD-55: one that was sealed anew from some event on is found between two checkpoints', async () => {
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
