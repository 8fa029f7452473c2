// Elements. Text goes in as text only: nothing here takes markup, and nothing else makes elements.

type Child = Node | string;
type Attributes = Record<string, string | number | boolean>;

export function el<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false) element.setAttribute(name, String(value));
  }
  element.append(...children);
  return element;
}

/** Sets the text where it differs: an unchanged node costs no layout. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export function setHidden(element: HTMLElement, hidden: boolean): void {
  if (element.hidden !== hidden) element.hidden = hidden;
}

let ids = 0;

export function newId(prefix: string): string {
  ids += 1;
  return `${prefix}-${ids}`;
}

/** A part of the page under a heading, which names it to screen readers. */
export function section(title: string, ...children: Child[]): HTMLElement {
  const id = newId("heading");
  return el(
    "section",
    { class: "card", "aria-labelledby": id },
    el("h2", { id }, title),
    ...children,
  );
}

/** A bar from 0 to `total`. Decoration: the numbers stand beside it. */
export class Bar {
  readonly element = el("span", { class: "bar", "aria-hidden": "true" });
  readonly #fill = el("span", { class: "bar-fill" });

  constructor() {
    this.element.append(this.#fill);
  }

  set(part: number, total: number): void {
    const width = total > 0 ? Math.max(0, Math.min(1, part / total)) * 100 : 0;
    this.#fill.style.width = `${width.toFixed(2)}%`;
  }
}

/** Runs `draw` once before the next frame, however often it is asked, and not while hidden. */
export function onFrame(draw: () => void): () => void {
  let waiting = false;
  const ask = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      draw();
    });
  };
  return ask;
}
