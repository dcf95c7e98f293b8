import { fileURLToPath } from 'node:url'
import { build } from 'vite'
import { beforeAll, expect, it } from 'vitest'
import { actAs, addMember, browse, found, signUp, tolerate, url } from './browsing.ts'

const example = fileURLToPath(new URL('../../examples/react', import.meta.url))
const source = (path: string) => fileURLToPath(new URL(`../../src/${path}`, import.meta.url))

const files = new Map<string, string>()

beforeAll(async () => {
  const built = await build({
    root: example,
    logLevel: 'error',
    build: { write: false },
    resolve: {
      alias: {
        'seatgate/client': source('client/index.ts'),
        'seatgate/react': source('react/index.ts'),
      },
    },
  })
  const outputs = Array.isArray(built) ? built : [built]
  for (const file of outputs.flatMap((each) => ('output' in each ? each.output : []))) {
    files.set(`/${file.fileName}`, file.type === 'chunk' ? file.code : String(file.source))
  }
})

async function open(token: string, org: string) {
  const page = await browse()
  await actAs(page, token)
  for (const [path, body] of files) {
    const contentType = path.endsWith('.js') ? 'text/javascript' : 'text/html'
    await page.route(`**${path}*`, (route) => route.fulfill({ contentType, body }))
  }
  await page.goto(url(`/index.html?org=${org}`))
  return page
}

it('examples/react lists the members, adds one, and says that the seats are in use', async () => {
  tolerate(/409/)
  const acme = await found('React example', { seats: 3 })
  const ben = await addMember(acme)
  const page = await open(acme.token, acme.slug)
  await page.getByText('2 of 3 seats are in use.').waitFor()
  await page.getByText(`${ben.id} (member)`).waitFor()

  const add = async (userId: string) => {
    await page.getByLabel('User').fill(userId)
    await page.getByRole('button', { name: 'Add' }).click()
  }
  const cleo = await signUp()
  await add(cleo.id)
  await page.getByText('3 of 3 seats are in use.').waitFor()
  await page.getByText(`${cleo.id} (member)`).waitFor()

  await add((await signUp()).id)
  await page.getByText('All 3 seats are in use.').waitFor()
  expect(await page.getByRole('listitem').count()).toBe(3)
})

it('examples/react says why a page is not shown', async () => {
  tolerate(/404/)
  const { token } = await signUp()
  const page = await open(token, 'no-such-organization')
  await page.getByRole('alert').filter({ hasText: 'organization_not_found' }).waitFor()
})
