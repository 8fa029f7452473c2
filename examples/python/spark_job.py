"""Writes a Spark DataFrame into an index: `spark-submit spark_job.py BUCKET/INDEX`.

The executors need the packages vecload and pyarrow, and AWS keys of their own (a role). The index
is made by the first task that comes to it.
"""

import sys

from pyspark.sql import SparkSession

import vecload.spark

spark = SparkSession.builder.appName("vectors").getOrCreate()
vecload.spark.register(spark)

# 64 dimensions; any column of arrays of floats will do.
frame = spark.range(4000).selectExpr(
    "concat('doc-', id) AS id",
    "transform(sequence(1, 64), i -> cast(sin(id * i) AS float)) AS embedding",
    "id % 7 AS shelf",
)
(
    frame.write.format("vecload")
    .option("index", sys.argv[1])
    .option("key", "id")
    .option("create_index", "true")
    .option("distance_metric", "euclidean")
    .option("rows", frame.count())
    .mode("append")
    .save()
)
print(f"{frame.count()} vectors are in {sys.argv[1]}")
spark.stop()
