import { observed } from '../../engine/access/observed.ts'
import { checkOptionNames } from '../../base/names.ts'
import { guard } from '../../database/commit.ts'
import { organizations } from '../../database/schema/organizations-tables.ts'
import { withHook, type FoundingPlan } from '../../engine/model/plan.ts'
import { ask } from '../../engine/changes/ask-hooks.ts'
import type { HookContext } from '../../engine/model/hooks.ts'
import { organizationEvent } from '../../engine/audit/event.ts'
import { parseInput } from '../../base/input.ts'
import { claimAsFounder, newMembership } from '../../engine/model/membership.ts'
import type { AccessContext } from '../../engine/access/roles.ts'
import type { ChangeContext } from '../../engine/changes/change-context.ts'
import type { Operation } from '../../engine/changes/operation-definition.ts'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import { prepare, type Prepared } from '../../engine/changes/prepare-change.ts'
import {
  LIMIT_REFUSALS,
  invalid,
  ok,
  refused,
  type HookRefusal,
  type InputRefusal,
  type LimitRefusal,
  type Result,
  type StoreRefusal,
} from '../../base/result.ts'
import type { Runtime } from '../../base/runtime.ts'
import {
  checkCaller,
  isUser,
  requestInfoOf,
  type Principal,
  type Scope,
  type UserPrincipal,
} from '../../engine/access/principal.ts'
import { confinementOf } from '../../engine/access/organization-ref.ts'
import { createOrganizationInput, slugCandidates } from './organization-input.ts'
import { organizationView, type Organization } from '../../engine/model/organization.ts'
import { slugIsFree, slugsTaken, type SlugContext } from '../../engine/model/slug.ts'

/** Options of {@link createOrganization}. */
export interface CreateOrganizationOptions extends OperationOptions {
  /** Marks a user's personal workspace. Set by the host, never by input. Default false. */
  readonly personal?: boolean
}

/** The input of {@link createOrganization} and {@link prepareOrganization}. */
export interface CreateOrganizationInput {
  /** 1 to 160 characters on one line. */
  readonly name: string
  /** Default: generated from the name. */
  readonly slug?: string | null | undefined
}

/** Why {@link createOrganization} refuses. */
export type CreateOrganizationRefusal =
  | 'unauthenticated'
  | 'insufficient_role'
  | InputRefusal
  | HookRefusal
  | StoreRefusal
  | LimitRefusal
  | 'seats_unavailable'

/**
 * Creates an organization `{ name, slug? }`. The caller becomes its owner and takes the first seat, which
 * is counted and never refused. Without a slug one is generated from the name, with a suffix if it is
 * taken or reserved; a given slug is refused then. The session's active organization does not change.
 *
 * Refusals: `unauthenticated`, `insufficient_role` (of a caller who is no person), `InputRefusal` (on
 * `name` and `slug`, also for a slug that was sent and is taken), `HookRefusal`, `StoreRefusal`,
 * `LimitRefusal`, `seats_unavailable`.
 *
 * @example
 * ```ts
 * const created = await createOrganization(seatgate, { caller: { userId } }, { name: 'Acme' })
 * ```
 */
export async function createOrganization(
  context: ChangeContext & SlugContext,
  { caller, ...request }: Scope,
  input: CreateOrganizationInput,
  { personal = false, ...options }: CreateOrganizationOptions = {}
): Promise<Result<Organization, CreateOrganizationRefusal>> {
  return perform(
    context,
    { caller, ...requestInfoOf(request) },
    {
      ...creation(context, input, personal),
      ...(context.hooks.beforeCreateOrganization && {
        revise: async (founder) => {
          const draft = await askAboutDraft(context, input, founder)
          return draft.ok ? ok(creation(context, draft.value, personal)) : draft
        },
      }),
    },
    options
  )
}

/** Why {@link prepareOrganization} refuses. */
export type PrepareOrganizationRefusal =
  | 'insufficient_role'
  | InputRefusal
  | HookRefusal
  | 'seats_unavailable'

/**
 * Prepares an organization for a batch of the host, for example to register a user together with a
 * workspace. Sends no query to D1; the batch checks that the slug is free. Without a slug one is
 * generated from the name and six random letters.
 *
 * Refusals: `insufficient_role`, `InputRefusal`, `HookRefusal`, `seats_unavailable`; `commitTogether` answers a taken slug
 * and a `LimitRefusal`.
 *
 * @example
 * ```ts
 * const workspace = await prepareOrganization(seatgate, { caller: { userId } }, { name }, { personal: true })
 * if (workspace.ok) await commitTogether(seatgate, workspace.value, { before: [insertUser] })
 * ```
 */
