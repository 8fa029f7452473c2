// Goal: AWS's JavaScript SDK, unmodified, can do all that it knows with our server.
//
// Method: the SDK's own client sends every command that it exports, by names and by ARNs, and what
// comes back is compared with what was sent. A test at the end enumerates the exported commands,
// so an SDK with more of them makes it fail. VECLOAD_URL says where the server is.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import * as sdk from "@aws-sdk/client-s3vectors";

const client = new sdk.S3VectorsClient({
  endpoint: process.env.VECLOAD_URL,
  region: "us-east-1",
});
after(() => client.destroy());

const succeeded = new Set();

// Sends a command, and remembers its class once an answer was read.
async function send(Command, input = {}) {
  const answer = await client.send(new Command(input));
  assert.equal(answer.$metadata.httpStatusCode, 200);
  succeeded.add(Command);
  return answer;
}

const BUCKET_ARN = "arn:aws:s3vectors:us-east-1:000000000000:bucket/js-bucket";
const INDEX_ARN = `${BUCKET_ARN}/index/js-index`;
const bucket = { vectorBucketName: "js-bucket" };
const index = { ...bucket, indexName: "js-index" };
// Floats that are no shorter as a double: what comes back must be the same float32.
const numbers = [0.1, -2.5e-7, 3.4028234663852886e38, 1.401298464324817e-45].map(Math.fround);

test("buckets", async () => {
  const made = await send(sdk.CreateVectorBucketCommand, { ...bucket, tags: { team: "search" } });
  assert.equal(made.vectorBucketArn, BUCKET_ARN);
  for (const name of [bucket, { vectorBucketArn: BUCKET_ARN }]) {
    const { vectorBucket } = await send(sdk.GetVectorBucketCommand, name);
    assert.equal(vectorBucket.vectorBucketName, "js-bucket");
    assert.ok(Math.abs(Date.now() - vectorBucket.creationTime.getTime()) < 5 * 60_000);
    assert.equal(vectorBucket.encryptionConfiguration.sseType, "AES256");
  }
  const { vectorBuckets } = await send(sdk.ListVectorBucketsCommand, { prefix: "js-" });
  assert.deepEqual(vectorBuckets.map((one) => one.vectorBucketName), ["js-bucket"]);
});

test("policies", async () => {
  const policy = JSON.stringify({ Version: "2012-10-17", Statement: [] });
  await send(sdk.PutVectorBucketPolicyCommand, { ...bucket, policy });
  assert.equal((await send(sdk.GetVectorBucketPolicyCommand, bucket)).policy, policy);
  await send(sdk.DeleteVectorBucketPolicyCommand, bucket);
  await assert.rejects(send(sdk.GetVectorBucketPolicyCommand, bucket), sdk.NotFoundException);
});

test("indexes", async () => {
  const made = await send(sdk.CreateIndexCommand, {
    ...index,
    dataType: "float32",
    dimension: 4,
    distanceMetric: "euclidean",
    metadataConfiguration: { nonFilterableMetadataKeys: ["note"] },
  });
  assert.equal(made.indexArn, INDEX_ARN);
  for (const name of [index, { indexArn: INDEX_ARN }]) {
    const found = (await send(sdk.GetIndexCommand, name)).index;
    assert.equal(found.dimension, 4);
    assert.equal(found.distanceMetric, "euclidean");
    assert.deepEqual(found.metadataConfiguration.nonFilterableMetadataKeys, ["note"]);
  }
  const { indexes } = await send(sdk.ListIndexesCommand, bucket);
  assert.deepEqual(indexes.map((one) => one.indexArn), [INDEX_ARN]);
});

test("tags", async () => {
  const target = { resourceArn: BUCKET_ARN };
  await send(sdk.TagResourceCommand, { ...target, tags: { "a b": "c/d", "größe": "5 Å" } });
  const { tags } = await send(sdk.ListTagsForResourceCommand, target);
  assert.deepEqual(tags, { team: "search", "a b": "c/d", "größe": "5 Å" });
  await send(sdk.UntagResourceCommand, { ...target, tagKeys: ["a b", "größe"] });
  assert.deepEqual((await send(sdk.ListTagsForResourceCommand, target)).tags, { team: "search" });
});

