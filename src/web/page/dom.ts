/** Helpers for the document. */

/** The element with `id`. @throws Error if the page lacks it. */
export function byId(id: string): HTMLElement {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`find #${id}: not in the page`)
  return found
}

/** A new element with properties, and texts or elements in it. */
export function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  properties: Partial<HTMLElementTagNameMap[Name]> = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const element = Object.assign(document.createElement(name), properties)
  element.append(...children)
  return element
}

/** Changes a text only when it differs: screen readers repeat a text that is set again. */
export function setText(element: Element, text: string): void {
  if (element.textContent === text) return
  const { firstChild } = element
  // Changing a node is cheaper than creating one.
  if (firstChild instanceof Text && firstChild.nextSibling === null) firstChild.data = text
  else element.textContent = text
}
