/**
 * Every operation of the library's routes is called, in applications that grant and that refuse it. The
 * exchanges and the checks of inputs become part of `openapi.json`; `--update` records them.
 */
import { expect, it } from 'vitest'
import { application } from '../../kit/openapi-application.ts'
import { converse } from './conversation.ts'
import { recorder } from './recorder.ts'
import { refuseEverywhere, routesOf } from './refusals.ts'

it('records every operation, where it is granted and where it is refused', async () => {
  const app = application()
  const record = recorder(app)
  const scene = await converse(record)
  await refuseEverywhere(record, app, scene)

  const first = new Map(
    record.exchanges
      .map((one) => {
        const { code } = (one.answer ?? {}) as { code?: string }
        return [[one.path, one.method, one.status, code].join(' '), one] as const
      })
      .toReversed()
  )
  const kept = [...first].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one)
  const lines = kept.map((one) => JSON.stringify(one)).join(',\n')
  const routes = JSON.stringify(routesOf(app), null, 1)
  const inputs = JSON.stringify(
    Object.fromEntries([...record.inputs].toSorted(([a], [b]) => (a < b ? -1 : 1))),
    null,
    1
  )
  const text = `{"routes": ${routes},\n"inputs": ${inputs},\n"exchanges": [\n${lines}\n]}\n`
  await expect(text).toMatchFileSnapshot('every-refusal.json')
})
