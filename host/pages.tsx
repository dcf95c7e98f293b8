/** @jsxImportSource hono/jsx */
/**
 * The host's own pages, in the look of the console: the first page, sign-in and sign-up. Their forms ask
 * the routes of the identity, so that each decision is there.
 *
 * @module
 */
import type { Context, Hono } from 'hono'
import { consoleRoutes } from '../src/console/routes.ts'
import { Field, RefusalNotice } from '../src/console/elements.tsx'
import { showPage } from '../src/console/layout.tsx'
import type { TextKey } from '../src/console/texts/en.ts'
import { readFields, wordsOf, type Console } from '../src/console/visit.ts'
import type { Refusal } from '../src/index.ts'
import { safeReturnPath } from '../src/hono/index.ts'
import { tokenOf } from './identity/sessions.ts'

/** The pages of the host, before those of the console. */
export function hostPages(setup: Console, identity: Hono) {
  return consoleRoutes(setup, (routes) => {
    routes.open('GET', '/', async (c, next) => {
      // The console answers callers with a session.
      if (tokenOf(c) !== null) return next()
      return showWelcome(setup, c)
    })
    routes.open('GET', '/sign-in', (c) => showForm(setup, c, 'signIn', null))
    routes.open('GET', '/sign-up', (c) => showForm(setup, c, 'signUp', null))
    routes.open('POST', '/sign-in', (c) => signIn(setup, identity, c, 'signIn'))
    routes.open('POST', '/sign-up', (c) => signIn(setup, identity, c, 'signUp'))
    routes.open('POST', '/sign-out', async (c) => {
      const answer = await asked(identity, c, '/identity/sign-out', {})
      passCookies(c, answer)
      return c.redirect('/', 303)
    })
  })
}

function showWelcome(setup: Console, c: Context) {
  const words = wordsOf(c)
  return showPage(setup, c, {
    words,
    title: 'Organizations and seats',
    anonymous: true,
    narrow: true,
    content: (
      <div lang="en">
        <h1>Organizations, seats and a trail that proves itself</h1>
        <p>
          This is the reference host of Seatgate: the library behind a small identity. Sign up,
          create an organization, invite somebody, and read what happened.
        </p>
        <p class="line">
          <a class="button primary" href="/sign-up">
            {words.text('signUp')}
          </a>
          <a class="button" href="/sign-in">
            {words.text('signIn')}
          </a>
        </p>
        <section aria-labelledby="api">
          <h2 id="api">The same by HTTP</h2>
          <ol>
            <li>
              <code>POST /identity/sign-up</code> with an <code>email</code> and a{' '}
              <code>password</code> answers a <code>token</code>, for{' '}
              <code>Authorization: Bearer</code>.
            </li>
            <li>
              <code>POST /organizations</code> with a <code>name</code> creates an organization.
            </li>
            <li>
              <code>GET /organizations/:org/seats</code>, <code>/members</code> and{' '}
              <code>/audit</code> show its state.
            </li>
          </ol>
          <p>
            <a href="/healthz">/healthz</a> tells whether the worker runs.
          </p>
        </section>
      </div>
    ),
  })
}

type Kind = 'signIn' | 'signUp'

const PATHS = { signIn: '/sign-in', signUp: '/sign-up' } as const

function showForm(
  setup: Console,
  c: Context,
  kind: Kind,
  refusal: Refusal | null,
  sent: { readonly email: string; readonly name: string; readonly back: string } = {
    email: '',
    name: '',
    back: c.req.query('return_to') ?? '/',
  }
) {
  const words = wordsOf(c)
  const other: TextKey = kind === 'signIn' ? 'signUp' : 'signIn'
  const isNew = kind === 'signUp'
  return showPage(setup, c, {
    words,
    title: words.text(kind),
    anonymous: true,
    narrow: true,
    status: refusal === null ? 200 : 422,
    content: (
      <>
        <h1>{words.text(kind)}</h1>
        {refusal && <RefusalNotice refusal={refusal} words={words} />}
        <section aria-label={words.text(kind)}>
          <form method="post" action={PATHS[kind]} class="stack">
            <input type="hidden" name="return_to" value={sent.back} />
            <Field label={words.text('address')}>
              <input
                name="email"
                type="email"
                required
                autocomplete="username"
                value={sent.email}
              />
            </Field>
            {isNew && (
              <Field label={words.text('name')}>
                <input name="name" autocomplete="name" value={sent.name} maxlength={255} />
              </Field>
            )}
            <Field label={words.text('password')}>
              <input
                name="password"
                type="password"
                required
                minlength={isNew ? 8 : undefined}
                autocomplete={isNew ? 'new-password' : 'current-password'}
              />
            </Field>
            <p class="line">
              <button class="primary">{words.text(kind)}</button>
              <a href={`${PATHS[other]}?return_to=${encodeURIComponent(sent.back)}`}>
                {words.text(other)}
              </a>
            </p>
          </form>
        </section>
      </>
    ),
  })
}

async function signIn(setup: Console, identity: Hono, c: Context, kind: Kind) {
  const fields = await readFields(c)
  const sent = {
    email: fields.get('email'),
    name: fields.get('name'),
    back: fields.get('return_to'),
  }
  const name = sent.name.trim()
  const answer = await asked(identity, c, `/identity${PATHS[kind]}`, {
    email: sent.email,
    password: fields.get('password'),
    ...(kind === 'signUp' && name !== '' && { name }),
  })
  if (!answer.ok) {
    return showForm(setup, c, kind, await answer.json<Refusal>(), sent)
  }
  passCookies(c, answer)
  return c.redirect(safeReturnPath(sent.back, new URL(c.req.url).origin), 303)
}

// With the headers that the identity decides by.
async function asked(identity: Hono, c: Context, path: string, body: object): Promise<Response> {
  const passed = ['cf-connecting-ip', 'cookie', 'origin', 'sec-fetch-site', 'user-agent']
  const headers = new Headers({ 'content-type': 'application/json' })
  for (const name of passed) {
    const value = c.req.header(name)
    if (value !== undefined) headers.set(name, value)
  }
  const url = new URL(path, c.req.url)
  return identity.fetch(new Request(url, { method: 'POST', headers, body: JSON.stringify(body) }))
}

function passCookies(c: Context, answer: Response): void {
  for (const cookie of answer.headers.getSetCookie())
    c.header('set-cookie', cookie, { append: true })
}
