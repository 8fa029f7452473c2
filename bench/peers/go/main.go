// The official Go SDK as a loader: reads Parquet (id, embedding, category, year), puts 500 vectors a
// call, so many calls at once. What bench/speed.py measures vecload beside.
//
// usage: peer --endpoint URL --in-flight N FILE...
// Prints {"vectors":N,"wall_s":S}; ends with an error if any call failed.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3vectors"
	"github.com/aws/aws-sdk-go-v2/service/s3vectors/document"
	"github.com/aws/aws-sdk-go-v2/service/s3vectors/types"
)

const batchVectors = 500

func newClient(endpoint string) *s3vectors.Client {
	return s3vectors.New(s3vectors.Options{
		BaseEndpoint: aws.String(endpoint),
		Region:       "us-east-1",
		Credentials:  credentials.NewStaticCredentialsProvider("bench", "bench", ""),
	})
}

func column(batch arrow.RecordBatch, name string) arrow.Array {
	return batch.Column(batch.Schema().FieldIndices(name)[0])
}

// The vectors of a batch as the SDK wants them; the floats stay where Arrow has them.
func vectorsOf(batch arrow.RecordBatch) []types.PutInputVector {
	keys := column(batch, "id").(*array.String)
	embeddings := column(batch, "embedding").(*array.FixedSizeList)
	floats := embeddings.ListValues().(*array.Float32).Float32Values()
	categories := column(batch, "category").(*array.String)
	years := column(batch, "year").(*array.Int64)
	vectors := make([]types.PutInputVector, batch.NumRows())
	for row := range vectors {
		begin, end := embeddings.ValueOffsets(row)
		vectors[row] = types.PutInputVector{
			Key:  aws.String(keys.Value(row)),
			Data: &types.VectorDataMemberFloat32{Value: floats[begin:end]},
			Metadata: document.NewLazyDocument(map[string]any{
				"category": categories.Value(row),
				"year":     years.Value(row),
			}),
		}
	}
	return vectors
}

func readFile(ctx context.Context, path string, batches chan<- arrow.RecordBatch) error {
	parquetFile, err := file.OpenParquetFile(path, false)
	if err != nil {
		return err
	}
	defer parquetFile.Close()
	properties := pqarrow.ArrowReadProperties{BatchSize: batchVectors}
	reader, err := pqarrow.NewFileReader(parquetFile, properties, memory.DefaultAllocator)
	if err != nil {
		return err
	}
	records, err := reader.GetRecordReader(ctx, nil, nil)
	if err != nil {
		return err
	}
	defer records.Release()
	for records.Next() {
		batch := records.RecordBatch()
		batch.Retain()
		batches <- batch
	}
	return records.Err()
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "peer:", err)
	os.Exit(1)
}

func main() {
	endpoint := flag.String("endpoint", "", "URL of the service")
	inFlight := flag.Int("in-flight", 16, "calls at once")
	flag.Parse()
	ctx := context.Background()
	client := newClient(*endpoint)
	begin := time.Now()
	batches := make(chan arrow.RecordBatch, 4)
	var loaded atomic.Int64
	var workers sync.WaitGroup
	for range *inFlight {
		workers.Go(func() {
			for batch := range batches {
				_, err := client.PutVectors(ctx, &s3vectors.PutVectorsInput{
					VectorBucketName: aws.String("null-bucket"),
					IndexName:        aws.String("null-index"),
					Vectors:          vectorsOf(batch),
				})
				if err != nil {
					fail(err)
				}
				loaded.Add(batch.NumRows())
				batch.Release()
			}
		})
	}
	for _, path := range flag.Args() {
		if err := readFile(ctx, path, batches); err != nil {
			fail(err)
		}
	}
	close(batches)
	workers.Wait()
	fmt.Printf("{\"vectors\":%d,\"wall_s\":%.6f}\n", loaded.Load(), time.Since(begin).Seconds())
}
