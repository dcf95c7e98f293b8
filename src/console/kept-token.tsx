import type { Context } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import { Field } from './elements.tsx'
import { attributesIn } from './outcome.ts'
import type { Routes } from './routes.ts'
import type { Words } from './texts/languages.ts'
import { baseOf, readFields } from './visit.ts'

const SECONDS = 1800

const nameOf = (page: string) => `seatgate_console_${page}`

/** Returns the token that the cookie of a page keeps. */
export function keptToken(c: Context, page: string): string | undefined {
  return getCookie(c, nameOf(page))
}

/** Removes the cookie of a page. */
export function forgetToken(c: Context, page: string): void {
  deleteCookie(c, nameOf(page), attributesIn(c, `${baseOf(c)}/${page}`))
}

/**
 * Adds the form that takes the token of a link. The token is in the fragment of the link: a script sends
 * it, or the person pastes the link. A cookie of the page keeps it while they sign in.
 */
export function keepTokens(routes: Routes, page: string): void {
  routes.open('POST', `/${page}`, async (c) => {
    const fields = await readFields(c)
    const [, token = ''] = /(?:#token=|#|^)([\w.~-]+)$/.exec(fields.get('token').trim()) ?? []
    const path = `${baseOf(c)}/${page}`
    setCookie(c, nameOf(page), token, { ...attributesIn(c, path), maxAge: SECONDS })
    return c.redirect(path, 303)
  })
}

/** The form to paste a link. */
export function PasteForm({ action, words }: { action: string; words: Words }) {
  return (
    <section aria-label={words.text('inv_paste')}>
      <form method="post" action={action} class="stack" data-invitation>
        <Field label={words.text('inv_link')} hint={words.text('inv_pasteHelp')}>
          <input name="token" required autocomplete="off" spellcheck={false} />
        </Field>
        <p>
          <button class="primary">{words.text('inv_show')}</button>
        </p>
      </form>
    </section>
  )
}

/** The form by which the script passes on a further link, while the page shows one. */
export function NextLink({ action, words }: { action: string; words: Words }) {
  return (
    <form method="post" action={action} data-invitation hidden>
      <input name="token" aria-label={words.text('inv_link')} />
    </form>
  )
}
