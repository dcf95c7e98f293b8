import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { waitFor } from '../../scripts/wait-for.ts'
import {
  actAs,
  addMember,
  address,
  ask,
  breakStore,
  browse,
  execute,
  expectAccessible,
  expectNoOverflow,
  found,
  operator,
  PATIENCE_SECONDS,
  publishRecord,
  signUp,
  streamAnswers,
  tolerate,
  url,
  type Founded,
} from './browsing.ts'
import { open, PAGES } from './organization-pages.ts'

const FOR_MEMBERS: readonly string[] = ['members', 'invitations', 'seats']

describe('every page of an organization', () => {
  it('is accessible with rows, and loads at most 25 KB, zipped', async () => {
    const acme = await found('Wide', { seats: 20 })
    const { id } = await addMember(acme, 'admin')
    await addMember(acme)
    await ask(acme.token, 'POST', `/organizations/${acme.id}/members/${id}/suspend`)
    for (const email of [address('ann'), address('ben')])
      await ask(acme.token, 'POST', `/organizations/${acme.id}/invitations`, {
        email,
        role: 'member',
      })
    const page = await open(acme, 'members')
    for (const path of PAGES) {
      const loaded: Promise<Buffer>[] = []
      const count = (response: { body(): Promise<Buffer> }) => void loaded.push(response.body())
      page.on('response', count)
      await page.goto(url(`/org/${acme.slug}/${path}`), { waitUntil: 'load' })
      page.off('response', count)
      const bytes = (await Promise.all(loaded)).map((body) => gzipSync(body).length)
      expect(bytes.length, path).toBeGreaterThan(0)
      expect(
        bytes.reduce((sum, one) => sum + one, 0),
        path
      ).toBeLessThan(25_000)
      await expectAccessible(page)
    }
  })

  it('can be read at 320 pixels', async () => {
    const acme = await found('Narrow', { seats: 20 })
    await addMember(acme)
    const page = await browse({ width: 320 })
    await actAs(page, acme.token)
    for (const path of PAGES) {
      await page.goto(url(`/org/${acme.slug}/${path}`))
      await expectNoOverflow(page)
    }
  })

  it('advises to try again while D1 does not answer, and is accessible', async () => {
    const acme = await found('Unreachable')
    const page = await open(acme, 'members')
    await breakStore(page, 'd1')
    tolerate(/503/)
    for (const path of PAGES) {
      const response = await page.goto(url(`/org/${acme.slug}/${path}`))
      expect(response?.status(), path).toBe(503)
      expect(await page.getByRole('alert').innerText(), path).toContain('Try again in a moment')
      await expectAccessible(page)
    }
    await breakStore(page, null)
    await page.reload()
    await page.getByRole('heading', { name: 'Settings', level: 1 }).waitFor()
  })

  it('is refused to a member with the reason, except those that are for members', async () => {
    const acme = await found('Closed')
    const { token } = await addMember(acme)
    const page = await open({ ...acme, token }, 'members')
    tolerate(/403/)
    for (const path of PAGES) {
      const response = await page.goto(url(`/org/${acme.slug}/${path}`))
      const allowed = FOR_MEMBERS.includes(path)
      expect(response?.status(), path).toBe(allowed ? 200 : 403)
      if (!allowed) {
        const reason = await page.getByRole('alert').innerText()
        expect(reason, path).toContain('Ask an owner or an administrator')
      }
      await expectAccessible(page)
    }
  })

  it('does not exist for a person of another organization', async () => {
    const [acme, other] = [await found('Hidden'), await found('Curious')]
    const page = await open({ ...acme, token: other.token }, 'members')
    tolerate(/404/)
    for (const path of PAGES) {
      const response = await page.goto(url(`/org/${acme.slug}/${path}`))
      expect(response?.status(), path).toBe(404)
      expect(await page.content(), path).not.toContain('Hidden')
      await expectAccessible(page)
    }
  })
})

