"""Supporting documents in an S3 bucket of a server that is not ours: a document goes there through the platform and comes
back, and nothing of it stays on the platform's disk.

Usage: documents_s3.py PATH_OF_THE_CONUM_BINARY
"""

import hashlib
import os
import urllib.request

from google.protobuf import json_format, message_factory
from moto.server import ThreadedMotoServer

from grant_journey import on_a_platform, walk

DOCUMENTS = "conum.applications.v1.DocumentsService"
PDF = b"%PDF-1.7\n" + bytes(range(256)) * (6 << 12)
CHUNK = 1 << 20


def streaming(platform, method):
    """The classes of a method's messages, and its path."""
    described = platform.pool.FindServiceByName(DOCUMENTS).methods_by_name[method]
    classes = [message_factory.GetMessageClass(kind) for kind in (described.input_type, described.output_type)]
    return *classes, f"/{DOCUMENTS}/{method}"


def upload(platform, owner, name, digest):
    request, answer, path = streaming(platform, "UploadDocument")
    header = {"name": name, "mediaType": "application/pdf", "size": len(PDF), "sha256": digest}
    parts = [json_format.ParseDict({"header": header}, request())]
    parts += [request(chunk=PDF[start:start + CHUNK]) for start in range(0, len(PDF), CHUNK)]
    call = platform.channel.stream_unary(
        path, request_serializer=request.SerializeToString, response_deserializer=answer.FromString)
    return call(iter(parts), metadata=[("authorization", f"Bearer {owner}")], timeout=20)


def download(platform, owner, name):
    request, answer, path = streaming(platform, "DownloadDocument")
    call = platform.channel.unary_stream(
        path, request_serializer=request.SerializeToString, response_deserializer=answer.FromString)
    parts = call(request(name=name), metadata=[("authorization", f"Bearer {owner}")], timeout=20)
    return b"".join(part.chunk for part in parts)


def walked(endpoint):
    def there_and_back(platform):
        name, owner = walk(platform)
        application = platform.call("conum.applications.v1.ApplicationsService/GetApplication", {"name": name}, owner)
        document = application["documents"][0]["name"]
        digest = hashlib.sha256(PDF).hexdigest()
        upload(platform, owner, document, digest)
        with urllib.request.urlopen(f"{endpoint}/documents?list-type=2") as answer:
            listed = answer.read().decode()
        assert listed.count("<Key>") == 1 and digest in listed and "<Key>conum/" in listed, listed
        assert download(platform, owner, document) == PDF
        kept = [path for path in platform.data.rglob("*") if path.is_file() and digest in path.name]
        assert not kept, kept
        print(f"{document} went into a bucket and came back")
    return there_and_back


server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
server.start()
host, port = server.get_host_and_port()
store = f"http://{host}:{port}"
urllib.request.urlopen(urllib.request.Request(f"{store}/documents", method="PUT"))
os.environ |= {
    "CONUM_DOCUMENTS_URL": "s3://documents/conum", "AWS_ENDPOINT": store, "AWS_ALLOW_HTTP": "true",
    "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nothing",
}
try:
    on_a_platform(walked(store))
finally:
    server.stop()
