import { has } from '../engine/changes/part.ts'
import type { InvitationContext } from '../operations/invitations/invitation-config.ts'
import type { JoiningContext } from '../operations/joining/join-rules.ts'
import type { ForwardingContext } from '../parts/forwarding/forwarding.ts'
import type { LogContext } from '../parts/log/log.ts'

export const hasInvitations = has<Pick<InvitationContext, 'invitations'>>('invitations')
export const hasJoining = has<Pick<JoiningContext, 'joining'>>('joining')
export const hasForwarding = has<ForwardingContext>('forwarding')
export const hasLog = has<Pick<LogContext, 'log'>>('log')
