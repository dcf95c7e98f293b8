import { sql } from 'drizzle-orm'
import { expect, it } from 'vitest'
import { guard } from '../../../../src/database/commit.ts'
import { perform } from '../../../../src/engine/changes/operation.ts'
import { ok } from '../../../../src/base/result.ts'
import type { Report } from '../../../../src/index.ts'
import { createKit } from '../../../kit/index.ts'

it('a refusal that an operation does not list is returned and reported', async () => {
  const reports: Report[] = []
  const kit = createKit({ report: (report) => reports.push(report) })
  const { id } = await kit.organization()
  const answer = await perform(
    kit.seatgate,
    { caller: { type: 'system' }, organization: id },
    {
      name: 'test.unlisted',
      input: null,
      grows: false,
      refusals: [],
      queries: {},
      plan: () =>
        ok({
          value: null,
          statements: [guard(kit.seatgate.db, 'last_owner', sql`false`)],
          events: [],
        }),
    }
  )
  expect(answer).toEqual({ ok: false, error: { code: 'last_owner' } })
  expect(reports.map(({ event }) => event)).toEqual(['refusal_not_listed'])
})
