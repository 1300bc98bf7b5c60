"""Mail over SMTP, taken by a server that shares no code with the platform (aiosmtpd): refused at first, then accepted, and
delivered once, with a text and an HTML part and the Message-ID of its mail.

Usage: smtp_delivery.py PATH_OF_THE_CONUM_BINARY
"""

import email
import email.policy
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

from aiosmtpd.controller import Controller

CONUM = pathlib.Path(sys.argv[1]).resolve()


class Server:
    """Refuses the first delivery for a while, as busy servers do (RFC 5321, 451), then takes everything."""

    def __init__(self):
        self.refused = 0
        self.taken = []

    async def handle_DATA(self, server, session, envelope):
        if self.refused == 0:
            self.refused += 1
            return "451 Try again later"
        self.taken.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 OK"


def post(address, path, body, token=None):
    headers = {"content-type": "application/json"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    request = urllib.request.Request(f"http://{address}{path}", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def application():
    return {
        "profile": {"registrationNumber": "21690123100011", "legalName": "Commune de Lyon",
                    "kind": "STRUCTURE_KIND_LOCAL_AUTHORITY", "commune": "69123"},
        "contact": {"givenName": "Camille", "familyName": "Garnier", "function": "DRH", "email": "camille@lyon.example"},
        "lineManager": {"function": "Directrice"},
        "posts": [{"wishedStartDate": {"year": 2027, "month": 1, "day": 4}}],
        "missions": ["MISSION_DIGITAL_AUTONOMY"], "inFrequentedPlaces": True,
        "commitments": ["COMMITMENT_FREE_FOR_THE_PUBLIC", "COMMITMENT_FULL_TIME",
                        "COMMITMENT_TIME_FOR_MEETINGS_AND_TRAINING", "COMMITMENT_STATE_DRESS", "COMMITMENT_EQUIPMENT",
                        "COMMITMENT_SELECTION_IN_TIME", "COMMITMENT_FREE_WITHOUT_MEMBERSHIP"],
    }


def deliver(data, smtp_port, server):
    config = data / "conum.toml"
    config.write_text(f'listen = "127.0.0.1:0"\nsmtp_url = "smtp://127.0.0.1:{smtp_port}"\n')
    process = subprocess.Popen([CONUM, "up", "--data", data, "--config", config], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True, env={**os.environ})
    try:
        for line in process.stdout:
            if line.startswith("gateway"):
                address = line.split("http://")[1].strip()
            if line.startswith("data"):
                break
        token = subprocess.run([CONUM, "token", "--data", data, "--role", "agency"], check=True, capture_output=True,
                               text=True).stdout.strip()
        policy = {"value": "2099-12-31", "why": "A new season"}
        post(address, "/v1/services/applications/policies/closing-date:set", policy, token)
        post(address, "/v1/applications", application())
        for _ in range(400):
            if server.taken:
                break
            time.sleep(0.05)
    finally:
        process.terminate()
        process.wait(timeout=20)
    assert server.refused == 1 and len(server.taken) == 1, (server.refused, server.taken)
    mail = server.taken[0]
    assert mail["to"] == "camille@lyon.example" and mail["message-id"], mail
    kinds = [part.get_content_type() for part in mail.walk()]
    assert "text/plain" in kinds and "text/html" in kinds, kinds
    assert "/confirm/" in mail.get_body(("plain",)).get_content(), mail
    print(f"refused once, then delivered once: {mail['message-id']}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


server = Server()
controller = Controller(server, hostname="127.0.0.1", port=free_port(), ready_timeout=30)
controller.start()
try:
    with tempfile.TemporaryDirectory() as folder:
        deliver(pathlib.Path(folder), controller.port, server)
finally:
    controller.stop()
