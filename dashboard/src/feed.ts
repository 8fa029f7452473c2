// Server-sent events with a reconnection of our own: the browser's would neither say that the
// connection is lost nor wait longer each time.

const WAIT_FIRST_MS = 500;
const WAIT_MAX_MS = 10_000;
// The programs send something every second; a silence as long as this is a lost connection.
const SILENCE_MAX_MS = 15_000;

/** How long to wait before the attempt after `failures` of them. */
export function waitMs(failures: number): number {
  return Math.min(WAIT_MAX_MS, WAIT_FIRST_MS * 2 ** Math.max(0, failures - 1));
}

export type FeedState =
  | { name: "connecting" }
  | { name: "open" }
  | { name: "lost"; since: number; retryAt: number }
  | { name: "ended" };

type Listeners = Record<string, (data: unknown) => void>;

export class Feed {
  #source: EventSource | undefined;
  #failures = 0;
  #heard = false; // on the present connection
  #lostSince: number | undefined;
  #heardAt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #url: string;
  readonly #listeners: Listeners;
  readonly #onState: (state: FeedState) => void;

  /** A listener gets the parsed data of events of its name. */
  constructor(url: string, listeners: Listeners, onState: (state: FeedState) => void) {
    this.#url = url;
    this.#listeners = listeners;
    this.#onState = onState;
  }

  open(): void {
    this.#onState({ name: "connecting" });
    this.#connect();
    setInterval(() => {
      if (this.#source && performance.now() - this.#heardAt > SILENCE_MAX_MS) this.#lose();
    }, 1000);
  }

  /** Tries at once instead of when the wait is over. */
  retry(): void {
    if (this.#timer !== undefined) this.#connect();
  }

  /** Nothing more will come: whatever happens to the connection is no loss. */
  end(): void {
    this.#close();
    this.#onState({ name: "ended" });
  }

  #close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#source?.close();
    this.#source = undefined;
  }

  #connect(): void {
    this.#close();
    const source = new EventSource(this.#url);
    this.#source = source;
    this.#heardAt = performance.now();
    source.onerror = () => {
      if (this.#source === source) this.#lose();
    };
    for (const [name, listener] of Object.entries(this.#listeners)) {
      source.addEventListener(name, (event) => {
        if (this.#source === source) this.#hear(listener, String(event.data));
      });
    }
  }

  #hear(listener: (data: unknown) => void, text: string): void {
    this.#heardAt = performance.now();
    if (!this.#heard) this.#onState({ name: "open" });
    this.#heard = true;
    this.#failures = 0;
    this.#lostSince = undefined;
    let data: unknown;
    try {
      data = JSON.parse(text);
    } catch {
      return; // the next one is whole
    }
    listener(data);
  }

  #lose(): void {
    this.#close();
    this.#failures += 1;
    this.#heard = false;
    this.#lostSince ??= Date.now();
    const wait = waitMs(this.#failures);
    this.#onState({ name: "lost", since: this.#lostSince, retryAt: Date.now() + wait });
    this.#timer = setTimeout(() => this.#connect(), wait);
  }
}
