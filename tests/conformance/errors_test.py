"""Goal: every error that the service's model documents reaches boto3 as its own exception class,
or is listed here with the reason why this server has no occasion for it.

Method: the model's error shapes are enumerated, so a model with a new one makes this fail. Each is
provoked; errors that depend on load or on faults come from a server that makes them up.
"""

from collections.abc import Callable
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError

from support.servers import VecloadServer
from support.vectors import make_index

INDEX = {"vectorBucketName": "bucket", "indexName": "index"}
VECTORS = [{"key": "a", "data": {"float32": [1.0, 2.0]}}]

NEVER = {
    "AccessDeniedException": "policies are kept, and no permission is enforced",
    "KmsDisabledException": "there is no KMS on one machine",
    "KmsInvalidKeyUsageException": "there is no KMS on one machine",
    "KmsInvalidStateException": "there is no KMS on one machine",
    "KmsNotFoundException": "there is no KMS on one machine",
    "RequestTimeoutException": "boto3 does not stall in the middle of a request",
    "ServiceQuotaExceededException": "past 10,000 buckets or indexes; store_test.cc has it",
}


def made_up(flag: str, *values: str) -> Callable[[Any, Any], None]:
    """Starts a server with the flag, and writes until it refuses."""

    def provoke(start: Callable[..., VecloadServer], _client: Any) -> None:
        client = start(flag, *values).client()
        make_index(client, 2)
        for _ in range(10):
            client.put_vectors(**INDEX, vectors=VECTORS)

    return provoke


PROVOKED: dict[str, tuple[int, Callable[[Any, Any], Any]]] = {
    "ConflictException": (
        409, lambda _, client: client.create_vector_bucket(vectorBucketName="bucket"),
    ),
    "NotFoundException": (
        404, lambda _, client: client.get_vector_bucket(vectorBucketName="absent"),
    ),
    "ValidationException": (
        400, lambda _, client: client.query_vectors(
            **INDEX, topK=1, queryVector={"float32": [1.0]}),
    ),
    "TooManyRequestsException": (429, made_up("--rate-requests", "2")),
    "InternalServerException": (500, made_up("--faults", "seed=1,http500=1")),
    "ServiceUnavailableException": (503, made_up("--faults", "seed=1,http503=1")),
}  # fmt: skip


def test_the_models_errors_are_all_known() -> None:
    model: Any = botocore.session.get_session().get_service_model("s3vectors")
    assert {shape.name for shape in model.error_shapes} == set(PROVOKED) | set(NEVER)
    assert not set(PROVOKED) & set(NEVER)


@pytest.mark.parametrize("name", PROVOKED)
def test_an_error_is_an_exception_of_its_own(
    client: Any, start_server: Callable[..., VecloadServer], name: str
) -> None:
    make_index(client, 2)
    status, provoke = PROVOKED[name]
    with pytest.raises(ClientError) as caught:
        provoke(start_server, client)
    assert isinstance(caught.value, getattr(client.exceptions, name)), caught.value
    response: Any = caught.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert response["message"]
    # Only a fault of the input has fields to name.
    assert ("fieldList" in response) == (name == "ValidationException")