describe('names', () => {
  it('are shown beside ids on the pages of seats, invitations and the trail', async () => {
    const acme = await found('Named', { seats: 9 })
    const admin = await addMember(acme, 'admin')
    await execute('UPDATE users SET name = ? WHERE id = ?', 'Grace <b>Hopper</b>', admin.id)
    const email = address('ann')
    await ask(admin.token, 'POST', `/organizations/${acme.id}/invitations`, {
      email,
      role: 'member',
    })
    const page = await open(acme, 'seats')
    const holder = page.getByRole('row', { name: admin.id })
    await holder.getByText('Grace <b>Hopper</b>').waitFor()
    await page.getByRole('row', { name: acme.email }).waitFor()
    await page.goto(url(`/org/${acme.slug}/invitations`))
    await page.getByRole('row', { name: email }).getByText('Grace <b>Hopper</b>').waitFor()
    await page.goto(url(`/org/${acme.slug}/audit`))
    const sent = page.locator('details', { hasText: 'Invitation sent' }).first()
    await sent.getByText('Grace <b>Hopper</b>').waitFor()
    await sent.getByText('Invitation sent').click()
    await sent.getByText(`user ${admin.id}`).waitFor()
    expect(await page.locator('main b').count()).toBe(0)
  })
})

describe('the seats page', () => {
  it('shows that seats cannot be counted while the ledger does not answer', async () => {
    const acme = await found('Uncounted')
    const page = await open(acme, 'members')
    await breakStore(page, 'ledger')
    tolerate(/503/)
    const response = await page.goto(url(`/org/${acme.slug}/seats`))
    expect(response?.status()).toBe(503)
    await page.getByRole('heading', { name: 'Seats cannot be counted' }).waitFor()
    expect(await page.getByRole('alert').innerText()).toContain('Try again in a moment')
    await expectAccessible(page)
    await page.goto(url(`/org/${acme.slug}/invitations`))
    await page.getByLabel('E-mail addresses').fill(address('ann'))
    await page.getByRole('button', { name: 'Invite', exact: true }).click()
    await page.getByText('0 of 1 invited').waitFor()
    await page.getByText('Seats cannot be counted').first().waitFor()
    await expectAccessible(page)
  })

  it('shows the seats in use without a limit', async () => {
    const acme = await found('Boundless', { seats: 'unlimited' })
    const page = await open(acme, 'seats')
    await page.getByText('1 seat in use, no limit').waitFor()
    expect(await page.getByRole('meter').count()).toBe(0)
    await expectAccessible(page)
  })
})

