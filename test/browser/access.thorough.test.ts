import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import {
  actAs,
  addMember,
  address,
  ask,
  browse,
  execute,
  expectAccessible,
  expectNoOverflow,
  found,
  operator,
  PASSWORD,
  tolerate,
  url,
} from './browsing.ts'
import { open } from './organization-pages.ts'

/** Checks a page with axe, and at 320 pixels. */
async function expectReadable(page: Page): Promise<void> {
  await expectAccessible(page)
  const size = page.viewportSize()
  await page.setViewportSize({ width: 320, height: 800 })
  await expectNoOverflow(page)
  if (size) await page.setViewportSize(size)
}

describe('the pages of roles', () => {
  it('create a role, change it, and replace it, with scripts and without', async () => {
    for (const scripts of [true, false]) {
      const acme = await found('Roled', { seats: 9 })
      const page = await open(acme, 'roles', { scripts })
      const readable = async () => {
        if (scripts) await expectReadable(page)
      }
      await page.getByLabel('Name: a letter').fill('auditor')
      const audit = page.getByRole('group', { name: 'audit' })
      await audit.getByRole('checkbox', { name: 'audit:read' }).check()
      await page.getByRole('button', { name: 'Create a role' }).click()
      expect(await page.getByRole('status').innerText()).toBe('The role was created.')
      const invitation = { email: address('ann'), role: 'auditor' }
      await ask(acme.token, 'POST', `/organizations/${acme.id}/invitations`, invitation)
      await page.reload()
      await page.getByRole('row', { name: 'auditor' }).getByText('1 open invitation').waitFor()
      await readable()

      await page.getByRole('link', { name: 'auditor' }).click()
      const box = page.getByRole('checkbox', { name: 'audit:read' })
      expect(await box.isChecked()).toBe(true)
      await page.getByLabel('Name: a letter').fill('reader')
      await page.getByRole('checkbox', { name: 'members:invite' }).check()
      await page.getByRole('button', { name: 'Save' }).click()
      expect(await page.getByRole('status').innerText()).toContain('The role was changed')
      await page.getByRole('heading', { name: 'Change the role reader' }).waitFor()
      await readable()

      await page.getByLabel('Replacement').selectOption('member')
      await page.getByRole('button', { name: 'Delete the role' }).click()
      expect(await page.getByRole('status').innerText()).toBe('The role was deleted.')
      await page.getByText('3 roles').waitFor()
      await page.getByLabel('Name: a letter').fill('admin')
      await page.getByRole('button', { name: 'Create a role' }).click()
      expect(await page.getByRole('alert').innerText()).toContain('This role already exists.')
      await readable()
    }
  })
})

describe('the pages of groups', () => {
  it('make a group, add members, take one out and delete it, with scripts and without', async () => {
    for (const scripts of [true, false]) {
      const acme = await found('Grouped', { seats: 9 })
      const [ann, ben] = [await addMember(acme), await addMember(acme)]
      await execute('UPDATE users SET name = ? WHERE id = ?', 'Ann <b>', ann.id)
      const page = await open(acme, 'groups', { scripts })
      const readable = async () => {
        if (scripts) await expectReadable(page)
      }
      await page.getByLabel('Name of the group').fill('Design <b>')
      await page.getByLabel('Role').selectOption('member')
      await page.getByRole('button', { name: 'Create a group' }).click()
      expect(await page.getByRole('status').innerText()).toBe('The group was created.')
      await page.getByRole('heading', { name: 'Design <b>' }).waitFor()
      await page.getByText('No members yet.').waitFor()
      await readable()

      await page.getByRole('link', { name: 'Add members' }).click()
      await readable()
      await page.getByRole('button', { name: 'Add members' }).click()
      expect(await page.getByRole('alert').innerText()).toBe('Choose at least one member.')
      await page.getByRole('checkbox', { name: `Add ${ann.email}` }).check()
      await page.getByRole('checkbox', { name: `Add ${ben.email}` }).check()
      await page.getByRole('button', { name: 'Add members' }).click()
      expect(await page.getByRole('status').innerText()).toBe('The members were added.')
      await page.getByText('2 members').waitFor()
      await page.getByRole('row', { name: 'Ann <b>' }).waitFor()
      await readable()

      await page.getByRole('button', { name: `Remove ${ben.email} from the group` }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
      await page.getByText('1 member', { exact: true }).waitFor()
      await page.getByLabel('Name of the group').fill('Product')
      await page.getByRole('button', { name: 'Save' }).click()
      await page.getByRole('heading', { name: 'Product' }).waitFor()
      await page.getByRole('link', { name: 'Back', exact: true }).click()
      await page.getByRole('row', { name: 'Product' }).getByText('member').waitFor()
      await readable()
      await page.getByRole('link', { name: 'Product' }).click()
      await page.getByRole('button', { name: 'Delete the group' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Delete the group' }).click()
      expect(await page.getByRole('status').innerText()).toBe('The group was deleted.')
      await page.getByText('No groups yet.').waitFor()
    }
  })
})

describe('the pages of impersonations', () => {
  it('let an operator act as a member, with a banner on each page, until they end it', async () => {
    for (const scripts of [true, false]) {
      const acme = await found('Acted', { seats: 9 })
      const ann = await addMember(acme, 'admin')
      const page = await browse({ scripts })
      await actAs(page, await operator())
      const readable = async () => {
        if (scripts) await expectReadable(page)
      }
      await page.goto(url('/platform'))
      await page.getByRole('link', { name: 'Act as a user' }).click()
      await readable()
      await page.getByLabel('Id or address of the organization').fill(acme.slug)
      await page.getByLabel('Id of the member').fill(ann.id)
      await page.getByLabel('Reason').fill('Ticket 4711: <b>the import fails')
      await page.getByLabel('Password').fill(PASSWORD)
      await page.getByRole('button', { name: 'Act as a user' }).click()
      const banner = page.getByRole('note', { name: 'Acting as a user' })
      await banner.getByText(`You are acting as ${ann.id}`).waitFor()
      expect(page.url()).toBe(url(`/org/${acme.id}/members`))
      await readable()
      await page.getByRole('link', { name: 'Settings' }).click()
      await page.getByLabel('Name of the organization').fill('Acted upon')
      await page.getByRole('button', { name: 'Save' }).first().click()
      expect(await page.getByRole('status').innerText()).toBe('The organization was renamed.')
      expect(await page.content()).not.toContain('sg_impersonation')
      expect(await page.evaluate('document.cookie')).toBe('')

      const owner = await open(acme, 'impersonations', { scripts })
      const row = owner.getByRole('row', { name: 'operator@example.com' })
      await row.getByText('Ticket 4711: <b>the import fails').waitFor()
      await row.getByText(ann.email).waitFor()
      if (scripts) await expectReadable(owner)

      await banner.getByRole('button', { name: 'End' }).click()
      expect(await page.getByRole('status').innerText()).toContain(
        'You no longer act as another user.'
      )
      await page.getByText('No operator is acting as a member.').waitFor()
      await readable()
      tolerate(/404/)
      const response = await page.goto(url(`/org/${acme.id}/members`))
      expect(response?.status()).toBe(404)
      await owner.getByRole('link', { name: 'Earlier' }).click()
      await owner.getByRole('cell', { name: 'Acting as a user ended' }).waitFor()
      if (scripts) await expectReadable(owner)
    }
  })
})
