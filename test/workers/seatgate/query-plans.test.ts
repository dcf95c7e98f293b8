/**
 * The plans of every statement that the library sends: no scan of a table, no sort, and no range that is
 * wider than what is asked for. Plans alone do not say how many rows they read: `row-growth.test.ts`
 * counts them.
 *
 * @module
 */
import { beforeAll, describe, expect, it } from 'vitest'
import { operationsOn } from '../../../bench/operations.ts'
import { sweepBilling } from '../../../src/parts/billing/index.ts'
import { seatgateRouter } from '../../../src/hono/index.ts'
import {
  erasePersonalData,
  generateLogKey,
  sealOrganization,
  type LifecycleHook,
  listMembers,
} from '../../../src/index.ts'
import { auditQueueHandler, sweepHandler } from '../../../src/worker/index.ts'
import {
  active,
  connected,
  createKeysKit,
  createScimKit,
  keyOf,
  newOrganization,
  actingAs,
  createKit,
  impersonating,
  isStaff,
  patch,
  pushedOrganization,
  byName,
  clientOf,
  enforcing,
  EVERY_CHANGE,
  kitWithHooks,
  largeOrganization,
  mailbox,
  newTeam,
  testEnv,
  type Provider,
} from '../../kit/index.ts'
import { application, configured, dev } from '../../kit/openapi-application.ts'
import {
  judgePlans,
  rangeOf,
  readUniqueKeys,
  statementRecorder,
  type PlanException,
  type Step,
} from '../../kit/statement-plans.ts'
import { converse } from '../openapi/conversation.ts'
import { recorder } from '../openapi/recorder.ts'
import { RANGES } from './ranges.ts'

const { around, sent, readSteps } = statementRecorder()

const { privateKey } = await generateLogKey('audit.example.com')
const onDelete: LifecycleHook = (statements) => ({ ok: true, statements })

function kitOf(provider: Provider) {
  return kitWithHooks({
    provider,
    around,
    lifecycle: { onDelete },
    ...mailbox().options,
    auditLogKey: privateKey,
    sinks: [{ id: 'sink', deliver: async () => ({ outcome: 'delivered' }) }],
    retention: [{ days: 1 }],
    archive: testEnv.TEST_BUCKET,
  })
}

async function makeEveryChange(provider: Provider): Promise<void> {
  for (const { act } of EVERY_CHANGE) {
    const team = await newTeam(provider)
    const kit = kitOf(provider)
    await act(kit.seatgate, team)
    await kit.settled()
  }
}

async function measureOperations(provider: Provider): Promise<void> {
  const kit = kitOf(provider)
  for (const act of Object.values(await operationsOn(kit, 10))) {
    await act()
    await kit.settled()
  }
  await auditQueueHandler(kit.seatgate)({
    messages: kit.wakeUps.map((body) => ({ body, ack: () => {}, retry: () => {} })),
  } as never)
  await sweepHandler(kit.seatgate)()
}

const FILTERS = [
  'actor_id=ada',
  'effective_user_id=ada',
  'action=test.event',
  'action_prefix=test.',
  'outcome=failure',
  'target_type=user',
  'target_id=ada',
  'request_id=ray',
  'trace_id=trace',
  'from=2026-01-01T00:00:00Z',
  'to=2026-01-01T00:00:00Z',
]
const REQUIRED: Readonly<Record<string, string>> = {
  '/organizations/:org/audit/seats': 'at=2026-06-30T00:00:00Z',
  '/organizations/:org/audit/proof': 'sequence=1',
  '/organizations/:org/audit/consistency': 'from=1&to=2',
}

