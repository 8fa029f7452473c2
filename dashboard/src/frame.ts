// What both pages have: the head with title, state and theme, and the words for a lost connection.

import { el, setHidden, setText } from "./dom.ts";
import { duration } from "./format.ts";
import type { FeedState } from "./feed.ts";
import { themeButton } from "./theme.ts";

/** The tone of the state's badge; its words say the same. */
export type Tone = "quiet" | "live" | "good" | "warning" | "bad";

export class Frame {
  readonly main = el("main", { id: "main" });
  readonly #title = el("h1");
  readonly #subtitle = el("p", { class: "subtitle" });
  readonly #state = el("span", { class: "state" });
  readonly #announcer = el("p", { class: "visually-hidden", role: "status" });
  readonly #notice = el("p", { class: "notice" });
  readonly #retry = el("button", { type: "button" }, "Try now");
  readonly #lost = el("div", { class: "lost", hidden: true }, this.#notice, this.#retry);
  #loss: Extract<FeedState, { name: "lost" }> | undefined;

  constructor(product: string, onRetry: () => void) {
    document.body.append(
      el("a", { class: "skip", href: "#main" }, "Skip to the figures"),
      el(
        "header",
        {},
        el("div", { class: "head-row" }, el("p", { class: "product" }, product), themeButton()),
        el("div", { class: "head-row" }, this.#title, this.#state),
        this.#subtitle,
        this.#lost,
      ),
      this.main,
      this.#announcer,
    );
    this.#retry.addEventListener("click", onRetry);
    setInterval(() => this.#showLoss(), 1000);
  }

  title(text: string): void {
    setText(this.#title, text);
  }

  subtitle(text: string): void {
    setText(this.#subtitle, text);
  }

  /** The state in a word or two; a change is told to screen readers once. */
  state(text: string, tone: Tone): void {
    if (this.#state.textContent === text) return;
    setText(this.#state, text);
    this.#state.dataset["tone"] = tone;
    this.announce(text);
  }

  announce(text: string): void {
    setText(this.#announcer, text);
  }

  loss(loss: Extract<FeedState, { name: "lost" }> | undefined): void {
    this.#loss = loss;
    document.body.classList.toggle("is-stale", loss !== undefined);
    this.#showLoss();
  }

  #showLoss(): void {
    setHidden(this.#lost, this.#loss === undefined);
    if (!this.#loss) return;
    const now = Date.now();
    const ago = duration((now - this.#loss.since) / 1000);
    const wait = Math.ceil((this.#loss.retryAt - now) / 1000);
    const next = wait > 0 ? `Trying again in ${duration(wait)}.` : "Trying again.";
    setText(this.#notice, `No connection for ${ago}: what is shown is from before. ${next}`);
  }
}

/** A number with its name below: the large ones at the top. */
export class Figure {
  readonly #value = el("dd", {}, "–");
  readonly #note = el("dd", { class: "note" });
  readonly element: HTMLElement;

  /** `field` names it to tests and style sheets. */
  constructor(name: string, field: string) {
    this.element = el(
      "div",
      { class: "figure", "data-field": field },
      el("dt", {}, name),
      this.#value,
      this.#note,
    );
  }

  set(value: string, note = ""): void {
    setText(this.#value, value);
    setText(this.#note, note);
  }

  alarm(on: boolean): void {
    this.element.classList.toggle("is-alarm", on);
  }
}
