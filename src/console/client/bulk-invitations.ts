import { element, labelled } from './element.ts'
import { fieldIn, filled, type IslandTexts } from './island-texts.ts'

interface Data {
  readonly texts: IslandTexts
  readonly url: string
  readonly roles: readonly string[]
}

interface Row {
  readonly email: string
  readonly invited: boolean
  readonly words: string
  readonly link?: string
}

// Small enough that the progress shows, large enough for few requests.
const AT_ONCE = 10

/** Invites many addresses, some at a time, and shows the outcome of each. */
export function bulkInvitations(root: HTMLElement, { texts, url, roles }: Data): void {
  const button = element('button', { class: 'primary' }, filled(texts['invite']))
  const options = roles.map((role) => element('option', { value: role }, role))
  const addresses = { name: 'addresses', rows: 4, required: true, spellcheck: 'false' }
  const progress = element('div', { role: 'status' })
  const outcomes = element('div')
  const form = element(
    'form',
    { class: 'stack' },
    labelled(filled(texts['inviteAddresses']), element('textarea', addresses)),
    element(
      'div',
      { class: 'line' },
      labelled(filled(texts['role']), element('select', { name: 'role' }, ...options)),
      button
    ),
    progress,
    outcomes
  )
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    void invite()
  })
  root.replaceChildren(form)

  async function invite(): Promise<void> {
    const fields = new FormData(form)
    const role = fieldIn(fields, 'role')
    const all = fieldIn(fields, 'addresses')
      .split(/[\s,;]+/)
      .filter((address) => address !== '')
    const done: Row[] = []
    button.disabled = true
    show(done, all.length)
    for (let from = 0; from < all.length; from += AT_ONCE) {
      done.push(...(await send(url, all.slice(from, from + AT_ONCE), role)))
      show(done, all.length)
    }
    button.disabled = false
  }

  function show(rows: readonly Row[], all: number): void {
    const invited = rows.filter((row) => row.invited).length
    const label = filled(texts['inviteMany'])
    progress.replaceChildren(
      element('progress', { max: all, value: rows.length, 'aria-label': label }),
      element(
        'p',
        {},
        rows.length < all
          ? filled(texts['invitesProgress'], { count: rows.length, all })
          : filled(texts['invitesOutcome'], { count: invited, all })
      )
    )
    outcomes.replaceChildren(...(rows.length > 0 ? [tableOf(rows, texts)] : []))
  }
}

function tableOf(rows: readonly Row[], texts: IslandTexts): HTMLElement {
  const titles = ['address', 'outcome', 'link'].map((key) =>
    element('th', { scope: 'col' }, filled(texts[key]))
  )
  const lines = rows.map(({ email, invited, words, link }) => {
    const label = `${filled(texts['link'])}: ${email}`
    const field = link && element('input', { readonly: true, value: link, 'aria-label': label })
    return element(
      'tr',
      {},
      element('th', { scope: 'row' }, element('bdi', {}, email)),
      element('td', { class: invited ? 'good' : 'bad' }, `${invited ? '✓' : '✗'} ${words}`),
      element('td', {}, field ?? '')
    )
  })
  const table = element(
    'table',
    {},
    element('caption', {}, filled(texts['outcome'])),
    element('thead', {}, element('tr', {}, ...titles)),
    element('tbody', {}, ...lines)
  )
  return element('div', { class: 'table' }, table)
}

async function send(
  url: string,
  addresses: readonly string[],
  role: string
): Promise<readonly Row[]> {
  const failed = (words: string) => addresses.map((email) => ({ email, invited: false, words }))
  try {
    const response = await fetch(url, {
      method: 'POST',
      redirect: 'error',
      headers: { accept: 'application/json' },
      body: new URLSearchParams({ addresses: addresses.join('\n'), role }),
    })
    const { rows, words } = (await response.json()) as { rows?: readonly Row[]; words?: string }
    return rows ?? failed(words ?? `HTTP ${response.status}`)
  } catch (error) {
    return failed(String(error))
  }
}