test("vectors", async () => {
  const metadata = { text: 'quo"te\n ü 𝄞', number: -0.1, flag: true, words: ["a", "b"] };
  await send(sdk.PutVectorsCommand, {
    ...index,
    vectors: [
      { key: "schlüssel/𝄞", data: { float32: numbers }, metadata },
      ...Array.from({ length: 250 }, (_, n) => ({
        key: `k${n}`,
        data: { float32: [n, 0, 0, 0] },
        metadata: { n, parity: n % 2 ? "odd" : "even" },
      })),
    ],
  });
  const got = await send(sdk.GetVectorsCommand, {
    indexArn: INDEX_ARN,
    keys: ["schlüssel/𝄞", "absent"],
    returnData: true,
    returnMetadata: true,
  });
  assert.equal(got.vectors.length, 1);
  assert.deepEqual(got.vectors[0].metadata, metadata);
  // The SDK makes a BigInt of whatever is beyond 2^53, in whichever form it was written.
  const floats = got.vectors[0].data.float32.map((value) => Math.fround(Number(value)));
  assert.deepEqual(floats, numbers);

  const keys = [];
  const pages = sdk.paginateListVectors({ client, pageSize: 100 }, { ...index });
  for await (const page of pages) keys.push(...page.vectors.map((vector) => vector.key));
  succeeded.add(sdk.ListVectorsCommand);
  assert.equal(keys.length, 251);
  assert.equal(new Set(keys).size, 251);
});

test("queries with filters", async () => {
  const answer = await send(sdk.QueryVectorsCommand, {
    ...index,
    topK: 3,
    queryVector: { float32: [100.2, 0, 0, 0] },
    filter: { $and: [{ parity: "even" }, { n: { $lt: 100 } }] },
    returnDistance: true,
    returnMetadata: true,
  });
  assert.deepEqual(answer.vectors.map((vector) => vector.key), ["k98", "k96", "k94"]);
  assert.deepEqual(answer.vectors.map((vector) => vector.metadata.n), [98, 96, 94]);
  assert.ok(Math.abs(answer.vectors[0].distance - 2.2) < 1e-4);
  assert.equal(answer.distanceMetric, "euclidean");
});

test("errors are the SDK's own classes", async () => {
  const absent = { ...bucket, indexName: "absent" };
  await assert.rejects(send(sdk.GetIndexCommand, absent), sdk.NotFoundException);
  await assert.rejects(send(sdk.CreateVectorBucketCommand, bucket), sdk.ConflictException);
  await assert.rejects(send(sdk.DeleteVectorBucketCommand, bucket), sdk.ConflictException);
  const short = { ...index, vectors: [{ key: "short", data: { float32: [1] } }] };
  await assert.rejects(send(sdk.PutVectorsCommand, short), (error) => {
    assert.ok(error instanceof sdk.ValidationException);
    assert.equal(error.$metadata.httpStatusCode, 400);
    assert.match(error.message, /must have length 4, but has length 1/);
    assert.ok(error.fieldList.length > 0);
    return true;
  });
});

test("deleting", async () => {
  await send(sdk.DeleteVectorsCommand, { ...index, keys: ["k0", "never-there"] });
  assert.deepEqual((await send(sdk.GetVectorsCommand, { ...index, keys: ["k0"] })).vectors, []);
  await send(sdk.DeleteIndexCommand, index);
  await send(sdk.DeleteVectorBucketCommand, bucket);
  assert.deepEqual((await send(sdk.ListVectorBucketsCommand)).vectorBuckets, []);
});

test("every command of the SDK was answered", () => {
  const known = Object.keys(sdk).filter((name) => /^[A-Z].*Command$/.test(name) && name !== "$Command");
  const left = known.filter((name) => !succeeded.has(sdk[name]));
  assert.ok(known.length >= 19, "the SDK exports fewer commands than it did");
  assert.deepEqual(left, []);
});
