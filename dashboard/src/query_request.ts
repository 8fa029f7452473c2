// What the query box's fields mean, as the body of a request, or what is wrong with them.

export interface Fields {
  index: string;
  by: "vector" | "key";
  vector: string;
  key: string;
  topK: string;
  filter: string;
}

/** The most neighbours that the service gives. */
export const TOP_K_MAX = 100;

export class FieldError extends Error {
  readonly field: keyof Fields;

  constructor(field: keyof Fields, message: string) {
    super(message);
    this.field = field;
  }
}

function parse(field: keyof Fields, name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new FieldError(field, `${name} is not JSON: ${(error as Error).message}`);
  }
}

function vectorOf(text: string, dimension: number | undefined): number[] {
  const vector = parse("vector", "The vector", text);
  if (!Array.isArray(vector) || !vector.every((value) => typeof value === "number")) {
    throw new FieldError("vector", "The vector must be a JSON array of numbers, e.g. [0.1, -0.2].");
  }
  if (dimension !== undefined && vector.length !== dimension) {
    throw new FieldError(
      "vector",
      `The vector has ${vector.length} numbers, the index's dimension is ${dimension}.`,
    );
  }
  return vector;
}

/** Throws FieldError. */
export function requestOf(fields: Fields, dimension: number | undefined): Record<string, unknown> {
  const slash = fields.index.indexOf("/");
  if (slash < 0) throw new FieldError("index", "Choose an index.");
  const topK = Number(fields.topK);
  if (!Number.isInteger(topK) || topK < 1 || topK > TOP_K_MAX) {
    throw new FieldError("topK", `Neighbours must be a whole number from 1 to ${TOP_K_MAX}.`);
  }
  const request: Record<string, unknown> = {
    bucket: fields.index.slice(0, slash),
    index: fields.index.slice(slash + 1),
    top_k: topK,
  };
  if (fields.by === "key") {
    if (fields.key === "") throw new FieldError("key", "Enter the key of a vector of this index.");
    request["key"] = fields.key;
  } else {
    request["vector"] = vectorOf(fields.vector, dimension);
  }
  if (fields.filter.trim() !== "") {
    const filter = parse("filter", "The filter", fields.filter);
    if (typeof filter !== "object" || filter === null || Array.isArray(filter)) {
      throw new FieldError(
        "filter",
        'The filter must be a JSON object, e.g. {"year": {"$gte": 2020}}.',
      );
    }
    request["filter"] = filter;
  }
  return request;
}
