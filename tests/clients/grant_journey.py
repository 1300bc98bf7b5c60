"""A client that shares no code with the platform walks an application to its grant: Python's grpcio, which learns the
contracts through reflection.

Usage: grant_journey.py PATH_OF_THE_CONUM_BINARY
"""

import pathlib
import quopri
import re
import subprocess
import sys
import tempfile
import time

import grpc
from google.protobuf import descriptor_pool, json_format, message_factory
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

CONUM = pathlib.Path(sys.argv[1]).resolve()
COMMITMENTS = [
    "COMMITMENT_FREE_FOR_THE_PUBLIC", "COMMITMENT_FULL_TIME", "COMMITMENT_TIME_FOR_MEETINGS_AND_TRAINING",
    "COMMITMENT_STATE_DRESS", "COMMITMENT_EQUIPMENT", "COMMITMENT_SELECTION_IN_TIME",
    "COMMITMENT_FREE_WITHOUT_MEMBERSHIP",
]


class Platform:
    """The platform in a process of its own, spoken to through its gateway."""

    def __init__(self, data):
        self.data = data
        config = data / "conum.toml"
        config.write_text('listen = "127.0.0.1:0"\n')
        self.process = subprocess.Popen(
            [CONUM, "up", "--data", data, "--config", config], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for line in self.process.stdout:
            if line.startswith("gateway"):
                self.address = line.split("http://")[1].strip()
            if line.startswith("data"):
                break
        self.channel = grpc.insecure_channel(self.address)
        self.pool = descriptor_pool.DescriptorPool(ProtoReflectionDescriptorDatabase(self.channel))

    def token(self, role, *owned):
        words = [CONUM, "token", "--data", self.data, "--role", role]
        for name in owned:
            words += ["--owns", name]
        return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()

    def call(self, method, message, token=None):
        """Calls `package.Service/Method` with a message given as JSON; answers as JSON."""
        service, name = method.split("/")
        described = self.pool.FindServiceByName(service).methods_by_name[name]
        request = message_factory.GetMessageClass(described.input_type)
        answer = message_factory.GetMessageClass(described.output_type)
        call = self.channel.unary_unary(
            f"/{method}", request_serializer=request.SerializeToString, response_deserializer=answer.FromString)
        metadata = [("authorization", f"Bearer {token}")] if token else []
        answered = call(json_format.ParseDict(message, request()), metadata=metadata, timeout=10)
        return json_format.MessageToDict(answered)

    def confirmation(self, application):
        """The token of the mailed link, once the mail has come."""
        link = re.compile(re.escape(f"/confirm/{application.split('/')[1]}?t=") + r"([A-Za-z0-9_-]+)")
        for _ in range(200):
            for mail in (self.data / "mails").glob("*.eml"):
                found = link.search(quopri.decodestring(mail.read_bytes()).decode("utf-8", "replace"))
                if found:
                    return found.group(1)
            time.sleep(0.05)
        raise SystemExit("the confirmation mail never came")


def refused(platform, code, method, message, token=None):
    try:
        platform.call(method, message, token)
    except grpc.RpcError as error:
        assert error.code() == code, error
        return
    raise SystemExit(f"{method} was not refused")


def walk(platform):
    applications, waves = "conum.applications.v1.ApplicationsService", "conum.applications.v1.WavesService"
    agency = platform.token("agency")
    form = {
        "profile": {"registrationNumber": "21690123100011", "legalName": "Commune de Lyon",
                    "kind": "STRUCTURE_KIND_LOCAL_AUTHORITY", "commune": "69123", "address": "1 place de la Comédie"},
        "contact": {"givenName": "Camille", "familyName": "Garnier", "function": "DRH", "email": "camille@lyon.example"},
        "lineManager": {"function": "Directrice"},
        "posts": [{"wishedStartDate": {"year": 2027, "month": 1, "day": 4}},
                  {"wishedStartDate": {"year": 2027, "month": 3, "day": 1}}],
        "missions": ["MISSION_DIGITAL_AUTONOMY"], "inFrequentedPlaces": True, "commitments": COMMITMENTS,
    }
    # The desk of the rule book closed in January 2022: the agency opens it again, which is a policy.
    policy = {"name": "services/applications/policies/closing-date", "value": "2099-12-31", "why": "A new season"}
    described = platform.pool.FindServiceByName("conum.operations.v1.PoliciesService").methods_by_name["SetPolicy"]
    request = message_factory.GetMessageClass(described.input_type)
    answer = message_factory.GetMessageClass(described.output_type)
    platform.channel.unary_unary(
        "/conum.operations.v1.PoliciesService/SetPolicy", request_serializer=request.SerializeToString,
        response_deserializer=answer.FromString,
    )(json_format.ParseDict(policy, request()), timeout=10,
      metadata=[("authorization", f"Bearer {agency}"), ("conum-service", "applications")])

    created = platform.call(f"{applications}/CreateApplication", {"application": form})
    name, structure = created["name"], created["structure"]
    assert created["state"] == "STATE_SUBMITTED", created
    owner = platform.token("structure", structure)
    prefect = platform.token("prefect", "departments/69")

    refused(platform, grpc.StatusCode.ALREADY_EXISTS, f"{applications}/CreateApplication", {"application": form})
    opinion = {"name": name, "favourable": True, "comment": "Cohérent"}
    refused(platform, grpc.StatusCode.FAILED_PRECONDITION, f"{applications}/RecordOpinion", opinion, prefect)
    platform.call(f"{applications}/ConfirmAddress", {"name": name, "token": platform.confirmation(name)})
    other = platform.token("prefect", "departments/01")
    refused(platform, grpc.StatusCode.PERMISSION_DENIED, f"{applications}/RecordOpinion", opinion, other)
    platform.call(f"{applications}/RecordOpinion", opinion, prefect)

    wave = platform.call(f"{waves}/CreateWave", {"wave": {"committeeDate": {"year": 2026, "month": 1, "day": 5}}}, agency)
    grant = {"name": name, "wave": wave["name"], "count": 1}
    refused(platform, grpc.StatusCode.PERMISSION_DENIED, f"{applications}/GrantPosts", grant, owner)
    granted = platform.call(f"{applications}/GrantPosts", grant, agency)
    assert granted["state"] == "STATE_GRANTED", granted
    assert [post["state"] for post in granted["posts"]].count("STATE_GRANTED") == 1, granted
    programme = platform.call(f"{waves}/GetProgramme", {})
    assert programme["granted"] == 1, programme
    print(f"{name} of {structure} was granted 1 post of {len(granted['posts'])} in {wave['name']}")
    return name, owner


def on_a_platform(walked):
    """Walks on a platform of its own, in a folder that goes with it."""
    with tempfile.TemporaryDirectory() as folder:
        platform = Platform(pathlib.Path(folder))
        try:
            walked(platform)
        finally:
            platform.process.terminate()
            platform.process.wait(timeout=20)


if __name__ == "__main__":
    on_a_platform(walk)
