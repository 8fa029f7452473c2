"""Goal: tags, policies, index modes and text search configurations are kept as the service keeps
them, over a restart too.

Method: boto3, whose every reply is held against the model.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from support.api import bucket_arn, index_arn
from support.servers import VecloadServer

BUCKET = {"vectorBucketName": "bucket"}
INDEX = {"vectorBucketName": "bucket", "indexName": "index"}
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
            "Action": "s3vectors:*",
            "Resource": "*",
        }
    ],
}


def make(client: Any, **members: Any) -> None:
    client.create_index(
        **INDEX, dataType="float32", dimension=2, distanceMetric="cosine", **members
    )


def tags(client: Any, arn: str) -> dict[str, str]:
    found: dict[str, str] = client.list_tags_for_resource(resourceArn=arn)["tags"]
    return found


def code(call: Any, **members: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**members)
    return caught.value.response["Error"]["Code"]


def test_tags_are_given_at_creation_and_later(client: Any) -> None:
    client.create_vector_bucket(**BUCKET, tags={"env": "dev"})
    make(client, tags={"team": "search", "ö =/+:@": "a+b c"})
    assert tags(client, bucket_arn("bucket")) == {"env": "dev"}
    arn = index_arn("bucket", "index")
    assert tags(client, arn) == {"team": "search", "ö =/+:@": "a+b c"}
    client.tag_resource(resourceArn=arn, tags={"team": "", "more": "1"})
    client.untag_resource(resourceArn=arn, tagKeys=["ö =/+:@", "never there"])
    assert tags(client, arn) == {"team": "", "more": "1"}
    assert tags(client, bucket_arn("bucket")) == {"env": "dev"}


def test_tags_go_with_their_resource(client: Any) -> None:
    client.create_vector_bucket(**BUCKET, tags={"env": "dev"})
    make(client, tags={"team": "search"})
    client.delete_index(**INDEX)
    client.delete_vector_bucket(**BUCKET)
    for arn in (bucket_arn("bucket"), index_arn("bucket", "index")):
        assert code(client.list_tags_for_resource, resourceArn=arn) == "NotFoundException"
        assert code(client.tag_resource, resourceArn=arn, tags={"a": "b"}) == "NotFoundException"
        assert code(client.untag_resource, resourceArn=arn, tagKeys=["a"]) == "NotFoundException"
    client.create_vector_bucket(**BUCKET)
    make(client)
    assert tags(client, bucket_arn("bucket")) == {}
    assert tags(client, index_arn("bucket", "index")) == {}


def test_a_policy_by_name_and_by_arn(client: Any) -> None:
    client.create_vector_bucket(**BUCKET)
    by_arn = {"vectorBucketArn": bucket_arn("bucket")}
    assert code(client.get_vector_bucket_policy, **BUCKET) == "NotFoundException"
    client.put_vector_bucket_policy(**by_arn, policy=json.dumps(POLICY))
    assert json.loads(client.get_vector_bucket_policy(**BUCKET)["policy"]) == POLICY
    client.put_vector_bucket_policy(**BUCKET, policy="{}")
    assert client.get_vector_bucket_policy(**by_arn)["policy"] == "{}"
    client.delete_vector_bucket_policy(**by_arn)
    assert code(client.get_vector_bucket_policy, **by_arn) == "NotFoundException"


def test_an_index_is_encrypted_as_its_bucket_unless_it_says_otherwise(client: Any) -> None:
    kms = {"sseType": "aws:kms", "kmsKeyArn": "arn:aws:kms:us-east-1:111122223333:key/1234abcd"}
    client.create_vector_bucket(**BUCKET, encryptionConfiguration=kms)
    make(client)
    assert client.get_vector_bucket(**BUCKET)["vectorBucket"]["encryptionConfiguration"] == kms
    assert client.get_index(**INDEX)["index"]["encryptionConfiguration"] == kms
    client.delete_index(**INDEX)
    make(client, encryptionConfiguration={"sseType": "AES256"})
    found = client.get_index(**INDEX)["index"]["encryptionConfiguration"]
    assert found == {"sseType": "AES256"}


def test_everything_survives_a_kill(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    first = VecloadServer(tmp_path / "first", "--data-dir", data)
    client = first.client()
    client.create_vector_bucket(**BUCKET, tags={"env": "dev"})
    client.put_vector_bucket_policy(**BUCKET, policy=json.dumps(POLICY))
    make(
        client,
        tags={"team": "search"},
        metadataConfiguration={
            "nonFilterableMetadataKeys": ["note"],
            "textSearchConfigurations": [{"metadataKey": "title", "language": "de"}],
        },
    )
    client.update_metadata_configuration(
        **INDEX, add={"textSearchConfigurations": [{"metadataKey": "body"}]}
    )
    client.put_vector_bucket_default_index_mode(**BUCKET, defaultIndexMode="CLASSIC")
    before = client.get_index(**INDEX)["index"]
    assert before["metadataConfiguration"]["textSearchConfigurations"] == [
        {"metadataKey": "title", "language": "de", "status": "ACTIVE"},
        {"metadataKey": "body", "status": "ACTIVE"},
    ]
    first.kill()

    second = VecloadServer(tmp_path / "second", "--data-dir", data)
    client = second.client()
    assert client.get_index(**INDEX)["index"] == before
    assert tags(client, bucket_arn("bucket")) == {"env": "dev"}
    assert tags(client, index_arn("bucket", "index")) == {"team": "search"}
    assert json.loads(client.get_vector_bucket_policy(**BUCKET)["policy"]) == POLICY
    assert client.get_vector_bucket(**BUCKET)["vectorBucket"]["defaultIndexMode"] == "CLASSIC"
    second.stop()
