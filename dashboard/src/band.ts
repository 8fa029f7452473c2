// What held the job back, over time: a band of pieces with words in them, and the shares in text.

import { el, section, setText } from "./dom.ts";
import { clock, share } from "./format.ts";
import { segments, shares } from "./series.ts";
import type { Point } from "./events.ts";
import { BOTTLENECKS, bottleneck } from "./words.ts";

const PIECES = 120;
// Narrower pieces have no room for a word; the list below and the title have it.
const WORD_SHARE_MIN = 0.12;

function classOf(name: string): string {
  return `bottleneck-${Math.max(0, BOTTLENECKS.indexOf(name))}`;
}

export class Band {
  readonly #band = el("div", { class: "band", role: "img", "aria-label": "Bottleneck over time" });
  readonly #begin = el("span");
  readonly #end = el("span");
  readonly #list = el("ul", { class: "shares" });
  readonly #advice = el("p", { class: "advice" });
  readonly element = section(
    "Bottleneck",
    this.#advice,
    this.#band,
    el("div", { class: "band-axis", "aria-hidden": "true" }, this.#begin, this.#end),
    this.#list,
  );

  /** Once the job has ended, what held it back longest counts. */
  set(points: Point[], ended: boolean): void {
    const pieces = segments(points, PIECES);
    const held = shares(points);
    const name = ended ? held[0]?.[0] : points.at(-1)?.bottleneck;
    const words = bottleneck(name ?? "");
    const when = ended ? "Mostly" : "Now";
    setText(this.#advice, name ? `${when}: ${words.name}. ${words.advice}` : "Not known yet.");
    setText(this.#begin, pieces.length > 0 ? clock(pieces[0]!.begin_s) : "");
    setText(this.#end, pieces.length > 0 ? clock(pieces.at(-1)!.end_s) : "");
    this.#drawPieces(pieces);
    this.#list.replaceChildren(
      ...held.map(([name, part]) =>
        el(
          "li",
          {},
          el("span", { class: `swatch-box ${classOf(name)}`, "aria-hidden": "true" }),
          bottleneck(name).name,
          " ",
          el("b", {}, share(part, 1)),
        ),
      ),
    );
    const summary = held.map(([name, part]) => `${bottleneck(name).name} ${share(part, 1)}`);
    this.#band.setAttribute(
      "aria-label",
      `Bottleneck over time: ${summary.join(", ") || "not known"}`,
    );
  }

  #drawPieces(pieces: ReturnType<typeof segments>): void {
    const begin_s = pieces[0]?.begin_s ?? 0;
    const all_s = (pieces.at(-1)?.end_s ?? 0) - begin_s;
    this.#band.replaceChildren(
      ...pieces.map((piece) => {
        const { name } = bottleneck(piece.bottleneck);
        const part = (piece.end_s - piece.begin_s) / all_s;
        const title = `${name}, ${clock(piece.begin_s)} to ${clock(piece.end_s)}`;
        const element = el("span", { class: classOf(piece.bottleneck), title });
        element.style.width = `${part * 100}%`;
        if (part >= WORD_SHARE_MIN) element.append(name);
        return element;
      }),
    );
  }
}
