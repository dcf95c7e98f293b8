import { describe, expect, it } from 'vitest'
import { newInvocation, serveSideBySide } from '../../../../src/engine/delivery/tend-trail.ts'

const sinks = (count: number, internal = false) =>
  Array.from({ length: count }, () => ({ internal }))

describe('concurrent deliveries in one invocation', () => {
  it.each([
    ['no sink', sinks(0), 5],
    ['one sink', sinks(1), 5],
    ['one sink and the library’s own', [...sinks(1), ...sinks(1, true)], 5],
    ['two sinks', sinks(2), 2],
    ['five sinks', sinks(5), 1],
    ['more sinks than there are connections', sinks(9), 1],
  ])('is what its connections allow, with %s', async (_what, configured, most) => {
    let [under, highest] = [0, 0]
    const served: number[] = []
    await serveSideBySide({ consumers: configured }, [1, 2, 3, 4, 5, 6, 7], async (each) => {
      highest = Math.max(highest, ++under)
      await Promise.resolve()
      under -= 1
      served.push(each)
    })
    expect(highest).toBe(most)
    expect(served).toEqual([1, 2, 3, 4, 5, 6, 7])
  })

  it('continues beside one that never ends', async () => {
    const served: number[] = []
    const last = Promise.withResolvers<void>()
    void serveSideBySide({ consumers: sinks(2) }, [1, 2, 3, 4], async (each) => {
      if (each === 1) return new Promise<never>(() => {})
      served.push(each)
      if (each === 4) last.resolve()
    })
    await last.promise
    expect(served).toEqual([2, 3, 4])
  })

  it('has 500 deliveries, half of the requests that a Worker may send', () => {
    const invocation = newInvocation()
    const answers = Array.from({ length: 502 }, () => invocation.mayDeliver())
    expect(answers.filter(Boolean)).toHaveLength(500)
    expect(answers.slice(499)).toEqual([true, false, false])
  })
})
