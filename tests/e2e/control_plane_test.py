"""Goal: `vecload bucket` and `vecload index` do what a loader's user needs of the control plane.

Method: the real binary against the real server; boto3 confirms.
"""

from support.program import Program
from support.servers import VecloadServer
from support.vectors import make_index


def test_a_bucket_from_birth_to_death(program: Program, server: VecloadServer) -> None:
    assert program.run("bucket", "create", "one").stdout == "created one\n"
    assert program.run("bucket", "create", "two", "--output", "json").json == {
        "bucket": "two",
        "created": True,
    }
    listed = program.run("bucket", "list", "--output", "json").json["buckets"]
    assert [bucket["bucket"] for bucket in listed] == ["one", "two"]
    assert listed[0]["arn"].endswith(":bucket/one")
    text = program.run("bucket", "list", "--prefix", "tw").stdout.splitlines()
    assert [line.split()[-1] for line in text] == ["bucket", "two"]
    assert program.run("bucket", "delete", "one").exit_code == 0
    names = [b["vectorBucketName"] for b in server.client().list_vector_buckets()["vectorBuckets"]]
    assert names == ["two"]


def test_bucket_errors_name_the_bucket(program: Program, server: VecloadServer) -> None:
    make_index(server.client(), 2)
    for arguments, words in (
        (("bucket", "create", "bucket"), "bucket"),
        (("bucket", "delete", "bucket"), "not empty"),
        (("bucket", "delete", "absent"), "absent"),
        (("bucket", "create", "A_B"), "A_B"),
    ):
        done = program.run(*arguments)
        assert done.exit_code == 1, arguments
        assert done.stderr.startswith(f"vecload: {' '.join(arguments[:2])}: ")
        assert words in done.stderr, done.stderr
        assert done.stdout == ""


def test_an_index_from_birth_to_death(program: Program, server: VecloadServer) -> None:
    program.run("bucket", "create", "bkt")
    made = program.run("index", "create", "bkt/first", "--dimension", "12", "--distance-metric",
                       "euclidean", "--non-filterable", "note", "--tag", "a=b")  # fmt: skip
    assert (made.exit_code, made.stdout) == (0, "created bkt/first\n"), made.stderr
    theirs = server.client().get_index(vectorBucketName="bkt", indexName="first")["index"]
    assert (theirs["dimension"], theirs["distanceMetric"]) == (12, "euclidean")

    shown = program.run("index", "show", "bkt/first", "--output", "json").json
    assert shown["dimension"] == 12
    assert shown["distance_metric"] == "euclidean"
    assert shown["non_filterable_keys"] == ["note"]
    assert shown["arn"] == theirs["indexArn"]
    text = program.run("index", "show", shown["arn"]).stdout
    assert "euclidean" in text
    assert "note" in text

    program.run("index", "create", "bkt/second", "--dimension", "1", "--distance-metric", "cosine")
    listed = program.run("index", "list", "bkt", "--output", "json").json["indexes"]
    assert [index["index"] for index in listed] == ["bkt/first", "bkt/second"]
    assert program.run("index", "list", "bkt", "--prefix", "se").stdout.count("bkt/") == 1

    assert program.run("index", "delete", "bkt/first").stdout == "deleted bkt/first\n"
    assert program.run("index", "show", "bkt/first").exit_code == 1


def test_listings_follow_every_page(program: Program, server: VecloadServer) -> None:
    client = server.client()
    client.create_vector_bucket(vectorBucketName="bkt")
    for i in range(505):
        client.create_index(vectorBucketName="bkt", indexName=f"index-{i:03d}",
                            dataType="float32", dimension=1, distanceMetric="cosine")  # fmt: skip
    listed = program.run("index", "list", "bkt", "--output", "json").json["indexes"]
    assert [index["index"] for index in listed] == [f"bkt/index-{i:03d}" for i in range(505)]


def test_index_errors_name_the_index(program: Program, server: VecloadServer) -> None:
    make_index(server.client(), 2)
    for arguments in (
        ("index", "show", "bucket/absent"),
        ("index", "delete", "bucket/absent"),
        ("index", "create", "bucket/index", "--dimension", "2", "--distance-metric", "cosine"),
        ("index", "create", "absent/index", "--dimension", "2", "--distance-metric", "cosine"),
    ):
        done = program.run(*arguments)
        assert done.exit_code == 1, arguments
        assert arguments[2] in done.stderr or "absent" in done.stderr, done.stderr
        assert done.stdout == ""
