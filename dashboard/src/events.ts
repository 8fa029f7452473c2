// What the programs send; ../README.md says when.

export interface Job {
  kind: "load" | "delete";
  index: string;
  endpoint_url?: string;
  sources: string[];
  started_at: string;
  version: string;
}

export interface Latency {
  p50: number;
  p95: number;
  p99: number;
}

/** One moment of a job; `throttled` and `rejected` count from its begin. */
export interface Point extends Latency {
  elapsed_s: number;
  vectors_per_s: number;
  rate_vectors_per_s: number;
  limit_vectors_per_s: number;
  in_flight: number;
  throttled: number;
  rejected: number;
  bottleneck: string;
}

export interface RejectCount {
  rule: string;
  rows: number;
}

export interface Progress {
  rows_total: number;
  rows_done: number;
  vectors_acknowledged: number;
  vectors_resumed: number;
  vectors_rejected: number;
  vectors_superseded: number;
  requests: number;
  attempts: number;
  throttled: number;
  bytes_sent: number;
  in_flight: number;
  vectors_per_s: number;
  vectors_per_s_mean: number;
  rate_vectors_per_s: number;
  limit_vectors_per_s: number;
  elapsed_s: number;
  eta_s?: number;
  bottleneck: string;
  latency_ms: Latency;
  times: Record<string, number>;
  rejects: RejectCount[];
  files_total: number;
  files_done: number;
}

export interface FileProgress {
  file: string;
  rows_total: number;
  rows_done: number;
}

export interface Shard {
  index: string;
  vectors_acknowledged: number;
  vectors_per_s: number;
  rate_vectors_per_s: number;
  in_flight: number;
  throttled: number;
}

export interface Detail {
  files: FileProgress[];
  shards: Shard[];
}

/** The account of a job that ended: what `--report FILE.json` holds. */
export interface Report {
  status: "complete" | "finished_with_rejects" | "stopped";
  error?: { code: string; message: string };
  index: string;
  endpoint_url?: string;
  rows_total: number;
  vectors_acknowledged: number;
  vectors_resumed: number;
  vectors_rejected: number;
  vectors_superseded: number;
  rows_remaining: number;
  requests: number;
  attempts: number;
  throttled: number;
  bytes_sent: number;
  wall_s: number;
  vectors_per_s: number;
  cpu_s: number;
  cpu_us_per_vector: number;
  rss_bytes_max: number;
  read_s: number;
  encode_s: number;
  wait_tokens_s: number;
  wait_memory_s: number;
  journal_s: number;
  put_s: number;
  put_latency_ms: Latency;
  bottleneck: string;
  projected_1b_s: number;
  rejects?: string;
  journal?: string;
  shards?: {
    index: string;
    vectors_acknowledged: number;
    vectors_per_s: number;
    throttled: number;
  }[];
}

export interface Index {
  name: string;
  dimension: number;
  metric: string;
  vectors: number;
}

export interface Server {
  version: string;
  region: string;
  uptime_s: number;
  rss_bytes: number;
  keys_required: boolean;
  requests: Record<string, number>;
  errors: Record<string, number>;
  vectors_put: number;
  connections?: number;
  buckets: { name: string; indexes: Index[] }[];
  indexes_total: number;
}

export interface Neighbour {
  key: string;
  distance: number;
  metadata?: unknown;
}
