import { describe, expect, it } from 'vitest'
import { removeMember } from '../../src/index.ts'
import { createKeysKit, isChange, join, keyOf, unwrap } from '../kit/index.ts'
import { KEY_CASES, type KeyProduct } from './keys-cases.ts'

async function openKeys(): Promise<KeyProduct> {
  let batches = 0
  const kit = createKeysKit({
    around({ asked }, run) {
      if (isChange(asked)) batches += 1
      return run()
    },
  })
  const organization = await kit.organization()
  const owner = organization.as(organization.owner)
  return {
    async create(endsWithCreator) {
      const creator = await join(kit, organization, 'admin')
      const { key } = await keyOf(kit, organization, { endsWithCreator }, creator)
      return { key, creator }
    },
    async deprovision(member) {
      await kit.settled()
      unwrap(await removeMember(kit.seatgate, owner, member))
    },
    works: async (key) =>
      (await kit.client.get(`/organizations/${organization.id}/members`, key)).status === 200,
    batches: () => batches,
  }
}

describe('the bug museum of API keys', () => {
  for (const { id, title, run } of KEY_CASES) {
    it(`${title} [${id}]`, async () => {
      await expect(run(await openKeys())).resolves.toBeUndefined()
    })
  }
})
