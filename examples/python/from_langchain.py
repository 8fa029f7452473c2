"""Loads documents in bulk for LangChain's AmazonS3Vectors, which then searches them.

One `add_documents` call puts 200 at a time and waits for each; a corpus goes in with vecload. Both
agree on this: the key is the document's id, and its text is the metadata key `_page_content`.
"""

import hashlib
import math
import sys

import pyarrow as pa
from langchain_aws.vectorstores import AmazonS3Vectors
from langchain_core.embeddings import Embeddings

import vecload

DIMENSION = 64


class WordEmbeddings(Embeddings):
    """One fixed direction for each word, added up: stands for your model."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        total = [0.0] * DIMENSION
        for word in text.lower().split():
            digest = hashlib.sha512(word.encode()).digest()
            total = [sum_ + byte - 127.5 for sum_, byte in zip(total, digest, strict=True)]
        length = math.sqrt(sum(value * value for value in total))
        return [value / length for value in total]


index = sys.argv[1]
embeddings = WordEmbeddings()
texts = [f"page {number} of the manual" for number in range(1000)] + ["a cat sleeps"]
report = vecload.load(
    pa.table(
        {
            "id": [f"doc-{number}" for number in range(len(texts))],
            "vector": pa.array(
                embeddings.embed_documents(texts), pa.list_(pa.float32(), DIMENSION)
            ),
            "_page_content": texts,
            "year": [1990 + number % 30 for number in range(len(texts))],
        }
    ),
    index,
    create_index=True,
    distance_metric="cosine",
    non_filterable=["_page_content"],
)
print(f"{report.vectors_acknowledged} vectors are in {report.index}")

bucket, name = index.split("/")
store = AmazonS3Vectors(vector_bucket_name=bucket, index_name=name, embedding=embeddings)
for document in store.similarity_search("a cat", k=1):
    print(document.id, document.page_content, document.metadata)