export function prepareOrganization(
  context: ChangeContext & SlugContext,
  { caller, ...request }: Scope & { readonly caller: Principal },
  input: CreateOrganizationInput,
  options: { readonly personal?: boolean } = {}
): Promise<Result<Prepared<Organization>, PrepareOrganizationRefusal>> {
  return observed(context, 'organization.create.prepare', async (context) => {
    checkOptionNames('prepareOrganization', options, ['personal'])
    const { personal = false } = options
    checkCaller(caller)
    const draft = await askAboutDraft(context, input, caller)
    if (!draft.ok) return draft
    const read = readDraft(context, draft.value)
    if (!isUser(caller) || confinementOf(caller) !== undefined) {
      return refused({ code: 'insufficient_role' })
    }
    if (!read.ok) return read
    const now = context.now()
    const { name, slugs } = read.value
    // Taken slugs are unknown here; the last candidate is free because of its random letters.
    const slug = slugs.at(-1) ?? ''
    const plan = planCreation(context, { name, slug, personal }, caller, now, 'slug_taken')
    return prepare(context, { caller, ...requestInfoOf(request), now }, plan)
  })
}

function creation(
  context: SlugContext & AccessContext & Pick<Runtime, 'now' | 'newId'>,
  input: unknown,
  personal: boolean
) {
  const { db } = context
  const read = readDraft(context, input)
  const slugs = read.ok ? read.value.slugs : []
  return {
    name: 'organization.create',
    input,
    grows: true,
    refusals: [...LIMIT_REFUSALS, 'seats_unavailable'],
    queries: { taken: slugsTaken(db, slugs, context.now()) },
    plan({ rows }, caller, now) {
      if (!isUser(caller)) return refused({ code: 'insufficient_role' })
      if (!read.ok) return read
      const taken = new Set(rows.taken.map((row) => row.taken))
      const slug = slugs.find((candidate) => !taken.has(candidate))
      if (slug === undefined) return refused(invalid({ slug: ['This slug is already taken.'] }))
      const { name } = read.value
      return ok(planCreation(context, { name, slug, personal }, caller, now, 'stale'))
    },
  } satisfies Operation<{ taken: ReturnType<typeof slugsTaken> }, Organization>
}

/** A parsed draft: its name, and the candidates for its slug in the order of preference. */
interface Draft {
  readonly name: string
  readonly slugs: readonly string[]
}

function readDraft(context: SlugContext, input: unknown): Result<Draft, InputRefusal> {
  const parsed = parseInput(createOrganizationInput(context.slugs), input)
  if (!parsed.ok) return parsed
  const { name, slug } = parsed.value
  const slugs = slug == null ? slugCandidates(context, name) : [slug]
  if (slugs.length > 0) return ok({ name, slugs })
  return refused(invalid({ slug: ['Is required: no slug can be made from this name.'] }))
}

function planCreation(
  context: AccessContext & Pick<Runtime, 'newId'>,
  draft: { readonly name: string; readonly slug: string; readonly personal: boolean },
  founder: UserPrincipal,
  now: Date,
  whenTaken: 'stale' | 'slug_taken'
): FoundingPlan<Organization> {
  const { db, roles, newId } = context
  const { userId } = founder
  const organizationId = newId()
  const row = {
    id: organizationId,
    ...draft,
    ownerUserId: userId,
    enforceMfaForMembers: false,
    createdAt: now,
    updatedAt: now,
  }
  const organization = organizationView(row)
  return {
    value: organization,
    statements: [
      guard(db, whenTaken, slugIsFree(draft.slug, organizationId, now)),
      db.insert(organizations).values(row),
    ],
    claims: [
      claimAsFounder(
        db,
        newMembership(newId(), { organizationId, userId, role: roles.owner }, now)
      ),
    ],
    events: [
      withHook(
        organizationEvent(organizationId, 'organization.create'),
        'afterCreateOrganization',
        { organization }
      ),
    ],
  }
}

// The hook also receives drafts that are not valid. Its replacement is validated like any other draft.
async function askAboutDraft(
  context: HookContext,
  input: unknown,
  caller: Principal
): Promise<Result<unknown, HookRefusal>> {
  const draft = typeof input === 'object' && input !== null ? { ...input } : {}
  const { name, slug } = draft as { name?: unknown; slug?: unknown }
  const state = { draft: { name, slug }, caller }
  const answer = await ask(context, { hook: 'beforeCreateOrganization', state })
  return answer.ok ? ok(answer.value.draft ?? input) : answer
}