describe('a page that another person has made out of date', () => {
  it('names the change of an invitation and of a request', async () => {
    const acme = await found('Overtaken', { seats: 9 })
    const email = address('ann')
    const path = `/organizations/${acme.id}/invitations`
    const made = (await ask(acme.token, 'POST', path, { email, role: 'member' })) as { id: string }
    const page = await open(acme, 'invitations')
    await ask(acme.token, 'DELETE', `${path}/${made.id}`)
    await page.getByRole('button', { name: `Revoke the invitation of ${email}` }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
    expect(await page.getByRole('alert').innerText()).toContain('changed in the meantime')
    await page.getByText('0 open invitations').waitFor()
    await expectAccessible(page)
  })

  it('names the change of a request and of a domain', async () => {
    const acme = await found('Passed', { seats: 9 })
    await openDomain(acme, 'passed.example', 'request')
    const person = await verifiedIn('passed.example')
    const body = { organizationId: acme.id }
    const asked = (await ask(person.token, 'POST', '/join-requests', body)) as {
      request: { id: string }
    }
    const page = await open(acme, 'requests')
    const act = page.getByRole('button', { name: `Approve ${person.email}` })
    await act.waitFor()
    await ask(person.token, 'DELETE', `/join-requests/${asked.request.id}`)
    await act.click()
    await page.getByRole('dialog').getByRole('button', { name: 'Approve' }).click()
    expect(await page.getByRole('alert').innerText()).toContain('changed in the meantime')
    await page.getByText('No requests.').waitFor()
    await expectAccessible(page)

    await page.goto(url(`/org/${acme.slug}/domains`))
    const remove = page.getByRole('button', { name: 'Remove: passed.example' })
    await remove.waitFor()
    const path = `/organizations/${acme.id}/domains`
    const { data } = (await ask(acme.token, 'GET', path)) as { data: { id: string }[] }
    await ask(acme.token, 'DELETE', `${path}/${data[0]?.id}`)
    await remove.click()
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
    expect(await page.getByRole('alert').innerText()).toContain('changed in the meantime')
    await page.getByText('No domains yet.').waitFor()
    await expectAccessible(page)
  })

  it('shows the outcome of an act in the tab of the act', async () => {
    const acme = await found('Tabbed')
    const page = await open(acme, 'settings')
    const other = await page.context().newPage()
    await page.getByLabel('Name of the organization').fill('Retabbed')
    // The other tab loads a page between the act and the page that shows its outcome.
    await page.route('**/settings?outcome=*', async (route) => {
      await other.goto(url(`/org/${acme.slug}/members`))
      expect(await other.getByRole('status').count()).toBe(0)
      await route.continue()
    })
    await page.getByRole('button', { name: 'Save' }).first().click()
    expect(await page.getByRole('status').innerText()).toBe('The organization was renamed.')
  })
})

/** Gives a person an address in a domain, known to be theirs. */
async function verifiedIn(domain: string) {
  const person = await signUp()
  const email = `${person.id}@${domain}`
  const sql = 'UPDATE users SET email = ?, email_verified_at = 1 WHERE id = ?'
  await execute(sql, email, person.id)
  return { ...person, email }
}

/** Verifies a domain of an organization. */
async function openDomain({ id, token }: Founded, domain: string, mode: string): Promise<void> {
  const path = `/organizations/${id}/domains`
  const added = (await ask(token, 'POST', path, { domain, mode })) as {
    id: string
    record: { name: string; value: string }
  }
  await publishRecord(added.record)
  await ask(token, 'POST', `${path}/${added.id}/verify`)
}

describe('joining by domain', () => {
  it('is offered on the first page, joins at once, and puts on the waitlist when all is full', async () => {
    const acme = await found('Open House', { seats: 2 })
    await openDomain(acme, 'open-house.example', 'auto')
    const [first, second] = [
      await verifiedIn('open-house.example'),
      await verifiedIn('open-house.example'),
    ]
    const page = await browse({ scripts: false })
    await actAs(page, first.token)
    await page.goto(url())
    await page.getByRole('heading', { name: 'Organizations that you can join' }).waitFor()
    await page.getByRole('button', { name: 'Join: Open House' }).click()
    expect(await page.getByRole('status').innerText()).toBe('You are a member of Open House now.')
    await page.goto(url())
    expect(await page.getByRole('button', { name: 'Join: Open House' }).count()).toBe(0)

    const late = await browse()
    await actAs(late, second.token)
    await late.goto(url())
    await late.getByRole('button', { name: 'Join: Open House' }).waitFor()
    await expectAccessible(late)
    await late.getByRole('button', { name: 'Join: Open House' }).click()
    expect(await late.getByRole('status').innerText()).toContain('You are on the waitlist.')

    const owner = await open(acme, 'requests')
    const row = owner.getByRole('row', { name: second.email })
    await row.getByText('Waits for a seat').waitFor()
    await row.getByText('Next in line').waitFor()
    await expectAccessible(owner)
    await owner.getByRole('button', { name: `Decline ${second.email}` }).click()
    await owner.getByRole('dialog').getByRole('button', { name: 'Decline' }).click()
    await owner.getByText('No requests.').waitFor()
    await owner.goto(url(`/org/${acme.slug}/domains`))
    await owner.getByText('Verified', { exact: true }).waitFor()
    await expectAccessible(owner)
  })

  it('is a request if the mode of the domain is request, which an administrator approves', async () => {
    const acme = await found('Asked', { seats: 5 })
    await openDomain(acme, 'asked.example', 'request')
    const person = await verifiedIn('asked.example')
    const page = await browse()
    await actAs(page, person.token)
    await page.goto(url())
    await page.getByRole('button', { name: 'Ask to join: Asked' }).click()
    expect(await page.getByRole('status').innerText()).toContain('An administrator decides.')
    await expectAccessible(page)
    await page.getByRole('button', { name: 'Withdraw: Asked' }).click()
    expect(await page.getByRole('status').innerText()).toBe('The request was withdrawn.')
    await page.getByRole('button', { name: 'Ask to join: Asked' }).click()
    const owner = await open(acme, 'requests')
    await owner.getByRole('button', { name: `Approve ${person.email}` }).click()
    await expectAccessible(owner)
    await owner.getByRole('dialog').getByRole('button', { name: 'Approve' }).click()
    await owner.getByText('No requests.').waitFor()
    // The person's one organization, at once.
    await page.goto(url())
    await page.getByRole('heading', { name: 'Members', level: 1 }).waitFor()
    await page.getByRole('link', { name: 'Switch organization' }).click()
    await page.getByRole('row', { name: 'Asked' }).getByText('2 of 5 seats').waitFor()
  })

  it('is not offered to a person whose address is not verified', async () => {
    const acme = await found('Guarded', { seats: 5 })
    await openDomain(acme, 'guarded.example', 'auto')
    const person = await verifiedIn('guarded.example')
    await execute('UPDATE users SET email_verified_at = NULL WHERE id = ?', person.id)
    const page = await browse()
    await actAs(page, person.token)
    await page.goto(url())
    await page.getByRole('heading', { name: 'You are not in an organization yet.' }).waitFor()
    expect(await page.getByText('Guarded').count()).toBe(0)
  })
})

describe('the pages of log streams', () => {
  const settled = (acme: Founded, what: string, isSettled: (sink: SinkView) => boolean) =>
    waitFor(what, PATIENCE_SECONDS, async () => {
      const path = `/organizations/${acme.id}/audit/sinks`
      const { data } = (await ask(acme.token, 'GET', path)) as { data: SinkView[] }
      return data.some(isSettled) || undefined
    })

  it('pause a stream by hand, and resume it, without scripts', async () => {
    const acme = await found('Held')
    await streamAnswers(acme, 204)
    // A delivery that is under way refuses a pause.
    await settled(acme, 'a stream that is up to date', ({ lag }) => lag === 0)
    const page = await open(acme, 'sinks', { scripts: false })
    await page.getByRole('button', { name: 'Pause' }).click()
    expect(await page.getByRole('status').innerText()).toContain('Events wait for it.')
    await page.getByText('Paused: by hand').waitFor()
    await ask(acme.token, 'PATCH', `/organizations/${acme.id}`, { name: 'Held Back' })
    await page.reload()
    await page.getByText(/[1-9] events? since/).waitFor()
    await page.getByRole('button', { name: 'Resume' }).click()
    await settled(acme, 'a stream that is up to date', ({ lag }) => lag === 0)
    await page.goto(url(`/org/${acme.slug}/audit?action_prefix=audit.sink_`))
    await page.getByText('Log stream paused').waitFor()
    await page.getByText('Log stream resumed').waitFor()
  })

  it('show a stream that is paused, and resume it', async () => {
    const acme = await found('Paused')
    await streamAnswers(acme, 410)
    await ask(acme.token, 'PATCH', `/organizations/${acme.id}`, { name: 'Paused Again' })
    await settled(acme, 'a paused stream', ({ pausedReason }) => pausedReason !== null)
    const page = await open(acme, 'sinks')
    await page.getByText('Paused: ').first().waitFor()
    await expectAccessible(page)
    await streamAnswers(acme, 204)
    await page.getByRole('button', { name: 'Resume' }).click()
    await page.getByRole('status').waitFor()
    await settled(acme, 'a stream that is up to date', ({ lag }) => lag === 0)
    await page.reload()
    await page.getByText('Up to date').waitFor()
    await expectAccessible(page)
  })

  it('list dead letters with their reason, and send them again', async () => {
    const acme = await found('Buried')
    await streamAnswers(acme, 400)
    await ask(acme.token, 'PATCH', `/organizations/${acme.id}`, { name: 'Buried Deep' })
    await settled(acme, 'dead letters', ({ deadLetters }) => deadLetters > 0)
    const page = await open(acme, 'sinks/webhook/dead-letters')
    // The first dead letters are of earlier events.
    await waitFor('the dead letter', PATIENCE_SECONDS, async () => {
      await page.reload()
      const row = page.getByRole('row', { name: 'Organization renamed' })
      return (await row.getByText('400').count()) > 0 || undefined
    })
    await expectAccessible(page)
    await streamAnswers(acme, 204)
    await page.getByRole('button', { name: 'Retry the dead letters' }).click()
    await page.getByRole('status').waitFor()
    await settled(acme, 'no dead letter', ({ deadLetters }) => deadLetters === 0)
    await settled(acme, 'a stream that is up to date', ({ lag }) => lag === 0)
    // A page shows the state of its time: a letter that is queued is not counted and not delivered yet.
    await waitFor('the letter delivered', PATIENCE_SECONDS, async () => {
      await page.goto(url(`/org/${acme.slug}/sinks/webhook/dead-letters`))
      const row = page.getByRole('row', { name: 'Organization renamed' })
      return (await row.getByText('delivered').count()) > 0 || undefined
    })
    await page.goto(url(`/org/${acme.slug}/sinks`))
    await page.getByText('Up to date').waitFor()
  })
})

interface SinkView {
  readonly pausedReason: string | null
  readonly deadLetters: number
  readonly lag: number
}

describe('a trail that retention has purged', () => {
  it('names its horizon on the page of the verification, and lists the rest', async () => {
    const acme = await found('Purged')
    await waitFor('a checkpoint', PATIENCE_SECONDS, async () => {
      const path = `/organizations/${acme.id}/audit/checkpoint`
      const sealed = (await ask(acme.token, 'GET', path)) as { unsealed: number; size: number }
      return (sealed.unsealed === 0 && sealed.size > 1) || undefined
    })
    // Retention does this a day later at the earliest.
    await execute(
      `INSERT INTO seatgate_audit_purges (organization_id, first_sequence, last_sequence, last_hash,
        checkpoint_size, personal_records, dead_letters, forced, started_at)
      SELECT organization_id, 1, 1, hash,
        (SELECT max(size) FROM seatgate_audit_checkpoints WHERE organization_id = ?1), 0, 0, 0, 0
      FROM seatgate_audit_nodes WHERE organization_id = ?1 AND level = 0 AND position = 0`,
      acme.id
    )
    await execute(
      'DELETE FROM seatgate_audit_events WHERE organization_id = ? AND sequence = 1',
      acme.id
    )
    const page = await open(acme, 'audit/verification')
    await page.getByText('Retention has purged the first 1 events.').waitFor()
    await expectAccessible(page)
    await page.goto(url(`/org/${acme.slug}/audit`))
    await page.locator('.timeline').first().waitFor()
    expect(await page.getByText('Organization created').count()).toBe(0)
    await expectAccessible(page)
  })
})

describe('the first page and those of operators', () => {
  it('is accessible with organizations and an invitation to the own address', async () => {
    const [acme, other] = [await found('Own'), await found('Inviting', { seats: 5 })]
    await execute('UPDATE users SET email_verified_at = 1 WHERE email = ?', acme.email)
    const body = { email: acme.email, role: 'member' }
    await ask(other.token, 'POST', `/organizations/${other.id}/invitations`, body)
    const page = await browse()
    await actAs(page, acme.token)
    await page.goto(url())
    await page.getByRole('heading', { name: 'Invitations to you' }).waitFor()
    await page.getByRole('link', { name: 'Own' }).waitFor()
    await expectAccessible(page)
    await page.goto(url('/new'))
    await expectAccessible(page)
  })

  it('shows operators a search without a match, and a deleted organization', async () => {
    const acme = await found('Gone')
    await execute(
      'UPDATE seatgate_organizations SET deleted_at = ? WHERE id = ?',
      Date.now(),
      acme.id
    )
    const page = await browse()
    await actAs(page, await operator())
    await page.goto(url('/platform?search=nothing-is-called-this'))
    await page.getByText('No matching organizations.').waitFor()
    await expectAccessible(page)
    await page.goto(url(`/platform/${acme.id}`))
    await page.getByRole('button', { name: 'Restore the organization' }).waitFor()
    await expectAccessible(page)
    await breakStore(page, 'd1')
    tolerate(/503/)
    expect((await page.goto(url('/platform')))?.status()).toBe(503)
    await expectAccessible(page)
  })
})
