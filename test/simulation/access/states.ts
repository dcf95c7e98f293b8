/** What a run of histories with every way in must have reached. */
export const ACCESS_STATES: ReadonlySet<string> = new Set([
  'a link was used up',
  'several came by a link at once',
  'a link ended with the rights of its creator',
  'a key changed something',
  'a key ended with the rights of its creator',
  'a key had ended',
  'a token had ended',
  'a pushed user was put out',
  'a pushed user waited',
  'a limit of a user refused',
  'a seat of a type was refused',
])
