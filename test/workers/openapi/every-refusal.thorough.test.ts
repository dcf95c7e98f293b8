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
  const record = recorder(app, { refusals: true })
  const scene = await converse(record)
  await refuseEverywhere(record, app, scene)

  const lines = record
    .firstExchanges()
    .map((one) => JSON.stringify(one))
    .join(',\n')
  const routes = JSON.stringify(routesOf(app), null, 1)
  const inputs = JSON.stringify(
    Object.fromEntries([...record.inputs].toSorted(([a], [b]) => (a < b ? -1 : 1))),
    null,
    1
  )
  const text = `{"routes": ${routes},\n"inputs": ${inputs},\n"exchanges": [\n${lines}\n]}\n`
  await expect(text).toMatchFileSnapshot('every-refusal.json')
})
