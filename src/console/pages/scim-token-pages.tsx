import { createScimToken } from '../../parts/scim/create-token.ts'
import { listScimTokens } from '../../parts/scim/list-tokens.ts'
import { revokeScimToken } from '../../parts/scim/revoke-token.ts'
import type { ScimToken } from '../../parts/scim/scim-token.ts'
import type { ScimContext } from '../../parts/scim/scim.ts'
import type { Seatgate } from '../../seatgate.ts'
import { Back, Dialog, Field, Form, Name, Section, Table, Time } from '../elements.tsx'
import { showOrganizationPage } from '../layout.tsx'
import type { Routes } from '../routes.ts'
import type { Words } from '../texts/languages.ts'
import {
  afterAct,
  granted,
  inOrganization,
  pathIn,
  readFields,
  type Console,
  type Visit,
} from '../visit.ts'

type Setup = Console & { seatgate: Seatgate & ScimContext }

/** The page of the tokens of an organization's identity provider. */
export function tokenPages(setup: Setup, routes: Routes): void {
  const { seatgate } = setup
  const all = (c: Visit) => pathIn(c, '/directory')

  routes.page('/org/:org/directory', async (c) => {
    const { data } = granted(await listScimTokens(seatgate, inOrganization(c)))
    return showOrganizationPage(setup, c, {
      key: 'directory',
      content: (words) => (
        <>
          {/* A token has an owner's rights. */}
          {c.var.role === seatgate.roles.owner && (
            <Section id="make" title={words.text('directoryMake')}>
              <p>{words.text('directoryHelp')}</p>
              <Form action={all(c)} operation={seatgate.newId()}>
                <Field label={words.text('directoryName')}>
                  <input name="name" maxlength={100} autocomplete="off" />
                </Field>
                <p>
                  <button class="primary">{words.text('directoryMake')}</button>
                </p>
              </Form>
            </Section>
          )}
          <section aria-label={words.text('directory')}>
            <Table
              empty="directoryNone"
              words={words}
              caption={words.text('directoryCount', { count: data.length })}
              head={['name', 'created', 'directoryUsed', 'expires', 'actions']}
              rows={data.map((token) => [
                <Name>{nameOf(token)}</Name>,
                <Time at={token.createdAt} words={words} />,
                timeOf(token.lastUsedAt, words),
                timeOf(token.expiresAt, words),
                <Revoke c={c} words={words} token={token} newId={seatgate.newId} />,
              ])}
            />
          </section>
        </>
      ),
    })
  })

  // Not a redirect: the token is shown in this response alone.
  routes.organizationForm('/org/:org/directory', async (c) => {
    const fields = await readFields(c)
    const name = fields.get('name').trim() || null
    const made = await createScimToken(seatgate, inOrganization(c), { name }, fields.options)
    const token = made.ok ? made.value.token : null
    if (token === null) return afterAct(c, made, all(c), 'directoryMade')
    return showOrganizationPage(setup, c, {
      key: 'directory',
      content: (words) => (
        <section aria-label={words.text('directory')}>
          <p role="status">{words.text('directoryOnce')}</p>
          <Field label={words.text('directoryToken')}>
            <input readonly value={token} />
          </Field>
          <p class="pages">
            <Back to={all(c)} words={words} />
          </p>
        </section>
      ),
    })
  })

  routes.act('/org/:org/directory/:id/revoke', all, 'directoryRevoked', (c) =>
    revokeScimToken(seatgate, inOrganization(c), c.req.param('id') ?? '')
  )
}

const nameOf = ({ id, name }: ScimToken) => name ?? id.slice(0, 8)

function timeOf(at: string | null, words: Words) {
  return at === null ? words.text('never') : <Time at={at} words={words} />
}

function Revoke({
  c,
  words,
  token,
  newId,
}: {
  c: Visit
  words: Words
  token: ScimToken
  newId: () => string
}) {
  const { id } = token
  const label = words.text('directoryRevoke', { name: nameOf(token) })
  return (
    <Dialog
      id={`revoke-${id}`}
      open={words.text('revoke')}
      label={label}
      title={words.say('directoryRevoke', { name: <Name>{nameOf(token)}</Name> })}
      cancel={words.text('cancel')}
      grave
    >
      <p>{words.text('directoryRevokeHelp')}</p>
      <Form action={pathIn(c, `/directory/${encodeURIComponent(id)}/revoke`)} operation={newId()}>
        <button class="grave">{words.text('revoke')}</button>
      </Form>
    </Dialog>
  )
}
