import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import {
  addMember,
  address,
  ask,
  execute,
  expectAccessible,
  expectNoOverflow,
  found,
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
  it('make a role, change it, and put another one in its place, with scripts and without', async () => {
    for (const scripts of [true, false]) {
      const acme = await found('Roled', { seats: 9 })
      const page = await open(acme, 'roles', { scripts })
      const readable = async () => {
        if (scripts) await expectReadable(page)
      }
      await page.getByLabel('Name: a to z').fill('auditor')
      const audit = page.getByRole('group', { name: 'audit' })
      await audit.getByRole('checkbox', { name: 'audit:read' }).check()
      await page.getByRole('button', { name: 'Make a role' }).click()
      expect(await page.getByRole('status').innerText()).toBe('The role was made.')
      const invitation = { email: address('ann'), role: 'auditor' }
      await ask(acme.token, 'POST', `/organizations/${acme.id}/invitations`, invitation)
      await page.reload()
      await page.getByRole('row', { name: 'auditor' }).getByText('1 open invitation').waitFor()
      await readable()

      await page.getByRole('link', { name: 'auditor' }).click()
      const box = page.getByRole('checkbox', { name: 'audit:read' })
      expect(await box.isChecked()).toBe(true)
      await page.getByLabel('Name: a to z').fill('reader')
      await page.getByRole('checkbox', { name: 'members:invite' }).check()
      await page.getByRole('button', { name: 'Save' }).click()
      expect(await page.getByRole('status').innerText()).toContain('The role was changed')
      await page.getByRole('heading', { name: 'Change the role reader' }).waitFor()
      await readable()

      await page.getByLabel('Role in its place').selectOption('member')
      await page.getByRole('button', { name: 'Delete the role' }).click()
      expect(await page.getByRole('status').innerText()).toBe('The role was deleted.')
      await page.getByText('3 roles').waitFor()
      await page.getByLabel('Name: a to z').fill('admin')
      await page.getByRole('button', { name: 'Make a role' }).click()
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
      await page.getByRole('button', { name: 'Make a group' }).click()
      expect(await page.getByRole('status').innerText()).toBe('The group was made.')
      await page.getByRole('heading', { name: 'Design <b>' }).waitFor()
      await page.getByText('No member yet.').waitFor()
      await readable()

      await page.getByRole('link', { name: 'Add members' }).click()
      await readable()
      await page.getByRole('button', { name: 'Add members' }).click()
      expect(await page.getByRole('alert').innerText()).toBe('Choose at least one member.')
      await page.getByRole('checkbox', { name: `Add ${ann.email}` }).check()
      await page.getByRole('checkbox', { name: `Add ${ben.email}` }).check()
      await page.getByRole('button', { name: 'Add members' }).click()
      expect(await page.getByRole('status').innerText()).toBe('The members are in the group.')
      await page.getByText('2 members').waitFor()
      await page.getByRole('row', { name: 'Ann <b>' }).waitFor()
      await readable()

      await page.getByRole('button', { name: `Take ${ben.email} out of the group` }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Take out' }).click()
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
      await page.getByText('No group yet.').waitFor()
    }
  })
})
