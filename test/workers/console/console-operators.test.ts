import { describe, expect, it } from 'vitest'
import { sweepHandler } from '../../../src/worker/index.ts'
import { sinkOf } from '../../kit/index.ts'
import { acme, operators } from './console-kit.ts'

async function operated() {
  const world = await acme({ provider: 'd1', sinks: [sinkOf('stream')] })
  operators.add(world.owner.userId)
  const read = async (path: string) => (await world.pages.get(path, world.owner)).text()
  return { ...world, read }
}

describe('the health of the platform', () => {
  it('shows the last sweep and the problems that need an operator, each with its stream', async () => {
    const { kit, owner, pages, read, slug } = await operated()
    const never = await read('/platform/health')
    expect(never).toContain('Something needs attention')
    expect(never).toContain('data-reason="sweep_missing"')
    expect(never).toMatch(/<dt>Last sweep<\/dt><dd>Never</)

    await sweepHandler(kit.seatgate)()
    const swept = await read('/platform/health')
    expect(swept).toContain('All is well')
    expect(swept).not.toContain('data-reason')
    expect(swept).toMatch(/<dt>Last sweep<\/dt><dd><time datetime="20/)

    await pages.post(`/org/${slug}/sinks/stream/pause`, owner)
    const paused = await read('/platform/health')
    expect(paused).toMatch(/data-reason="sink_paused"><bdi>stream: <\/bdi>Repair the sink/)
    expect(paused).toMatch(/<th scope="row">stream<\/th>.*data-label="Paused">1</)
  })

  it('is refused to others, as are the seats of an organization', async () => {
    const { member, pages, slug } = await operated()
    for (const path of ['/platform/health', `/platform/${slug}/seats`])
      expect((await pages.get(path, member)).status, path).toBe(403)
    const compared = await pages.post(`/platform/${slug}/seats`, member)
    expect(compared.status).toBe(404)
  })
})
