// The names of bottlenecks, states and times in words, with what can be done about them.

export interface Words {
  name: string;
  advice: string;
}

const bottlenecks: Record<string, Words> = {
  service_limit: {
    name: "Service limit",
    advice: "As fast as the rate limit allows; more shards are faster.",
  },
  service_latency: { name: "Service latency", advice: "Answers are slow; raise --max-in-flight." },
  client_cpu: { name: "This machine's CPU", advice: "Encoding; more cores are faster." },
  source_read: { name: "Reading the source", advice: "Input comes slower than it could be sent." },
  network: { name: "Network", advice: "Sending to the endpoint." },
  memory_budget: { name: "Memory budget", advice: "Raise --memory." },
};

/** In the order of the legend, which is that of the colours as well. */
export const BOTTLENECKS = Object.keys(bottlenecks);

export function bottleneck(name: string): Words {
  return bottlenecks[name] ?? { name, advice: "" };
}

const times: Record<string, [string, string]> = {
  read_s: ["Reading and decoding", "threads"],
  encode_s: ["Encoding", "threads"],
  wait_tokens_s: ["Waiting for the rate limit", "batches"],
  wait_in_flight_s: ["Waiting for a place in flight", "batches"],
  wait_batches_s: ["Waiting for a batch", "senders"],
  wait_memory_s: ["Waiting for memory", "threads"],
  journal_s: ["Writing the journal", "journal"],
  put_s: ["Requests under way", "attempts"],
};

export const TIMES = Object.keys(times);

/** What the seconds went into, and over what they are summed. */
export function time(name: string): [string, string] {
  return times[name] ?? [name, ""];
}

const statuses: Record<string, string> = {
  "400": "bad request",
  "403": "access denied",
  "404": "not found",
  "408": "request timed out",
  "409": "conflict",
  "413": "request too large",
  "429": "too many requests",
  "500": "internal error",
  "503": "service unavailable",
};

export function httpStatus(code: string): string {
  return statuses[code] ?? "";
}
