#pragma once

#include <cstdint>
#include <span>

#include "vecload/source.h"

// The arithmetic of a plan: what a load takes of the service and of the machine. Pure.
namespace vecload::load {

// kInvalidArgument: the column's vectors are not as long as the index's.
Status CheckDimension(uint32_t dimension, const std::string& column, const IndexInfo& index);

// What everything between reader and answer may hold by default: a body lives until its answer, so
// it is rate x latency x bytes, 46 MiB for each shard at 2,500 vectors/s of 1,024 dimensions and
// 1.5 s, half as much again, at least 256 MiB, and at most a quarter of the machine's memory.
uint64_t MemoryBytesDefault(uint32_t shards, uint64_t machine_bytes);
// Of this machine.
uint64_t MachineMemoryBytes();

// What a vector takes in a body as far as only its dimension is known: 13 bytes a float, comma
// included, and something for key and metadata.
uint64_t BodyBytesGuess(uint32_t dimension);
// As many vectors as fit into one body with a little to spare, at most 500.
uint32_t BatchVectors(double body_bytes_per_vector);
// The rows that are decoded together: 2 MiB of floats, at most 500, so that they stay in the cache
// from the decoder to the encoder.
uint32_t BlockRows(uint32_t dimension);

struct BatchShape {
  uint32_t shards = 1;
  uint32_t batch_vectors = 500;
  uint32_t block_rows = 500;
};
// How many PutVectors calls the files make, as the cutter cuts them (cutter.h): a batch may span
// files, but holds at most 16 blocks for each shard, and rows of at most 16 files. Every shard is
// taken to get its share of each file, but for chance.
uint64_t Requests(const Manifest& manifest, const BatchShape& shape);

// Seconds at the documented limits of each index: 2,500 vectors and 1,000 requests a second.
double LoadSeconds(uint64_t rows, uint64_t requests, uint32_t shards);

// ListVectors calls of one pass over the indexes: a page has at most 1,000 vectors, and 1 MB of
// what is stored. An index of its own is read in four segments.
uint64_t ListCalls(uint64_t rows, uint32_t shards, double logical_bytes_per_vector);

// The same of indexes whose rows are counted, each of which has at least one: at least these many
// requests, since rows that lie far apart may fill a batch's segments first.
uint64_t RequestsOfEach(std::span<const uint64_t> rows, uint32_t batch_vectors);
uint64_t ListCallsOfEach(std::span<const uint64_t> rows, double logical_bytes_per_vector);

}  // namespace vecload::load
