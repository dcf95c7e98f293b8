import type { Context } from 'hono'
import type { Child, PropsWithChildren } from 'hono/jsx'
import type { Refusal, SeatsToFree } from '../base/result.ts'
import type { NamedUser } from '../engine/model/named-users.ts'
import { names } from '#console-assets'
import { refusalOf, type Outcome } from './outcome.ts'
import type { TextKey } from './texts/en.ts'
import type { Words } from './texts/languages.ts'

/** Returns the address of a script or style. */
export function assetUrl(base: string, name: string): string {
  return `${base}/assets/${names[name] ?? name}`
}

/** A name or an address that another person chose, as text with a direction of its own. */
export function Name({ children }: PropsWithChildren) {
  return <bdi>{children}</bdi>
}

/** A user, by name and address. */
export function Person({
  user,
  words,
}: {
  user: { readonly email: string; readonly name: string | null } | null
  words: Words
}) {
  if (user === null) return <>{words.text('unknownUser')}</>
  return <Named user={user} beside={user.name && <Name>{user.email}</Name>} />
}

/** A user of whom a page has the id: the name or the address if the host knows it, and the id. */
export function UserById({ id, users }: { id: string; users: readonly NamedUser[] }) {
  const user = users.find((one) => one.id === id)
  const code = <code>{id}</code>
  return user ? <Named user={user} beside={code} /> : code
}

function Named({
  user,
  beside,
}: {
  user: { readonly email: string; readonly name: string | null }
  beside: Child
}) {
  return (
    <>
      <Name>{user.name ?? user.email}</Name>
      {beside && <small>{beside}</small>}
    </>
  )
}

/** An instant, in UTC. */
export function Time({ at, words, day }: { at: string; words: Words; day?: boolean }) {
  return <time datetime={at}>{day ? words.day(at) : `${words.instant(at)} UTC`}</time>
}

/** An instant to come, with its distance. */
export function Deadline({ at, words, now }: { at: string; words: Words; now: Date }) {
  return (
    <>
      {words.distance(at, now)}{' '}
      <small>
        <Time at={at} words={words} />
      </small>
    </>
  )
}

/** A section with a heading of its own. */
export function Section({
  title,
  grave,
  id,
  children,
}: PropsWithChildren<{ title: string; id: string; grave?: boolean }>) {
  return (
    <section aria-labelledby={id} class={grave ? 'danger' : undefined}>
      <h2 id={id}>{title}</h2>
      {children}
    </section>
  )
}

/**
 * A table with its caption, or the text `empty` in place of one without rows. The first cell of a row is its
 * heading; cells beyond the heads are left out. On small screens a row is a card.
 */
