import { useState } from 'hono/jsx/dom'
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
export function BulkInvitations({ texts, url, roles }: Data) {
  const [rows, setRows] = useState<readonly Row[]>([])
  const [all, setAll] = useState(0)
  const running = all > rows.length

  const invite = async (event: Event) => {
    event.preventDefault()
    const form = event.target as HTMLFormElement
    const fields = new FormData(form)
    const role = fieldIn(fields, 'role')
    const addresses = fieldIn(fields, 'addresses')
      .split(/[\s,;]+/)
      .filter((address) => address !== '')
    setAll(addresses.length)
    let done: readonly Row[] = []
    setRows(done)
    for (let from = 0; from < addresses.length; from += AT_ONCE) {
      const some = addresses.slice(from, from + AT_ONCE)
      done = [...done, ...(await send(url, some, role))]
      setRows(done)
    }
  }

  return (
    <form class="stack" onSubmit={(event: Event) => void invite(event)}>
      <label class="field">
        <span>{texts['inviteAddresses']}</span>
        <textarea name="addresses" rows={4} required spellcheck={false} />
      </label>
      <div class="line">
        <label class="field">
          <span>{texts['role']}</span>
          <select name="role">
            {roles.map((role) => (
              <option value={role}>{role}</option>
            ))}
          </select>
        </label>
        <button class="primary" disabled={running}>
          {texts['invite']}
        </button>
      </div>
      <div role="status">
        {all > 0 && (
          <>
            <progress max={all} value={rows.length} aria-label={texts['inviteMany']} />
            <p>
              {running
                ? filled(texts['invitesProgress'], { count: rows.length, all })
                : filled(texts['invitesOutcome'], {
                    count: rows.filter(({ invited }) => invited).length,
                    all,
                  })}
            </p>
          </>
        )}
      </div>
      {rows.length > 0 && <Outcomes rows={rows} texts={texts} />}
    </form>
  )
}

function Outcomes({ rows, texts }: { rows: readonly Row[]; texts: IslandTexts }) {
  return (
    <div class="table">
      <table>
        <caption>{texts['outcome']}</caption>
        <thead>
          <tr>
            <th scope="col">{texts['address']}</th>
            <th scope="col">{texts['outcome']}</th>
            <th scope="col">{texts['link']}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ email, invited, words, link }) => (
            <tr>
              <th scope="row">
                <bdi>{email}</bdi>
              </th>
              <td class={invited ? 'good' : 'bad'}>
                {invited ? '✓' : '✗'} {words}
              </td>
              <td>
                {link && <input readonly value={link} aria-label={`${texts['link']}: ${email}`} />}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
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
