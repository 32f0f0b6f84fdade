/** The JSON Schema of a DERP map. */

import { type FieldTable, HOME_FIELDS, MAP_FIELDS, type MapField, NODE_FIELDS, REGION_FIELDS } from './map-fields.ts'

/** A JSON Schema of the draft 2020-12. */
export function derpMapSchema(): object {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'DERP map',
    description: 'Lists DERP relays and how to reach them, as sent to clients by Tailscale and Headscale.',
    ...objectSchema(MAP_FIELDS),
    $defs: {
      home: objectSchema(HOME_FIELDS),
      region: { ...objectSchema(REGION_FIELDS), type: ['object', 'null'] },
      node: objectSchema(NODE_FIELDS),
      score: { type: 'number', exclusiveMinimum: 0 },
    },
  }
}

function objectSchema<T>(fields: FieldTable<T>): object {
  const entries = Object.entries<MapField>(fields)
  const required = entries.filter(([, { isRequired }]) => isRequired).map(([name]) => name)
  return {
    type: 'object',
    properties: Object.fromEntries(
      entries.map(([name, field]) => [name, { description: field.help, ...typeSchema(field) }]),
    ),
    ...(required.length > 0 && { required }),
    additionalProperties: false,
  }
}

function typeSchema(field: MapField): object {
  switch (field.kind) {
    case 'text':
      return { type: 'string' }
    case 'flag':
      return { type: 'boolean' }
    case 'integer':
    case 'number':
      return { type: field.kind, minimum: field.min, maximum: field.max }
    case 'object':
      return { $ref: `#/$defs/${field.of}` }
    case 'list':
      return { type: 'array', items: { $ref: `#/$defs/${field.of}` } }
    case 'byRegion':
      return {
        type: 'object',
        patternProperties: { '^[1-9][0-9]*$': { $ref: `#/$defs/${field.of}` } },
        additionalProperties: false,
      }
  }
}