async function readEveryRoute(provider: Provider): Promise<void> {
  const kit = kitOf(provider)
  const { seatgate } = kit
  const router = seatgateRouter(seatgate as never, { authenticate: byName, signIn: async () => '' })
  const client = clientOf((url, init) => router.request(url, init))
  const { id, owner } = await largeOrganization(kit, 10)
  await sealOrganization(seatgate, id)
  const routes = new Set(
    router.routes.filter(({ method }) => method === 'GET').map(({ path }) => path)
  )
  for (const route of routes) {
    const path = route.replace(':org', id).replace(':userId', owner).replace(':sink', 'sink')
    const queries = [REQUIRED[route] ?? '']
    if (/\/audit(\/count|\/export)?$|\/(events|platform)/.test(route)) {
      queries.push(...FILTERS, 'order=oldest&limit=5')
    }
    if (route.endsWith('/members')) queries.push('search=a')
    for (const token of [`user:${owner}`, `operator:${owner}`]) {
      for (const query of queries) {
        const answer = await client.get(`${path}?${query}`, token)
        await answer.arrayBuffer()
      }
    }
  }
  await kit.settled()
}

/** Sends each request that is granted, and runs the sweeps. */
async function useParts(): Promise<void> {
  await converse(recorder(application({ around }), { refusals: false }))
  const seatgate = configured({ around })
  await sweepHandler(seatgate)()
  await sweepBilling({ ...seatgate, connection: dev.connection })
  await pushUsers()
  await actWithKey()
  await actAsUser()
  await bill()
}

async function actWithKey(): Promise<void> {
  const kit = createKeysKit({ around })
  const organization = await newOrganization(kit)
  const { key } = await keyOf(kit, organization)
  await kit.client.get(`/organizations/${organization.id}`, key)
  await erasePersonalData(kit.seatgate, { caller: { type: 'system' } }, organization.owner)
}

async function actAsUser(): Promise<void> {
  const part = impersonating.impersonation({ isOperator: isStaff })
  const kit = createKit({ around, impersonation: part })
  const organization = await newOrganization(kit)
  const { caller } = await actingAs({ ...kit.seatgate, impersonation: part }, organization)
  await listMembers(kit.seatgate, { caller, organization: organization.id })
}

async function bill(): Promise<void> {
  const handlers = [{ name: 'ledger', handle: async () => {} }]
  const test = connected({ around, connection: { handlers } })
  const organization = await test.subscribed(3)
  await test.ask(organization.owner, 'PUT', `/organizations/${organization.id}/billing/seats`, {
    seats: 5,
  })
  await test.deliverAll()
  await sweepBilling(test.context)
}

async function pushUsers(): Promise<void> {
  const kit = createScimKit({ provider: 'd1', around })
  const organization = await pushedOrganization(kit, 50)
  const { id } = await organization.push('ada', { externalId: 'e1' })
  const filters = ['userName eq "ada"', 'externalId eq "e1"', 'emails.value eq "ada@x.example"']
  for (const filter of filters) await organization.ask('GET', `/Users?filter=${filter}`)
  await organization.ask('GET', '/Users?startIndex=1&count=5')
  const path = `/Users/${id}`
  await organization.ask('GET', path)
  await organization.ask('PATCH', path, patch({ op: 'replace', path: 'title', value: 'Lead' }))
  await organization.ask('PATCH', path, active(false))
  await organization.ask('PATCH', path, active(true))
  await organization.ask('DELETE', path)
}

/** Indexes that are there for their uniqueness alone. */
const CONSTRAINTS = [
  'seatgate_billing_users_customer',
  'seatgate_scim_users_user',
  'seatgate_groups_external_id',
]

