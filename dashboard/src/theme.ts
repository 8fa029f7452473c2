// Light or dark: the system's choice, or the reader's own, which this browser remembers.

import { el, setText } from "./dom.ts";

const KEY = "vecload-theme";
const CHOICES = ["auto", "light", "dark"] as const;
type Choice = (typeof CHOICES)[number];

const NAMES: Record<Choice, string> = { auto: "Auto", light: "Light", dark: "Dark" };
const listeners: (() => void)[] = [];

function stored(): Choice {
  try {
    const value = localStorage.getItem(KEY);
    return CHOICES.find((choice) => choice === value) ?? "auto";
  } catch {
    return "auto"; // storage may be forbidden
  }
}

const system = matchMedia("(prefers-color-scheme: dark)");

function apply(choice: Choice): void {
  const theme = choice === "auto" ? (system.matches ? "dark" : "light") : choice;
  document.documentElement.dataset["theme"] = theme;
  for (const listener of listeners) listener();
}

/** Calls `listener` when colours change: canvases do not follow by themselves. */
export function onTheme(listener: () => void): void {
  listeners.push(listener);
}

export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

export function themeButton(): HTMLButtonElement {
  let choice = stored();
  const label = el("span", { class: "theme-name" });
  const button = el("button", { type: "button", class: "theme" }, "Theme: ", label);
  const show = () => setText(label, NAMES[choice]);
  button.addEventListener("click", () => {
    choice = CHOICES[(CHOICES.indexOf(choice) + 1) % CHOICES.length]!;
    try {
      localStorage.setItem(KEY, choice);
    } catch {
      // it then holds for this page only
    }
    show();
    apply(choice);
  });
  system.addEventListener("change", () => apply(choice));
  show();
  apply(choice);
  return button;
}
