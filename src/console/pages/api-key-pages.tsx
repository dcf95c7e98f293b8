import type { Result } from '../../base/result.ts'
import { mayGive, type ApiKey, type ApiKeyWithSecret } from '../../parts/keys/api-key.ts'
import { createApiKey } from '../../parts/keys/create-key.ts'
import type { KeysContext } from '../../parts/keys/keys.ts'
import { listApiKeys } from '../../parts/keys/list-keys.ts'
import { revokeApiKey } from '../../parts/keys/revoke-key.ts'
import { rotateApiKey } from '../../parts/keys/rotate-key.ts'
import type { Seatgate } from '../../seatgate.ts'
import { Back, Dialog, Field, Form, Name, RoleSelect, Section, Table, Time } from '../elements.tsx'
import { showOrganizationPage } from '../layout.tsx'
import { RightField, rightsIn } from '../right-field.tsx'
import type { Routes } from '../routes.ts'
import type { Words } from '../texts/languages.ts'
import {
  afterAct,
  granted,
  inOrganization,
  instantIn,
  pathIn,
  readFields,
  type Console,
  type Fields,
  type Visit,
} from '../visit.ts'

type Setup = Console & { seatgate: Seatgate & KeysContext }

const KEYS = '/org/:org/api-keys'

/** The page of an organization's API keys. */
export function keyPages(setup: Setup, routes: Routes): void {
  const { seatgate } = setup
  const { roles } = seatgate
  const all = (c: Visit) => pathIn(c, '/api-keys')

  routes.page(KEYS, async (c) => {
    const { data } = granted(await listApiKeys(seatgate, inOrganization(c)))
    return showOrganizationPage(setup, c, {
      key: 'apiKeys',
      content: (words) => (
        <>
          <Section id="make" title={words.text('keyMake')}>
            <p>{words.text('keyHelp')}</p>
            <Form action={all(c)} operation={seatgate.newId()}>
              <Field label={words.text('keyName')}>
                <input name="name" required maxlength={100} autocomplete="off" />
              </Field>
              <Rights c={c} words={words} roles={roles} />
              <Field label={words.text('keyExpires')}>
                <input type="datetime-local" name="expires" />
              </Field>
              <label class="check">
                <input type="checkbox" name="ends" value="yes" /> {words.text('keyEnds')}
              </label>
              <p>
                <button class="primary">{words.text('keyMake')}</button>
              </p>
            </Form>
          </Section>
          <section aria-label={words.text('apiKeys')}>
            <Table
              empty="keysNone"
              words={words}
              caption={words.text('keysCount', { count: data.length })}
              head={['name', 'keyStart', 'keyRights', 'directoryUsed', 'expires', 'actions']}
              rows={data.map((key) => [
                <Name>{key.name}</Name>,
                <code>{key.start}</code>,
                key.role ?? key.permissions?.join(', '),
                timeOf(key.lastUsedAt, words),
                timeOf(key.expiresAt, words),
                <Manage c={c} words={words} apiKey={key} newId={seatgate.newId} />,
              ])}
            />
          </section>
        </>
      ),
    })
  })

  routes.organizationForm(KEYS, async (c) => {
    const fields = await readFields(c)
    const input = {
      name: fields.get('name').trim(),
      ...grantIn(fields, roles),
      expiresAt: instantIn(fields.get('expires')) || null,
      endsWithCreator: fields.get('ends') !== '',
    }
    const made = await createApiKey(seatgate, inOrganization(c), input, fields.options)
    return showKey(setup, c, made, all(c))
  })

  routes.organizationForm(`${KEYS}/:id/rotate`, async (c) => {
    const fields = await readFields(c)
    const input = { overlapHours: Number(fields.get('hours') || Number.NaN) }
    const id = c.req.param('id') ?? ''
    const made = await rotateApiKey(seatgate, inOrganization(c), id, input, fields.options)
    return showKey(setup, c, made, all(c))
  })

  routes.act(`${KEYS}/:id/revoke`, all, 'keyRevoked', (c, { options }) =>
    revokeApiKey(seatgate, inOrganization(c), c.req.param('id') ?? '', options)
  )
}

// Not a redirect: the key is shown in this response alone.
function showKey(setup: Setup, c: Visit, made: Result<ApiKeyWithSecret>, to: string) {
  const key = made.ok ? made.value.key : null
  if (key === null) return afterAct(c, made, to, 'keyMade')
  return showOrganizationPage(setup, c, {
    key: 'apiKeys',
    content: (words) => (
      <section aria-label={words.text('apiKeys')}>
        <p role="status">{words.text('keyOnce')}</p>
        <Field label={words.text('keyText')}>
          <input readonly value={key} />
        </Field>
        <p class="pages">
          <Back to={to} words={words} />
        </p>
      </section>
    ),
  })
}

function grantIn(fields: Fields, { bounded, permissions }: Setup['seatgate']['roles']) {
  if (!bounded) return { role: fields.get('role') }
  return { permissions: rightsIn(fields, permissions) }
}

/** The rights that the person can give. */
function Rights({
  c,
  words,
  roles,
}: {
  c: Visit
  words: Words
  roles: Setup['seatgate']['roles']
}) {
  const own: readonly string[] = c.var.permissions
  if (!roles.bounded) {
    const given = roles.all.filter((role) => role !== roles.owner && mayGive(roles, own, role))
    return <RoleSelect label={words.text('role')} roles={given.toReversed()} />
  }
  return (
    <fieldset>
      <legend>{words.text('keyRights')}</legend>
      {roles.permissions
        .filter((each) => own.includes(each))
        .map((each) => (
          <RightField right={each} />
        ))}
    </fieldset>
  )
}

function timeOf(at: string | null, words: Words) {
  return at === null ? words.text('never') : <Time at={at} words={words} />
}

function Manage({
  c,
  words,
  apiKey: { id, name, replacedById },
  newId,
}: {
  c: Visit
  words: Words
  apiKey: ApiKey
  newId: () => string
}) {
  const path = pathIn(c, `/api-keys/${encodeURIComponent(id)}`)
  const cancel = words.text('cancel')
  return (
    <>
      {replacedById === null ? (
        <Dialog
          id={`rotate-${id}`}
          open={words.text('keyRotateDo')}
          label={words.text('keyRotate', { name })}
          title={words.say('keyRotate', { name: <Name>{name}</Name> })}
          cancel={cancel}
        >
          <Form action={`${path}/rotate`} operation={newId()}>
            <Field label={words.text('keyOverlap')}>
              <input type="number" name="hours" min={0} max={168} value={24} required />
            </Field>
            <button class="primary">{words.text('keyRotateDo')}</button>
          </Form>
        </Dialog>
      ) : (
        <span class="badge">{words.text('keyReplaced')}</span>
      )}{' '}
      <Dialog
        id={`revoke-${id}`}
        open={words.text('revoke')}
        label={words.text('keyRevoke', { name })}
        title={words.say('keyRevoke', { name: <Name>{name}</Name> })}
        cancel={cancel}
        grave
      >
        <p>{words.text('keyRevokeHelp')}</p>
        <Form action={`${path}/revoke`} operation={newId()}>
          <button class="grave">{words.text('revoke')}</button>
        </Form>
      </Dialog>
    </>
  )
}
