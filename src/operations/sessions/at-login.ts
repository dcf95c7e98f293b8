import { checkOptionNames } from '../../base/names.ts'
import type { Runtime } from '../../base/runtime.ts'
import type { Session } from '../../engine/access/principal.ts'
import { selectActiveOrganization } from './select.ts'
import type { SessionStoreContext } from '../../engine/model/session-store.ts'

/**
 * Sets the active organization of a new session: the user's only one, or the one they worked in before.
 * Leaves it unset with no or several organizations. A failure is reported and does not prevent the login.
 *
 * @example
 * ```ts
 * const session = await activateAtLogin(seatgate, userId, { id: tokenHash, activeOrganizationId: null })
 * ```
 */
export async function activateAtLogin(
  seatgate: SessionStoreContext & Pick<Runtime, 'report'>,
  userId: string,
  session: Session,
  options: { readonly previous?: string | null } = {}
): Promise<Session> {
  checkOptionNames('activateAtLogin', options, ['previous'])
  const { db, sessions, report } = seatgate
  if (sessions === null) return session
  try {
    const selection = await selectActiveOrganization(seatgate, userId, options)
    if (selection.kind !== 'one') return session
    const moved = await sessions.updateActiveOrganization(db, session, selection.organization.id)
    return moved.ok ? moved.value : session
  } catch (error) {
    report({ event: 'activation_at_login_failed', error })
    return session
  }
}
