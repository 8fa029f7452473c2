// The official Rust SDK as a loader: reads Parquet (id, embedding, category, year), puts 500 vectors
// a call, so many calls at once. What `bench/speed.py` measures vecload beside.
//
// usage: peer --endpoint URL --in-flight N FILE...
// Prints {"vectors":N,"wall_s":S}; ends with an error if any call failed.

use std::error::Error;
use std::fs::File;
use std::sync::Arc;
use std::time::Instant;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Int64Type};
use arrow_array::RecordBatch;
use aws_sdk_s3vectors::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3vectors::types::{PutInputVector, VectorData};
use aws_sdk_s3vectors::Client;
use aws_smithy_types::{Document, Number};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

const BATCH_VECTORS: usize = 500;

type Failure = Box<dyn Error + Send + Sync>;

struct Options {
    endpoint: String,
    in_flight: usize,
    files: Vec<String>,
}

fn options() -> Result<Options, Failure> {
    let mut options = Options { endpoint: String::new(), in_flight: 16, files: Vec::new() };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--endpoint" => options.endpoint = arguments.next().ok_or("--endpoint URL")?,
            "--in-flight" => options.in_flight = arguments.next().ok_or("--in-flight N")?.parse()?,
            _ => options.files.push(argument),
        }
    }
    Ok(options)
}

fn client(endpoint: &str) -> Client {
    let config = aws_sdk_s3vectors::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("bench", "bench", None, None, "bench"))
        .build();
    Client::from_conf(config)
}

// The vectors of a batch as the SDK wants them: one owned list of floats each.
fn vectors(batch: &RecordBatch) -> Result<Vec<PutInputVector>, Failure> {
    let column = |name: &str| batch.column_by_name(name).ok_or(format!("no column {name}"));
    let keys = column("id")?.as_string::<i32>();
    let embeddings = column("embedding")?.as_fixed_size_list();
    let length = embeddings.value_length() as usize;
    let floats = embeddings.values().as_primitive::<Float32Type>().values();
    let categories = column("category")?.as_string::<i32>();
    let years = column("year")?.as_primitive::<Int64Type>();
    let begin = embeddings.value_offset_at(0) as usize;
    (0..batch.num_rows())
        .map(|row| {
            let at = begin + row * length;
            let metadata = Document::Object(
                [
                    ("category".to_owned(), Document::String(categories.value(row).to_owned())),
                    ("year".to_owned(), Document::Number(Number::PosInt(years.value(row) as u64))),
                ]
                .into(),
            );
            Ok(PutInputVector::builder()
                .key(keys.value(row))
                .data(VectorData::Float32(floats[at..at + length].to_vec()))
                .metadata(metadata)
                .build()?)
        })
        .collect()
}

async fn put(client: Client, batch: RecordBatch) -> Result<usize, Failure> {
    let rows = batch.num_rows();
    client
        .put_vectors()
        .vector_bucket_name("null-bucket")
        .index_name("null-index")
        .set_vectors(Some(vectors(&batch)?))
        .send()
        .await?;
    Ok(rows)
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let options = options()?;
    let client = client(&options.endpoint);
    let begin = Instant::now();
    let free = Arc::new(Semaphore::new(options.in_flight));
    let mut puts: JoinSet<Result<usize, Failure>> = JoinSet::new();
    let mut loaded = 0;
    for file in &options.files {
        let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(file)?)?
            .with_batch_size(BATCH_VECTORS)
            .build()?;
        for batch in reader {
            let batch = batch?;
            let permit = free.clone().acquire_owned().await?;
            let client = client.clone();
            puts.spawn(async move {
                let done = put(client, batch).await;
                drop(permit);
                done
            });
            while let Some(done) = puts.try_join_next() {
                loaded += done??;
            }
        }
    }
    while let Some(done) = puts.join_next().await {
        loaded += done??;
    }
    println!("{{\"vectors\":{loaded},\"wall_s\":{:.6}}}", begin.elapsed().as_secs_f64());
    Ok(())
}
