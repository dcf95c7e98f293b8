/** Imports that break the rule of the floors today. The list may only shrink. */
export const KNOWN_ARROWS: readonly string[] = [
  'configuration.ts → operations/audit/host-event-rules.ts',
  'configuration.ts → operations/invitations/invitation-config.ts',
  'configuration.ts → operations/joining/join-rules.ts',
  'configuration.ts → parts/log/log.ts',
  'configuration.ts → parts/retention/retention-windows.ts',
  'options.ts → operations/invitations/invitation-config.ts',
  'options.ts → operations/joining/join-rules.ts',
  'options.ts → parts/retention/retention-windows.ts',
  'seatgate.ts → operations/audit/host-event-rules.ts',
  'seatgate.ts → operations/audit/list.ts',
  'seatgate.ts → operations/invitations/invitation-config.ts',
  'seatgate.ts → operations/joining/join-rules.ts',
  'seatgate.ts → parts/forwarding/forwarding.ts',
  'seatgate.ts → parts/log/log.ts',
  'seatgate.ts → parts/retention/retention-windows.ts',
]
