"""LangChain's AmazonS3Vectors, unmodified, against the server at VECLOAD_URL.

Run by clients_test.py in an environment of its own. Embeddings are made from a text's words, so
that which document is nearest is known without a model: texts that share words are near.
"""

import hashlib
import math
import os
from itertools import pairwise
from typing import Any

from langchain_aws.vectorstores import AmazonS3Vectors
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings

DIMENSION = 64


class WordEmbeddings(Embeddings):
    """The normalized sum of one fixed direction a word."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        total = [0.0] * DIMENSION
        for word in text.lower().split():
            digest = hashlib.sha512(word.encode()).digest()
            total = [sum_ + byte - 127.5 for sum_, byte in zip(total, digest, strict=True)]
        length = math.sqrt(sum(value * value for value in total))
        return [value / length for value in total]


DOCUMENTS = [
    ("red apples and green pears", {"kind": "fruit", "year": 2020}),
    ("red cars and green buses", {"kind": "traffic", "year": 2021}),
    ("green pears in winter", {"kind": "fruit", "year": 2022}),
    ("a cat sleeps", {"kind": "animal", "year": 2023}),
]


def contents(documents: list[Document]) -> list[str]:
    return [document.page_content for document in documents]


def make_store(name: str, **more: Any) -> AmazonS3Vectors:
    return AmazonS3Vectors(
        vector_bucket_name="langchain",
        index_name=name,
        embedding=WordEmbeddings(),
        endpoint_url=os.environ["VECLOAD_URL"],
        region_name="us-east-1",
        **more,
    )


def check(metric: str) -> None:
    store = make_store(
        metric, distance_metric=metric, non_filterable_metadata_keys=["_page_content"]
    )
    documents = [Document(page_content=text, metadata=data) for text, data in DOCUMENTS]
    ids = store.add_documents(documents, ids=["one", "two", "three", "four"])
    assert ids == ["one", "two", "three", "four"], ids
    assert contents(store.get_by_ids(["three", "one"])) == [DOCUMENTS[2][0], DOCUMENTS[0][0]]

    found = store.similarity_search_with_score("green pears", k=4)
    assert len(found) == 4
    assert {found[0][0].page_content, found[1][0].page_content} == {
        DOCUMENTS[0][0],
        DOCUMENTS[2][0],
    }
    assert all(near[1] <= far[1] for near, far in pairwise(found)), found
    same, distance = store.similarity_search_with_score("a cat sleeps", k=1)[0]
    assert same.metadata == DOCUMENTS[3][1], same
    assert abs(distance) < 1e-3, distance

    filters: list[tuple[dict[str, Any], set[str]]] = [
        ({"kind": "fruit"}, {"one", "three"}),
        ({"kind": {"$ne": "fruit"}}, {"two", "four"}),
        ({"$and": [{"year": {"$gte": 2021}}, {"kind": {"$in": ["fruit", "traffic"]}}]},
         {"two", "three"}),
        ({"year": {"$exists": False}}, set()),
    ]  # fmt: skip
    for filter_, expected in filters:
        hits = store.similarity_search("green", k=4, filter=filter_)
        assert {hit.id for hit in hits} == expected, (filter_, hits)

    retriever = store.as_retriever(search_kwargs={"k": 1, "filter": {"kind": "traffic"}})
    assert contents(retriever.invoke("green pears")) == [DOCUMENTS[1][0]]

    assert store.delete(["one", "four"])
    assert {hit.id for hit in store.similarity_search("green", k=4)} == {"two", "three"}
    # More than one request of 500 can hold.
    store.add_texts([f"text {n}" for n in range(450)], ids=[f"t{n}" for n in range(450)])
    assert len(store.similarity_search("text 7", k=100)) == 100
    assert store.similarity_search("text 7", k=1)[0].id == "t7"
    assert store.delete()  # the whole index


def main() -> None:
    store = make_store("made-by-the-store")
    store.client.create_vector_bucket(vectorBucketName="langchain")
    for metric in ("cosine", "euclidean"):
        check(metric)
    assert store.client.list_indexes(vectorBucketName="langchain")["indexes"] == []
    print("done")


if __name__ == "__main__":
    main()
