import {
  getPlatformOrganization,
  listPlatformOrganizations,
} from '../../operations/organizations/platform-organizations.ts'
import { restoreOrganization } from '../../operations/organizations/restore.ts'
import { setSeatLimit } from '../../operations/seats/set-limit.ts'
import { Back, Facts, Field, Form, Name, Pages, Section, Table, Time } from '../elements.tsx'
import { showPage } from '../layout.tsx'
import type { Routes } from '../routes.ts'
import {
  afterAct,
  baseOf,
  granted,
  inOrganization,
  pageIn,
  readFields,
  scopeOf,
  wordsOf,
  type Console,
  type Visit,
} from '../visit.ts'
import { healthPage } from './health-page.tsx'
import { platformSeatPages } from './platform-seat-pages.tsx'

const STATUSES = ['all', 'live', 'deleted'] as const

/** The pages of operators: any organization with its limit and seats, and the health of the platform. */
export function platformPages(setup: Console, routes: Routes): void {
  const { seatgate } = setup
  const one = (c: Visit, page = '') =>
    `${baseOf(c)}/platform/${encodeURIComponent(c.req.param('org') ?? '')}${page}`

  routes.signedIn('/platform', async (c) => {
    const search = c.req.query('search')?.trim() || undefined
    const status = STATUSES.find((status) => status === c.req.query('status')) ?? 'all'
    const page = granted(
      await listPlatformOrganizations(seatgate, scopeOf(c), {
        status,
        ...(search !== undefined && { search }),
        ...pageIn(c),
      })
    )
    const words = wordsOf(c)
    const path = `${baseOf(c)}/platform`
    return showPage(setup, c, {
      words,
      title: words.text('platform'),
      content: (
        <>
          <h1>{words.text('platform')}</h1>
          <p class="pages">
            <a href={`${path}/health`}>{words.text('health')}</a>
          </p>
          <section aria-label={words.text('organizations')}>
            <form method="get" action={path} class="line" role="search">
              <Field label={words.text('platformFind')}>
                <input type="search" name="search" value={search} maxlength={100} />
              </Field>
              <Field label={words.text('status')}>
                <select name="status">
                  {STATUSES.map((one) => (
                    <option value={one} selected={one === status}>
                      {words.text(one)}
                    </option>
                  ))}
                </select>
              </Field>
              <button>{words.text('search')}</button>
            </form>
            <Table
              empty="platformNone"
              words={words}
              caption={words.text('organizationsCount', { count: page.data.length })}
              head={['name', 'status', 'created']}
              rows={page.data.map(({ id, name, slug, deletedAt, createdAt }) => [
                <>
                  <a href={`${path}/${id}`}>
                    <Name>{name}</Name>
                  </a>
                  <small>{slug}</small>
                </>,
                <span class={deletedAt === null ? 'badge good' : 'badge bad'}>
                  {words.text(deletedAt === null ? 'live' : 'deleted')}
                </span>,
                <Time at={createdAt} words={words} />,
              ])}
            />
            <Pages
              path={path}
              c={c}
              next={page.nextCursor}
              query={{ search, status }}
              words={words}
            />
          </section>
        </>
      ),
    })
  })

  healthPage(setup, routes)
  platformSeatPages(setup, routes)

  routes.signedIn('/platform/:org', async (c) => {
    const found = granted(await getPlatformOrganization(seatgate, inOrganization(c)))
    const words = wordsOf(c)
    return showPage(setup, c, {
      words,
      title: found.name,
      narrow: true,
      content: (
        <>
          <h1>
            <Name>{found.name}</Name>
          </h1>
          <p class="soft">
            <code>{found.id}</code>
          </p>
          <section aria-label={words.text('general')}>
            <Facts
              words={words}
              facts={[
                ['slug', found.slug],
                ['created', <Time at={found.createdAt} words={words} />],
                ['deleted', found.deletedAt && <Time at={found.deletedAt} words={words} />],
              ]}
            />
          </section>
          {found.deletedAt === null ? (
            <>
              <Section id="limit" title={words.text('setLimit')}>
                <Form action={one(c, '/limit')}>
                  <Field label={words.text('limitInput')}>
                    <input name="limit" required autocomplete="off" />
                  </Field>
                  <Field label={words.text('reason')}>
                    <input name="reason" maxlength={255} required />
                  </Field>
                  <p>
                    <button class="primary">{words.text('setLimit')}</button>
                  </p>
                </Form>
              </Section>
              <p class="pages">
                <a href={`${baseOf(c)}/platform/${found.id}/seats`}>{words.text('seats')}</a>
                <Back to={`${baseOf(c)}/platform`} words={words} />
              </p>
            </>
          ) : (
            <Section id="restore" title={words.text('restoreOrganization')}>
              <Form action={one(c, '/restore')} operation={seatgate.newId()}>
                <button class="primary">{words.text('restoreOrganization')}</button>
              </Form>
            </Section>
          )}
        </>
      ),
    })
  })

  routes.form('/platform/:org/limit', async (c) => {
    const fields = await readFields(c)
    const text = fields.get('limit').trim()
    const limit =
      text === 'unlimited' ? ('unlimited' as const) : /^\d{1,9}$/.test(text) ? Number(text) : NaN
    const input = { limit, reason: fields.get('reason') }
    const set = await setSeatLimit(seatgate, inOrganization(c), input)
    return afterAct(c, set, one(c), 'limitSet')
  })
  routes.form('/platform/:org/restore', async (c) => {
    const { options } = await readFields(c)
    const id = c.req.param('org') ?? ''
    const restored = await restoreOrganization(seatgate, scopeOf(c), id, options)
    return afterAct(c, restored, one(c), 'restoredOrganization')
  })
}
