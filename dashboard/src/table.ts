// A table that rows flow into: rows keep their elements, cells are written where they changed.

import { el, newId, setText } from "./dom.ts";

export interface Column<Row> {
  name: string;
  /** What it is sorted by; numbers stand right. Absent: the column is not sorted by. */
  value?: (row: Row) => number | string;
  numeric?: boolean;
  /** Writes the row into its cell; the default writes `text`. */
  text?: (row: Row) => string;
  write?: (row: Row, cell: HTMLTableCellElement) => void;
  /** What is left out at phone width. */
  minor?: boolean;
}

interface Order {
  column: number;
  descending: boolean;
}

export class Table<Row> {
  readonly element: HTMLElement;
  readonly #columns: Column<Row>[];
  readonly #idOf: (row: Row) => string;
  readonly #body = el("tbody");
  readonly #heads: HTMLTableCellElement[] = [];
  readonly #empty: HTMLElement;
  readonly #elements = new Map<string, HTMLTableRowElement>();
  #rows: Row[] = [];
  #order: Order | undefined;

  constructor(caption: string, columns: Column<Row>[], idOf: (row: Row) => string, empty: string) {
    this.#columns = columns;
    this.#idOf = idOf;
    const head = el("tr");
    columns.forEach((column, at) => head.append(this.#head(column, at)));
    const captionId = newId("caption");
    const table = el(
      "table",
      {},
      el("caption", { class: "visually-hidden", id: captionId }, caption),
      el("thead", {}, head),
      this.#body,
    );
    this.#empty = el("p", { class: "empty" }, empty);
    // Focusable, so that the keyboard can scroll it. The section around it is the landmark.
    const scroller = el(
      "div",
      { class: "table-scroll", tabindex: 0, role: "group", "aria-labelledby": captionId },
      table,
    );
    this.element = el("div", { class: "table" }, scroller, this.#empty);
    this.update([]);
  }

  sortBy(column: number, descending: boolean): void {
    this.#order = { column, descending };
    this.#heads.forEach((head, at) => {
      if (at !== column) head.removeAttribute("aria-sort");
      else head.setAttribute("aria-sort", descending ? "descending" : "ascending");
    });
    this.#show();
  }

  update(rows: Row[]): void {
    this.#rows = rows;
    this.#show();
  }

  #head(column: Column<Row>, at: number): HTMLTableCellElement {
    const classes = [column.numeric ? "number" : "", column.minor ? "minor" : ""].join(" ").trim();
    const head = el("th", { scope: "col", class: classes });
    if (column.value) {
      const button = el("button", { type: "button", class: "sort" }, column.name);
      button.addEventListener("click", () => {
        const again = this.#order?.column === at;
        this.sortBy(at, again ? !this.#order!.descending : column.numeric === true);
      });
      head.append(button);
    } else {
      head.append(column.name);
    }
    this.#heads.push(head);
    return head;
  }

  #sorted(): Row[] {
    const value = this.#order && this.#columns[this.#order.column]?.value;
    if (!this.#order || !value) return this.#rows;
    const sign = this.#order.descending ? -1 : 1;
    return [...this.#rows].sort((a, b) => {
      const [left, right] = [value(a), value(b)];
      if (typeof left === "number" && typeof right === "number") return sign * (left - right);
      return sign * String(left).localeCompare(String(right), "en", { numeric: true });
    });
  }

  #show(): void {
    const rows = this.#sorted();
    const kept = new Set<string>();
    let next = this.#body.firstElementChild;
    for (const row of rows) {
      const id = this.#idOf(row);
      if (kept.has(id)) continue;
      kept.add(id);
      let element = this.#elements.get(id);
      if (!element) {
        element = this.#newRow();
        this.#elements.set(id, element);
      }
      this.#write(row, element);
      if (element === next) next = next.nextElementSibling;
      else this.#body.insertBefore(element, next);
    }
    for (const [id, element] of this.#elements) {
      if (kept.has(id)) continue;
      element.remove();
      this.#elements.delete(id);
    }
    this.element.classList.toggle("is-empty", kept.size === 0);
  }

  #newRow(): HTMLTableRowElement {
    const row = el("tr");
    this.#columns.forEach((column, at) => {
      const classes = [column.numeric ? "number" : "", column.minor ? "minor" : ""]
        .join(" ")
        .trim();
      row.append(
        at === 0 ? el("th", { scope: "row", class: classes }) : el("td", { class: classes }),
      );
    });
    return row;
  }

  #write(row: Row, element: HTMLTableRowElement): void {
    this.#columns.forEach((column, at) => {
      const cell = element.cells[at]!;
      if (column.write) column.write(row, cell);
      else setText(cell, column.text ? column.text(row) : String(column.value?.(row) ?? ""));
    });
  }
}
