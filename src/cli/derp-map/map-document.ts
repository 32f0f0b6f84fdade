/** Reads a DERP map from JSON, HuJSON, a Tailscale policy file or Headscale YAML; the content decides which. */

import {
  findNodeAtLocation,
  getNodeValue,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser'
import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml'
import { findMap } from '../../derpmap/lint/find-map.ts'
import type { LintIssue, MapPath } from '../../derpmap/lint/issue.ts'
import type { MapFormat } from '../../derpmap/lint/view.ts'

/** A position in a text; both numbers start at 1. */
export interface TextPlace {
  readonly line: number
  readonly column: number
}

/** A parsed document. */
export interface MapDocument {
  readonly format: MapFormat
  /** The map; undefined when there is none, see {@link issues}. */
  readonly value: unknown
  /** Path of the map within the document. */
  readonly path: MapPath
  /** Issues of the text itself. */
  readonly issues: readonly LintIssue[]
  /** Position of a path; of the nearest parent if it is missing. */
  readonly placeOf: (path: MapPath) => TextPlace | undefined
}

const BYTE_ORDER_MARK = '\ufeff'

export function readMapDocument(text: string): MapDocument {
  const bare = text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text
  const parsed = looksLikeJson(bare) ? readJson(bare) : readYaml(bare)
  const mark = bare === text ? [] : [BYTE_ORDER_MARK_ISSUE]
  const issues = [...mark, ...parsed.issues]
  if (issues.some(({ severity }) => severity === 'error')) return { ...parsed, value: undefined, path: [], issues }
  const found = findMap(parsed.value)
  if ('missing' in found) {
    const none: LintIssue = { severity: 'error', rule: 'map-missing', path: [], ...found.missing }
    return { ...parsed, value: undefined, path: [], issues: [...issues, none] }
  }
  const format = found.isPolicy && parsed.format === 'json' ? 'policy' : parsed.format
  const relaxed = format === 'json' && parsed.isRelaxed ? [RELAXED_ISSUE] : []
  return { ...parsed, format, value: found.value, path: found.path, issues: [...issues, ...relaxed] }
}

type Parsed = Omit<MapDocument, 'path'> & {
  /** Whether only a relaxed JSON parser accepts it. */
  readonly isRelaxed: boolean
}

const BYTE_ORDER_MARK_ISSUE: LintIssue = {
  severity: 'warning',
  rule: 'byte-order-mark',
  path: [],
  message: 'the text starts with a byte order mark, which JSON parsers reject',
  fix: 'save it as UTF-8 without a byte order mark',
}

const RELAXED_ISSUE: LintIssue = {
  severity: 'warning',
  rule: 'relaxed-json',
  path: [],
  message: 'comments or trailing commas are valid in policy files only',
  fix: 'remove them, or run "derp map convert --for json"',
}

/** JSON starts with a brace or a `//` comment; comments of YAML differ. */
function looksLikeJson(text: string): boolean {
  return /^\s*(?:[{[]|\/[/*])/.test(text)
}

function readJson(text: string): Parsed {
  const faults: ParseError[] = []
  const root = parseTree(text, faults, { allowTrailingComma: true })
  const places = new TextPlaces(text)
  const format = 'json'
  const placeOf = (path: MapPath) => places.at(nodeAt(root, path)?.offset)
  const [fault] = faults
  if (fault !== undefined || root === undefined) {
    const { line, column } = places.at(fault?.offset ?? 0)
    const what = fault === undefined ? 'the text is empty' : `not JSON: ${words(printParseErrorCode(fault.error))}`
    const issue = syntaxIssue(`${what} at line ${line}, column ${column}`)
    return { format, value: undefined, issues: [issue], placeOf: () => ({ line, column }), isRelaxed: false }
  }
  return { format, value: getNodeValue(root), issues: duplicateKeys(root, []), placeOf, isRelaxed: !isStrict(text) }
}

function isStrict(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** `PropertyNameExpected` as `property name expected`. */
function words(code: string): string {
  return code.replaceAll(/(?<=[a-z])[A-Z]/g, letter => ` ${letter.toLowerCase()}`).toLowerCase()
}

/** The node of a path, or its nearest parent; for members, the key. */
function nodeAt(root: Node | undefined, path: MapPath): Node | undefined {
  if (root === undefined) return undefined
  for (let length = path.length; length > 0; length--) {
    const node = findNodeAtLocation(root, path.slice(0, length))
    if (node !== undefined) return node.parent?.type === 'property' ? node.parent : node
  }
  return root
}

/** Parsers silently keep the last of equal keys. */
function duplicateKeys(node: Node, path: MapPath): LintIssue[] {
  if (node.type === 'array') return (node.children ?? []).flatMap((child, at) => duplicateKeys(child, [...path, at]))
  if (node.type !== 'object') return []
  const seen = new Set<string>()
  return (node.children ?? []).flatMap(({ children: [key, value] = [] }) => {
    const name = String(key?.value)
    const place = [...path, name]
    const issues = seen.has(name) ? [duplicateIssue(place, name)] : []
    seen.add(name)
    return value === undefined ? issues : [...issues, ...duplicateKeys(value, place)]
  })
}

function duplicateIssue(path: MapPath, name: string): LintIssue {
  const message = `duplicate key ${JSON.stringify(name)}; only the last one counts`
  return { severity: 'error', rule: 'duplicate-key', path, message, fix: 'remove one' }
}

function syntaxIssue(message: string): LintIssue {
  return { severity: 'error', rule: 'syntax', path: [], message, fix: 'fix the syntax' }
}

const WEB_PAGE_ISSUE: LintIssue = {
  severity: 'error',
  rule: 'syntax',
  path: [],
  message: 'a web page, not a DERP map',
  fix: 'pass the URL of the map itself',
}

function readYaml(text: string): Parsed {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const [fault] = document.errors
  const format = 'yaml'
  if (fault !== undefined) {
    const { line, col: column } = lines.linePos(fault.pos[0])
    const isDuplicate = fault.code === 'DUPLICATE_KEY'
    const message = isDuplicate ? 'duplicate key' : `not YAML: ${fault.message}`
    const syntax = /^\s*</.test(text) ? WEB_PAGE_ISSUE : syntaxIssue(`${message} at line ${line}`)
    const issue = { ...syntax, rule: isDuplicate ? 'duplicate-key' : 'syntax' }
    return { format, value: undefined, issues: [issue], placeOf: () => ({ line, column }), isRelaxed: false }
  }
  const placeOf = (path: MapPath) => {
    const { line, col: column } = lines.linePos(yamlOffset(document, path))
    return { line, column }
  }
  return { format, value: document.toJS(), issues: [], placeOf, isRelaxed: false }
}

/** Offset of a path's key, or of its nearest parent. */
function yamlOffset(document: Document, path: MapPath): number {
  let node: unknown = document.contents
  let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(part))
      if (pair === undefined) break
      if (isNode(pair.key)) offset = pair.key.range?.[0] ?? offset
      node = pair.value
    } else {
      const item: unknown = isNode(node) && 'get' in node ? node.get(part, true) : undefined
      if (!isNode(item)) break
      offset = item.range?.[0] ?? offset
      node = item
    }
  }
  return offset
}

/** Converts offsets to lines and columns. */
class TextPlaces {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  at(offset = 0): TextPlace {
    const before = this.#text.slice(0, offset)
    const lineStart = before.lastIndexOf('\n') + 1
    return { line: before.split('\n').length, column: offset - lineStart + 1 }
  }
}
