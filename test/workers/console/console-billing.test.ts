import { expect, it } from 'vitest'
import { connected } from '../../kit/index.ts'
import { mounted } from './console-kit.ts'

it('forms of billing have the key that `requireOperationId` requires', async () => {
  const { kit, context, subscribed } = connected({ connection: { requireOperationId: true } })
  const { slug, owner } = await subscribed(4)
  const pages = mounted(kit.seatgate, {
    authenticate: () => ({ userId: owner }),
    billing: context.connection,
  })
  const path = `/org/${slug}/billing`
  const submit = async (action: string, more: Record<string, string> = {}) => {
    const html = await (await pages.get(path, null)).text()
    const form = html.split('<form').find((each) => each.includes(`/billing/${action}"`)) ?? ''
    const fields = [...form.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g)]
    const hidden = Object.fromEntries(fields.map(([, name, value]) => [name, value]))
    const answer = await pages.post(`${path}/${action}`, null, { ...hidden, ...more })
    return decodeURIComponent(answer.headers.get('set-cookie') ?? '')
  }
  expect(await submit('cancel', { confirm: slug })).toContain('"canceledDone"')
  expect(await submit('resume')).toContain('"resumedDone"')
  expect(await submit('seats', { seats: '5' })).toContain('"seatsRequested"')
})