export function Table({
  words,
  caption,
  head,
  rows,
  empty,
}: {
  words: Words
  caption: string
  head: readonly TextKey[]
  rows: readonly (readonly Child[])[]
  empty?: TextKey
}) {
  if (empty && rows.length === 0) return <Empty>{words.text(empty)}</Empty>
  const titles = head.map((key) => words.text(key))
  return (
    <div class="table cards">
      <table>
        <caption>{caption}</caption>
        <thead>
          <tr>
            {titles.map((title) => (
              <th scope="col">{title}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(([first, ...cells]) => (
            <tr>
              <th scope="row">{first}</th>
              {cells
                .slice(0, head.length - 1)
                .map((cell, index) =>
                  head[index + 1] === 'actions' ? (
                    <td class="act">{cell}</td>
                  ) : (
                    <td data-label={titles[index + 1]}>{cell}</td>
                  )
                )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** Facts by title. A fact without a value is left out. */
export function Facts({
  words,
  facts,
}: {
  words: Words
  facts: readonly (readonly [TextKey, Child])[]
}) {
  return (
    <dl>
      {facts.map(
        ([key, value]) =>
          value && (
            <div>
              <dt>{words.text(key)}</dt>
              <dd>{value}</dd>
            </div>
          )
      )}
    </dl>
  )
}

/** The field in which a person types a text to confirm an act. */
export function Confirm({ words, text }: { words: Words; text: Child }) {
  return (
    <Field label={words.say('typeToConfirm', { text })}>
      <input name="confirm" required autocomplete="off" spellcheck={false} />
    </Field>
  )
}

/** The link to the page before. */
export function Back({ to, words }: { to: string; words: Words }) {
  return <a href={to}>{words.text('back')}</a>
}

export function Empty({ children }: PropsWithChildren) {
  return <p class="empty">{children}</p>
}

/** The links to the next page of a list, and back to its first. */
export function Pages({
  c,
  path,
  next,
  query = {},
  words,
}: {
  c: Context
  path: string
  next: string | null
  query?: Readonly<Record<string, string | undefined>>
  words: Words
}) {
  const cursor = c.req.query('cursor')
  if (cursor === undefined && next === null) return null
  const to = (values: Readonly<Record<string, string | undefined>>) => {
    const set = Object.entries(values).filter((entry): entry is [string, string] => !!entry[1])
    return set.length > 0 ? `${path}?${new URLSearchParams(set).toString()}` : path
  }
  return (
    <p class="pages">
      {cursor !== undefined && <a href={to(query)}>{words.text('newest')}</a>}
      {next && (
        <a href={to({ ...query, cursor: next })} rel="next">
          {words.text('older')}
        </a>
      )}
    </p>
  )
}

/** A form that is sent to a path of the console. */
export function Form({
  action,
  operation,
  label,
  children,
}: PropsWithChildren<{ action: string; operation?: string; label?: string }>) {
  return (
    <form method="post" action={action} class="stack" aria-label={label}>
      {operation && <input type="hidden" name="operation" value={operation} />}
      {children}
    </form>
  )
}

export function Field({
  label,
  hint,
  children,
}: PropsWithChildren<{ label: Child; hint?: string }>) {
  return (
    <label class="field">
      <span>{label}</span>
      {hint && <small>{hint}</small>}
      {children}
    </label>
  )
}

/** A choice of roles. That of the row is in it and chosen, also if the person cannot give it. */
export function RoleSelect({
  roles,
  role,
  label,
}: {
  roles: readonly string[]
  role?: string | undefined
  label: string
}) {
  const all = role === undefined || roles.includes(role) ? roles : [role, ...roles]
  return (
    <Field label={label}>
      <select name="role">
        {all.map((one) => (
          <option value={one} selected={one === role}>
            {one}
          </option>
        ))}
      </select>
    </Field>
  )
}

/** A button, and the dialog that it opens; without scripts, too. */
export function Dialog({
  id,
  open,
  label,
  title,
  cancel,
  grave,
  children,
}: PropsWithChildren<{
  id: string
  open: string
  label: string
  title: Child
  cancel: string
  grave?: boolean
}>) {
  return (
    <>
      <button
        type="button"
        popovertarget={id}
        aria-label={label}
        class={grave ? 'grave' : undefined}
      >
        {open}
      </button>
      <dialog id={id} popover="auto" aria-labelledby={`${id}-title`}>
        <h2 id={`${id}-title`}>{title}</h2>
        {children}
        <p>
          <button type="button" popovertarget={id} popovertargetaction="hide">
            {cancel}
          </button>
        </p>
      </dialog>
    </>
  )
}

/** The element that a script of this name fills. Without scripts its content stays. */
export function Island({
  base,
  name,
  props,
  children,
}: PropsWithChildren<{ base: string; name: string; props: object }>) {
  return (
    <>
      <div data-island={name} data-props={JSON.stringify(props)}>
        {children}
      </div>
      <script type="module" src={assetUrl(base, 'islands.js')} />
    </>
  )
}

/** Returns the texts that a script shows, by key: those whose keys match. */
export function islandTexts(words: Words, keys: RegExp) {
  return Object.fromEntries(Object.entries(words.texts).filter(([key]) => keys.test(key)))
}

/** The outcome of the act before this page. */
export function OutcomeNotice({ outcome, words }: { outcome: Outcome | null; words: Words }) {
  if (outcome === null) return null
  const refusal = refusalOf(outcome)
  if (refusal) return <RefusalNotice refusal={refusal} words={words} />
  if (outcome.kind === 'refused') return null
  const isWrong = outcome.kind === 'wrong'
  const named = Object.entries(isWrong ? {} : outcome.values).map(
    ([name, value]) => [name, typeof value === 'string' ? <Name>{value}</Name> : value] as const
  )
  return (
    <div class={isWrong ? 'notice bad' : 'notice'} role={isWrong ? 'alert' : 'status'}>
      <p>{words.say(outcome.key as TextKey, Object.fromEntries(named))}</p>
    </div>
  )
}

/** A refusal: the reason, its details, and what would help. `users` are those whom it names by id. */
export function RefusalNotice({
  refusal,
  words,
  users = [],
}: {
  refusal: Refusal
  words: Words
  users?: readonly NamedUser[]
}) {
  const help = remedyOf(refusal, words)
  return (
    <div class="notice bad" role="alert" data-refusal={refusal.code}>
      <p>
        <strong>{words.refusal(refusal.code)}.</strong> {detailsOf(refusal, words)}
      </p>
      {help && <p>{help}</p>}
      {refusal.code === 'seats_in_use' && refusal.mustFree && (
        <MustFree mustFree={refusal.mustFree} users={users} words={words} />
      )}
    </div>
  )
}

/** Returns a refusal in one line: the reason, and its numbers or when to try again. */
export function refusalLine(refusal: Refusal, words: Words): string {
  const reason = words.refusal(refusal.code)
  const more = 'retryAfterSeconds' in refusal ? remedyOf(refusal, words) : numbersOf(refusal, words)
  return more === null ? reason : `${reason}: ${more}`
}

/** How many seats have to be free before a change, and who could leave. */
export function MustFree({
  mustFree: { seats, candidates, invitations },
  users,
  words,
}: {
  mustFree: SeatsToFree
  users: readonly NamedUser[]
  words: Words
}) {
  return (
    <>
      <p>{words.text('mustFree', { count: seats })}</p>
      <p>{words.text('mustFreeWho')}</p>
      <ul>
        {candidates.map(({ userId, role }) => (
          <li>
            <UserById id={userId} users={users} /> ({role})
          </li>
        ))}
        {invitations.map(({ email, role }) => (
          <li>
            <Name>{email}</Name> ({role}, {words.text('mustFreeInvited')})
          </li>
        ))}
      </ul>
    </>
  )
}

function detailsOf(refusal: Refusal, words: Words): Child {
  switch (refusal.code) {
    case 'validation_error': {
      const said = Object.entries(refusal.errors ?? {})
        .map(([field, messages]) => `${field}: ${messages.join(' ')}`)
        .join(' ')
      // The messages of the library are in English in each language.
      return <span lang="en">{said}</span>
    }
    case 'hook_refused':
      return <Name>{refusal.detail ?? refusal.reason}</Name>
    default:
      return numbersOf(refusal, words)
  }
}

function numbersOf(refusal: Refusal, words: Words): string | null {
  if (refusal.code !== 'seat_limit_reached' || refusal.limit === undefined) return null
  return words.text('usedOf', { used: refusal.used, limit: refusal.limit })
}

const RETRY = ['unavailable', 'operation_in_progress', 'seats_unavailable', 'provider_unavailable']
const CHANGED = ['not_pending', 'not_a_member', 'not_found', 'outdated_version', 'host_conflict']

function remedyOf(refusal: Refusal, words: Words): string | null {
  const { code } = refusal
  if ('retryAfterSeconds' in refusal) {
    return words.text('remedy_rate', { seconds: refusal.retryAfterSeconds })
  }
  const key = RETRY.includes(code) ? 'retry' : CHANGED.includes(code) ? 'changed' : code
  const text = words.word('remedy', key)
  return text === key ? null : text
}
