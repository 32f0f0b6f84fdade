/**
 * Puts counters into the modules of src as they are loaded, where control flow divides, and hands over comparisons.
 *
 * Import it before the modules.
 */

import { registerHooks, stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type NodePath, type PluginObject, transformSync, types } from '@babel/core'
import './coverage.ts'

const SOURCES = join(import.meta.dirname, '../../src/')
/** Texts that are worth trying in inputs. */
const WORD = /^[\x20-\x7e]{2,40}$/

registerHooks({
  load: (url, context, next) => {
    const loaded = next(url, context)
    if (loaded.format !== 'module-typescript' || !url.startsWith('file:')) return loaded
    const path = fileURLToPath(url)
    if (!path.startsWith(SOURCES) || loaded.source === undefined || loaded.source === null) return loaded
    const source =
      typeof loaded.source === 'string' ? loaded.source : Buffer.from(loaded.source as Uint8Array).toString()
    return { ...loaded, format: 'module', source: instrument(stripTypeScriptTypes(source), path) }
  },
})

function instrument(code: string, path: string): string {
  const places = new Places()
  const result = transformSync(code, {
    filename: path,
    babelrc: false,
    configFile: false,
    sourceType: 'module',
    retainLines: true,
    plugins: [() => places.plugin],
  })
  const words = JSON.stringify([...places.words])
  // On the first line, so that lines of stack traces are those of the source.
  return `const fuzzPlaces = fuzzCoverage.allocate(${places.count}, ${words}); ${result?.code ?? code}`
}

/** The places of one module. */
class Places {
  count = 0
  readonly words = new Set<string>()

  get plugin(): PluginObject {
    return {
      visitor: {
        Function: path => this.#begin(path),
        IfStatement: ({ node }) => {
          node.consequent = this.#block(node.consequent)
          node.alternate = this.#block(node.alternate ?? types.blockStatement([]))
        },
        SwitchCase: ({ node }) => void node.consequent.unshift(this.#statement()),
        Loop: ({ node }) => {
          node.body = this.#block(node.body)
        },
        CatchClause: ({ node }) => void node.body.body.unshift(this.#statement()),
        ConditionalExpression: ({ node }) => {
          node.consequent = this.#counted(node.consequent)
          node.alternate = this.#counted(node.alternate)
        },
        LogicalExpression: ({ node }) => {
          node.right = this.#counted(node.right)
        },
        BinaryExpression: path => this.#compare(path),
        StringLiteral: ({ node, parent }) => {
          if (!types.isImportDeclaration(parent) && WORD.test(node.value)) this.words.add(node.value)
        },
        TemplateElement: ({ node }) => {
          const text = node.value.cooked ?? ''
          if (WORD.test(text)) this.words.add(text)
        },
      },
    }
  }

  #begin({ node }: NodePath<types.Function>): void {
    const { body } = node
    if (types.isBlockStatement(body)) body.body.unshift(this.#statement())
    else node.body = this.#counted(body)
  }

  #compare(path: NodePath<types.BinaryExpression>): void {
    const { left, right, operator } = path.node
    if ((operator !== '===' && operator !== '!==') || types.isPrivateName(left)) return
    if (![left, right].every(mayBeInput)) return
    const same = types.callExpression(
      types.memberExpression(types.identifier('fuzzCoverage'), types.identifier('same')),
      [left, right],
    )
    path.replaceWith(operator === '===' ? same : types.unaryExpression('!', same))
  }

  #block(statement: types.Statement): types.BlockStatement {
    return types.blockStatement([this.#statement(), statement])
  }

  #statement(): types.ExpressionStatement {
    return types.expressionStatement(this.#increment())
  }

  #counted(expression: types.Expression): types.SequenceExpression {
    return types.sequenceExpression([this.#increment(), expression])
  }

  #increment(): types.UpdateExpression {
    const place = types.memberExpression(types.identifier('fuzzPlaces'), types.numericLiteral(this.count++), true)
    return types.updateExpression('++', place)
  }
}

/** Comparisons with undefined, null or types have nothing to do with what an input holds. */
function mayBeInput(node: types.Node): boolean {
  if (types.isNullLiteral(node) || types.isBooleanLiteral(node)) return false
  if (types.isIdentifier(node)) return node.name !== 'undefined'
  return !(types.isUnaryExpression(node) && node.operator !== '-')
}