const EXCEPTIONS: readonly PlanException[] = [
  {
    step: /^USE TEMP B-TREE FOR DISTINCT$/,
    text: /select distinct g\.role/,
    because: 'names each role of the groups of one member one time',
  },
  {
    step: /^USE TEMP B-TREE FOR GROUP BY$/,
    text: /from seatgate_audit_personal where user_id = \?\s+union all/,
    because: 'counts what one user has left, all of which is erased',
  },
  {
    step: /^USE TEMP B-TREE FOR ORDER BY$/,
    text: /^select .* from "seatgate_scim_users" .* named\.email = \?/s,
    because: 'sorts the users with one address',
  },
  {
    step: /^SCAN seatgate_schema$/,
    text: /^select "id", "version", "compatible_from" from "seatgate_schema"$/,
    because: 'the table has one row',
  },
  {
    step: /^USE TEMP B-TREE FOR (?:LAST TERM OF )?ORDER BY$/,
    text: /"seatgate_audit_events"[^]*seatgate_audit_lookups as noted\s+cross join json_each/,
    because: 'sorts a page from each of three places, and the sequences of one noted row',
  },
  {
    step: /^USE TEMP B-TREE FOR ORDER BY$/,
    text: /^insert into "seatgate_audit_events".* row_number\(\) over/s,
    because: 'numbers the events of its own batch',
  },
  {
    step: /^USE TEMP B-TREE FOR ORDER BY$/,
    text: /^select .* from "seatgate_memberships" inner join .* order by "seatgate_organizations"."created_at"/s,
    because: 'sorts the organizations of one user, all of which it returns',
  },
  {
    step: /^SCAN (?:seatgate_organizations|trail)$|^USE TEMP B-TREE FOR ORDER BY$/,
    text: /as trail\s+cross join/,
    because: 'an operator asks for a user in all trails: docs/operators.md says what it reads',
  },
  {
    step: /^SCAN (?:place|head|gone|told|seats)$|^USE TEMP B-TREE FOR (?:ORDER|GROUP) BY$/,
    text: /with place\(place_id\) as materialized/,
    because: 'computes the seats of the past from the trail up to then, as docs/seats.md says',
  },
  {
    step: /^SCAN edge$/,
    text: /with recursive edge\(level, size\)/,
    because: 'one row for each level of a tree',
  },
  {
    step: /^SCAN present$/,
    text: /counted_active/,
    because: 'one row; the sweep verifies one organization with it',
  },
  {
    step: /^SCAN (?:next|seatgate_join_requests USING INDEX seatgate_join_requests_tried|seatgate_organizations)$/,
    text: /limit \?/,
    because:
      'a rotation of the sweep or a page of all organizations reads up to its limit, in order of an index',
  },
  {
    step: /^SCAN compared$/,
    text: /from \(?[^]*limit \d+|limit \?/,
    because: 'the sweep compares the trails of as many organizations as its limit says',
  },
  {
    step: /^USE TEMP B-TREE FOR ORDER BY$/,
    text: /^select "seat_id", "expires_at", "updated_at" from "seatgate_invitations" .* order by "seatgate_invitations"."seat_id"/s,
    because: 'a ledger starts: it reads all seats of its organization, once',
  },
]

describe('the plans of all statements', () => {
  let steps: readonly Step[] = []
  beforeAll(async () => {
    for (const provider of enforcing) {
      await makeEveryChange(provider)
      await measureOperations(provider)
      await readEveryRoute(provider)
    }
    await useParts()
    steps = await readSteps()
  })

  it('are those of several hundred texts', () => {
    expect(sent.size).toBeGreaterThan(250)
  })

  it('scan no table and sort no rows', () => {
    expect(judgePlans(steps, EXCEPTIONS).wrong).toEqual([])
  })

  it('search only ranges that have a bound', async () => {
    const keys = await readUniqueKeys()
    const ranges = new Set(steps.flatMap((step) => rangeOf(step, keys) ?? []))
    ranges.delete('users (email=?)')
    ranges.delete('users (id=?)')
    expect([...ranges].toSorted()).toEqual(Object.keys(RANGES).toSorted())
  })

  it('use every index', async () => {
    const { results } = await testEnv.DB.prepare(
      "SELECT name FROM sqlite_master WHERE type = 'index' AND name LIKE 'seatgate_%'"
    ).all<{ name: string }>()
    const used = new Set(steps.flatMap(({ detail }) => detail.match(/seatgate_\w+/g) ?? []))
    const unused = results.map(({ name }) => name).filter((name) => !used.has(name))
    expect(unused.toSorted()).toEqual(CONSTRAINTS.toSorted())
  })

  it('need each of the exceptions', () => {
    expect(judgePlans(steps, EXCEPTIONS).needless).toEqual([])
  })
})
