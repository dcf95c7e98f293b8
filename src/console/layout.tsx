import type { Context } from 'hono'
import { html } from 'hono/html'
import type { Child } from 'hono/jsx'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { Refusal } from '../base/result.ts'
import { headersOf, statusOf } from '../hono/problem.ts'
import { hasForwarding, hasJoining } from '../hono/router-parts.ts'
import { Back, assetUrl, Name, OutcomeNotice, RefusalNotice } from './elements.tsx'
import { takeOutcome } from './outcome.ts'
import type { TextKey } from './texts/en.ts'
import type { Words } from './texts/languages.ts'
import {
  baseOf,
  homeOf,
  byOperator,
  may,
  pathIn,
  wordsOf,
  type Console,
  type Visit,
} from './visit.ts'

/** A page: its title and its content. */
interface Page {
  readonly title: string
  readonly content: Child
  readonly status?: ContentfulStatusCode
  /** Whether it is as narrow as a form. */
  readonly narrow?: boolean
  /** Links beside the content. */
  readonly navigation?: Child
  readonly scripts?: readonly string[]
  /** Whether the page is for a person without a session. */
  readonly anonymous?: boolean
  readonly words: Words
}

/** Responds with a page. */
export function showPage(
  setup: Pick<Console, 'options'>,
  c: Context,
  page: Page
): Response | Promise<Response> {
  const { brand = 'Seatgate', signOutUrl, sections = [] } = setup.options
  const { words, title } = page
  const base = baseOf(c)
  const document = (
    <html lang={words.language}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{`${title} · ${brand}`}</title>
        <link rel="stylesheet" href={assetUrl(base, 'console.css')} />
        <link rel="icon" href={assetUrl(base, 'icon.svg')} />
      </head>
      <body>
        <a class="skip" href="#content">
          {words.text('skip')}
        </a>
        <header class="top">
          <a class="brand" href={homeOf(c)}>
            {brand}
          </a>
          {page.navigation !== undefined && (
            <a href={`${homeOf(c)}?all`}>{words.text('switchOrganization')}</a>
          )}
          {!page.anonymous && signOutUrl !== undefined && (
            <SignOut url={signOutUrl} label={words.text('signOut')} />
          )}
        </header>
        <div class={page.navigation === undefined ? 'frame' : 'frame sided'}>
          {page.navigation}
          <main id="content" tabindex={-1} class={page.narrow ? 'narrow' : undefined}>
            <OutcomeNotice outcome={takeOutcome(c, base)} words={words} />
            {sections.map(({ notice }) => notice?.(c, words))}
            {page.content}
          </main>
        </div>
        {page.scripts?.map((name) => (
          <script type="module" src={assetUrl(base, name)} />
        ))}
      </body>
    </html>
  )
  return c.html(html`<!doctype html>${document}`, page.status ?? 200)
}

function SignOut({ url, label }: { url: string; label: string }) {
  if (!url.startsWith('/')) return <a href={url}>{label}</a>
  return (
    <form method="post" action={url}>
      <button>{label}</button>
    </form>
  )
}

/** Responds with a page of the organization that the request names. */
export function showOrganizationPage(
  setup: Console,
  c: Visit,
  page: {
    /** The page's key, which is its title, too. */
    readonly key: TextKey
    readonly content: (words: Words) => Child
    readonly lead?: (words: Words) => Child
  }
): Response | Promise<Response> {
  const words = wordsOf(c)
  const { organization } = c.var
  const title = words.text(page.key)
  return showPage(setup, c, {
    words,
    title: `${title} · ${organization.name}`,
    navigation: <Navigation setup={setup} c={c} words={words} current={page.key} />,
    content: (
      <>
        <h1>{title}</h1>
        <p class="soft">
          <Name>{organization.name}</Name>
        </p>
        {page.content(words)}
      </>
    ),
  })
}

/** The pages of an organization, and whether the role may read them. */
function pagesFor(setup: Console, c: Visit): readonly (readonly [TextKey, string, boolean])[] {
  const { seatgate, options } = setup
  const ofMembers = may(c, 'members:manage')
  const ofOrganization = may(c, 'organization:update')
  return [
    ['members', '/members', true],
    ['invitations', '/invitations', true],
    [
      'requests',
      '/requests',
      hasJoining(seatgate) && (ofMembers || c.var.role === seatgate.roles.owner),
    ],
    ['domains', '/domains', hasJoining(seatgate) && ofOrganization],
    ['seats', '/seats', true],
    ['billing', '/billing', seatgate.billing !== null && may(c, 'billing:manage')],
    ['audit', '/audit', may(c, 'audit:read')],
    ['sinks', '/sinks', hasForwarding(seatgate) && ofMembers],
    ...(options.sections ?? []).map(
      ({ key, path, permission }) => [key, path, may(c, permission)] as const
    ),
    ['settings', '/settings', ofOrganization],
  ]
}

function Navigation({
  setup,
  c,
  words,
  current,
}: {
  setup: Console
  c: Visit
  words: Words
  current: TextKey
}) {
  return (
    <nav aria-label={words.text('navigation')}>
      <ul>
        {pagesFor(setup, c).map(
          ([key, path, shown]) =>
            shown && (
              <li>
                <a href={pathIn(c, path)} aria-current={key === current ? 'page' : undefined}>
                  {words.text(key)}
                </a>
              </li>
            )
        )}
        {byOperator(c) && (
          <li>
            <a href={`${baseOf(c)}/platform`}>{words.text('platform')}</a>
          </li>
        )}
      </ul>
    </nav>
  )
}

/** Responds to a refusal with a page, or sends a person without a session to sign in. */
export function showRefusal(
  setup: Console,
  c: Context,
  refusal: Refusal
): Response | Promise<Response> {
  const { signInUrl = '/sign-in' } = setup.options
  if (refusal.code === 'unauthenticated') {
    const { leave } = (c as Visit).var
    if (leave) return leave()
    const { pathname, search } = new URL(c.req.url)
    const back = c.req.method === 'POST' ? homeOf(c) : pathname + search
    const mark = signInUrl.includes('?') ? '&' : '?'
    return c.redirect(`${signInUrl}${mark}return_to=${encodeURIComponent(back)}`, 303)
  }
  const words = wordsOf(c)
  for (const [name, value] of Object.entries(headersOf(refusal))) c.header(name, value)
  const organization = c.req.param('org')
  return showPage(setup, c, {
    words,
    title: words.refusal(refusal.code),
    status: statusOf(refusal.code),
    narrow: true,
    content: (
      <>
        <h1>{words.refusal(refusal.code)}</h1>
        <RefusalNotice refusal={refusal} words={words} />
        <p>
          {organization !== undefined && statusOf(refusal.code) !== 404 && (
            <>
              <Back to={pathIn(c, '/members')} words={words} />
              {' · '}
            </>
          )}
          <a href={homeOf(c)}>{words.text('home')}</a>
        </p>
      </>
    ),
  })
}
