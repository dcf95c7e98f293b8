/**
 * The requests of every operation that are granted, and those of strangers. The exchanges are the examples of
 * `openapi.json`; `--update` records them. `test/package/openapi.test.ts` checks them against the document.
 */
import { expect, it } from 'vitest'
import { application } from '../../kit/openapi-application.ts'
import { converse } from './conversation.ts'
import { recorder } from './recorder.ts'
import { refuseStrangers, routesOf } from './refusals.ts'

it('records the exchanges of every operation', async () => {
  const app = application()
  const record = recorder(app, { refusals: false })
  await refuseStrangers(record, app, await converse(record))

  const recorded = { routes: routesOf(app), exchanges: record.firstExchanges() }
  await expect(`${JSON.stringify(recorded, null, 1)}\n`).toMatchFileSnapshot('exchanges.json')
})
