// The query box: nearest neighbours of a vector, or of the vector that a key has.

import { el, newId, section, setHidden, setText } from "./dom.ts";
import type { Neighbour } from "./events.ts";
import { count } from "./format.ts";
import { FieldError, type Fields, requestOf, TOP_K_MAX } from "./query_request.ts";
import { Table } from "./table.ts";

// Longer than any query takes; a server that hangs must not leave the button dead.
const ANSWER_MAX_MS = 30_000;

interface Choice {
  name: string;
  dimension: number;
}

interface Ranked extends Neighbour {
  rank: number;
}

type Control = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

function labelled(name: string, control: Control, hint = ""): HTMLElement {
  control.id = newId("field");
  const label = el("label", { for: control.id }, name);
  if (hint === "") return el("div", { class: "field" }, label, control);
  const id = newId("hint");
  control.setAttribute("aria-describedby", id);
  return el("div", { class: "field" }, label, control, el("p", { class: "hint", id }, hint));
}

export class QueryBox {
  readonly #url: string;
  #choices: Choice[] = [];
  readonly #index = el("select", { name: "index" });
  readonly #byKey = el("input", { type: "radio", name: "by", value: "key", checked: true });
  readonly #byVector = el("input", { type: "radio", name: "by", value: "vector" });
  readonly #key = el("input", { name: "key", autocomplete: "off", spellcheck: "false" });
  readonly #vector = el("textarea", { name: "vector", rows: 3, spellcheck: "false" });
  readonly #topK = el("input", { name: "topK", type: "number", min: 1, max: TOP_K_MAX, value: 10 });
  readonly #filter = el("textarea", { name: "filter", rows: 3, spellcheck: "false" });
  readonly #send = el("button", { type: "submit", class: "primary" }, "Find neighbours");
  readonly #error = el("p", { class: "error", role: "alert" });
  readonly #outcome = el("p", { class: "counts", role: "status" });
  readonly #keyField = labelled(
    "Key",
    this.#key,
    "The neighbours of its vector; itself is left out.",
  );
  readonly #vectorField = labelled("Vector", this.#vector, "A JSON array of numbers.");
  readonly #form = this.#newForm();
  readonly #neighbours = new Table<Ranked>(
    "Nearest neighbours",
    [
      { name: "Rank", numeric: true, text: (row) => count(row.rank) },
      { name: "Key", value: (row) => row.key },
      {
        name: "Distance",
        numeric: true,
        value: (row) => row.distance,
        text: (row) => row.distance.toFixed(6),
      },
      { name: "Metadata", write: (row, cell) => setText(cell, metadataText(row.metadata)) },
    ],
    (row) => String(row.rank),
    "Neighbours are listed here.",
  );
  readonly element = section(
    "Query",
    this.#form,
    this.#error,
    this.#outcome,
    this.#neighbours.element,
  );

  constructor(url: string) {
    this.#url = url;
    this.element.classList.add("query");
    this.#neighbours.element.classList.add("neighbours");
    this.#showBy();
  }

  /** Offers these; the choice stays while it is among them. */
  indexes(choices: Choice[]): void {
    const same =
      choices.length === this.#choices.length &&
      choices.every((choice, at) => choice.name === this.#choices[at]!.name);
    this.#choices = choices;
    if (same) return;
    const chosen = this.#index.value;
    this.#index.replaceChildren(...choices.map(({ name }) => el("option", { value: name }, name)));
    if (choices.some(({ name }) => name === chosen)) this.#index.value = chosen;
  }

  /** Goes to the form with this index chosen. */
  choose(name: string): void {
    this.#index.value = name;
    const field = this.#byKey.checked ? this.#key : this.#vector;
    field.focus();
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.element.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
  }

  #newForm(): HTMLFormElement {
    const by = el(
      "fieldset",
      { class: "ranges" },
      el("legend", {}, "Nearest to"),
      el("label", {}, this.#byKey, "a stored key"),
      el("label", {}, this.#byVector, "a vector"),
    );
    const form = el(
      "form",
      { novalidate: true },
      el(
        "div",
        { class: "fields" },
        labelled("Index", this.#index),
        labelled("Neighbours", this.#topK),
      ),
      by,
      el(
        "div",
        { class: "fields" },
        this.#keyField,
        this.#vectorField,
        labelled("Filter", this.#filter, 'Optional: JSON, e.g. {"year": {"$gte": 2020}}.'),
      ),
      this.#send,
    );
    for (const radio of [this.#byKey, this.#byVector]) {
      radio.addEventListener("change", () => this.#showBy());
    }
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#submit();
    });
    return form;
  }

  #showBy(): void {
    setHidden(this.#keyField, !this.#byKey.checked);
    setHidden(this.#vectorField, this.#byKey.checked);
  }

  #fields(): Fields {
    return {
      index: this.#index.value,
      by: this.#byKey.checked ? "key" : "vector",
      vector: this.#vector.value,
      key: this.#key.value,
      topK: this.#topK.value,
      filter: this.#filter.value,
    };
  }

  async #submit(): Promise<void> {
    const controls: Record<string, Control> = {
      index: this.#index,
      vector: this.#vector,
      key: this.#key,
      topK: this.#topK,
      filter: this.#filter,
    };
    for (const control of Object.values(controls)) control.removeAttribute("aria-invalid");
    setText(this.#error, "");
    this.#send.disabled = true;
    try {
      const fields = this.#fields();
      const chosen = this.#choices.find(({ name }) => name === fields.index);
      this.#show(await this.#ask(requestOf(fields, chosen?.dimension)));
    } catch (error) {
      if (error instanceof FieldError) {
        controls[error.field]?.setAttribute("aria-invalid", "true");
        controls[error.field]?.focus();
      }
      setText(this.#outcome, "");
      this.#neighbours.update([]);
      setText(this.#error, (error as Error).message);
    } finally {
      this.#send.disabled = false;
    }
  }

  async #ask(request: unknown): Promise<{ took_ms: number; vectors: Neighbour[] }> {
    let answer: Response;
    try {
      answer = await fetch(this.#url, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(request),
        signal: AbortSignal.timeout(ANSWER_MAX_MS),
      });
    } catch (error) {
      throw new Error(`The server did not answer: ${(error as Error).message}`);
    }
    const body = (await answer.json().catch(() => ({}))) as { error?: string };
    if (!answer.ok) throw new Error(body.error ?? `The server answered ${answer.status}.`);
    return body as unknown as { took_ms: number; vectors: Neighbour[] };
  }

  #show(answer: { took_ms: number; vectors: Neighbour[] }): void {
    const found =
      answer.vectors.length === 1 ? "1 neighbour" : `${count(answer.vectors.length)} neighbours`;
    setText(this.#outcome, `${found} in ${answer.took_ms.toFixed(1)} ms`);
    this.#neighbours.update(answer.vectors.map((vector, at) => ({ ...vector, rank: at + 1 })));
  }
}

function metadataText(metadata: unknown): string {
  return metadata === undefined || metadata === null ? "" : JSON.stringify(metadata);
}
