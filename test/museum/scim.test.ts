import { describe, expect, it } from 'vitest'
import { groups } from '../../src/hono/groups/index.ts'
import { setSeatLimit, transferOwnership } from '../../src/index.ts'
import { createScimKit, PASSWORD, pushedOrganization, testEnv, unwrap } from '../kit/index.ts'
import { SCIM_CASES, type ScimProduct } from './scim-cases.ts'

async function openScim(): Promise<ScimProduct> {
  const kit = createScimKit({ provider: 'd1', groups: groups() })
  const organization = await pushedOrganization(kit, 10)
  const { send, person } = organization
  const owner = organization.as(organization.owner)
  return {
    person,
    async ask(method, path, body) {
      const response = await send(method, path, body)
      const text = await response.text()
      return {
        status: response.status,
        type: response.headers.get('content-type'),
        body: text === '' ? null : JSON.parse(text),
      }
    },
    async members() {
      const count = await testEnv.DB.prepare(
        "SELECT count(*) AS n FROM seatgate_memberships WHERE organization_id = ? AND status = 'active'"
      )
        .bind(organization.id)
        .first<number>('n')
      return count ?? 0
    },
    async limitTo(seats) {
      unwrap(await setSeatLimit(kit.seatgate, organization.asOperator, { limit: seats }))
    },
    async makeOwner(id) {
      const userId = await testEnv.DB.prepare(
        'SELECT user_id FROM seatgate_scim_users WHERE id = ?'
      )
        .bind(id)
        .first<string>('user_id')
      unwrap(await transferOwnership(kit.seatgate, owner, { userId: userId!, password: PASSWORD }))
    },
  }
}

describe('the bug museum of SCIM', () => {
  for (const { id, title, run } of SCIM_CASES) {
    it(`${title} [${id}]`, async () => {
      await expect(run(await openScim())).resolves.toBeUndefined()
    })
  }
})
