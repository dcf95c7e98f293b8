/**
 * What the published schema of OCSF 1.8.0 says of the classes and objects in use: which attributes must be
 * there, of which at least one must, and which there are at all (those that are used here).
 *
 * @see https://schema.ocsf.io/1.8.0/categories/iam
 * @see https://schema.ocsf.io/1.8.0/objects
 * @see https://github.com/ocsf/ocsf-schema/tree/v1.8.0/objects
 * @module
 */

/** What every class requires. */
export const EVERY_CLASS =
  'activity_id category_uid class_uid metadata severity_id time type_uid'.split(' ')

/** What a class requires beside that, and its activities. */
export const CLASSES: Record<number, { required: string[]; activities: number[] }> = {
  3004: { required: ['entity'], activities: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 99] },
  3005: { required: ['user', 'privileges'], activities: [0, 1, 2, 99] },
  3006: { required: ['group'], activities: [0, 1, 2, 3, 4, 5, 6, 7, 8, 99] },
}

interface Shape {
  readonly required?: readonly string[]
  readonly atLeastOne?: readonly string[]
  readonly known: readonly string[]
  readonly enums?: Readonly<Record<string, readonly unknown[]>>
  /** Attributes that are objects in turn. */
  readonly inner?: Readonly<Record<string, string>>
}

const words = (text: string) => text.split(' ')

const OBJECTS: Record<string, Shape> = {
  event: {
    known: words(
      'activity_id activity_name actor category_name category_uid class_name class_uid entity group http_request message metadata privileges resources severity severity_id src_endpoint status status_id time type_name type_uid unmapped user'
    ),
    enums: { severity_id: [0, 1, 2, 3, 4, 5, 6, 99], status_id: [0, 1, 2, 99] },
    inner: {
      actor: 'actor',
      entity: 'managed_entity',
      group: 'group',
      http_request: 'http_request',
      metadata: 'metadata',
      resources: 'resource_details',
      src_endpoint: 'network_endpoint',
      user: 'user',
    },
  },
  metadata: {
    required: ['product', 'version'],
    known: words(
      'correlation_uid event_code log_name log_provider log_version logged_time original_time product sequence uid version'
    ),
    inner: { product: 'product' },
  },
  product: { atLeastOne: words('name uid'), known: words('name uid vendor_name version') },
  actor: {
    atLeastOne: words('process user invoked_by session app_name app_uid'),
    known: words('app_name app_uid user'),
    inner: { user: 'user' },
  },
  user: {
    atLeastOne: words('account name uid'),
    known: words('name type type_id uid'),
    enums: { type_id: [0, 1, 2, 3, 4, 99] },
  },
  group: { atLeastOne: words('name uid'), known: words('name type uid') },
  managed_entity: {
    atLeastOne: words('name uid device group org policy user'),
    known: words('name type uid'),
  },
  resource_details: { atLeastOne: words('name uid'), known: words('name type uid') },
  network_endpoint: {
    atLeastOne: words(
      'ip uid name hostname svc_name instance_uid interface_uid interface_name domain'
    ),
    known: ['ip'],
  },
  http_request: { known: ['user_agent'] },
}

/** What an event has that the schema does not allow; of what its class requires nothing is said. */
export function flaws(event: object): readonly string[] {
  return flawsOf('event', event)
}

function flawsOf(name: string, value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((each) => flawsOf(name, each))
  const { required = [], atLeastOne, known, enums = {}, inner = {} } = OBJECTS[name]!
  const attributes = Object.entries(value as object)
  const has = (attribute: string) => attributes.some(([each]) => each === attribute)
  return [
    ...required.filter((each) => !has(each)).map((each) => `${name} lacks ${each}`),
    ...(atLeastOne && !atLeastOne.some(has) ? [`${name} has none of ${atLeastOne.join(' ')}`] : []),
    ...attributes.flatMap(([attribute, found]) => {
      if (!known.includes(attribute)) return [`${name} knows no ${attribute}`]
      if (found === null || found === '') return [`${name}.${attribute} is empty`]
      const allowed = enums[attribute]
      if (allowed && !allowed.includes(found)) return [`${name}.${attribute} is no ${found}`]
      const object = inner[attribute]
      return object === undefined ? [] : flawsOf(object, found)
    }),
  ]
}
