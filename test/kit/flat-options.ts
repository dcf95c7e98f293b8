import {
  createSeatgate,
  invitations,
  type InvitationOptions,
  type InvitationRules,
  type JoinRules,
  type Seatgate,
  type SeatgateOptions,
} from '../../src/index.ts'

/**
 * The options of `createSeatgate` under flat names: the vocabulary of the tests. This file alone knows
 * to which part each belongs.
 */
export interface FlatOptions extends Omit<SeatgateOptions, 'invitations'> {
  readonly secret?: string
  readonly mailer?: InvitationOptions['mailer']
  readonly invitationUrl?: InvitationOptions['url']
  readonly invitationTtlSeconds?: number
  readonly invitationsHoldSeats?: boolean
  readonly invitationsOutliveInviter?: boolean
  readonly invitationRetentionDays?: number
  readonly invitationLimits?: InvitationOptions['limits']
  readonly registerUser?: InvitationOptions['registerUser']
}

/** A configuration that has every part, for the compiler: a test knows which it has. */
export type FullSeatgate = Seatgate<
  string,
  { readonly invitations: InvitationRules; readonly joining: JoinRules }
>

/** Groups flat options. Without a secret there are no invitations. */
function grouped({
  secret,
  mailer,
  invitationUrl,
  invitationTtlSeconds,
  invitationsHoldSeats,
  invitationsOutliveInviter,
  invitationRetentionDays,
  invitationLimits,
  registerUser,
  ...rest
}: FlatOptions): SeatgateOptions {
  const options = {
    secret,
    mailer,
    url: invitationUrl,
    ttlSeconds: invitationTtlSeconds,
    holdSeats: invitationsHoldSeats,
    outliveInviter: invitationsOutliveInviter,
    retentionDays: invitationRetentionDays,
    limits: invitationLimits,
    registerUser,
  }
  return {
    ...rest,
    ...(secret !== undefined && { invitations: invitations(options as InvitationOptions) }),
  }
}

/** `createSeatgate` for flat options. */
export function createFlat(options: FlatOptions): FullSeatgate {
  return createSeatgate(grouped(options)) as FullSeatgate
}
