"""A payment file against the published schema of pain.001.001.09, as sepaxml carries it: the file is valid, and what is taken
away from it or added to it makes it invalid.

Usage: payment_file_schema.py PATH_OF_THE_EXAMPLE_PAYMENT_FILE
"""

import copy
import importlib.resources
import subprocess
import sys

from lxml import etree

NAME = "pain.001.001.09"
NAMESPACE = {"p": f"urn:iso:std:iso:20022:tech:xsd:{NAME}"}

schema = etree.XMLSchema(etree.fromstring(importlib.resources.files("sepaxml").joinpath(f"schemas/{NAME}.xsd").read_bytes()))
written = subprocess.run([sys.argv[1]], check=True, capture_output=True).stdout
document = etree.fromstring(written)
schema.assertValid(document)

orders = document.findall(".//p:CdtTrfTxInf", NAMESPACE)
cents = sum(int(order.find("p:Amt/p:InstdAmt", NAMESPACE).text.replace(".", "")) for order in orders)
assert len(orders) > 1
for group in ("GrpHdr", "PmtInf"):
    found = document.find(f".//p:{group}", NAMESPACE)
    assert int(found.find("p:NbOfTxs", NAMESPACE).text) == len(orders), group
    assert int(found.find("p:CtrlSum", NAMESPACE).text.replace(".", "")) == cents, group

# The schema is not blind: each of these is needed, or has its form.
for needed in ("MsgId", "PmtMtd", "ReqdExctnDt", "EndToEndId", "InstdAmt", "DbtrAcct"):
    spoilt = copy.deepcopy(document)
    element = spoilt.find(f".//p:{needed}", NAMESPACE)
    element.getparent().remove(element)
    assert not schema.validate(spoilt), f"valid without {needed}"
for formed, wrong in (("IBAN", "not an account"), ("BICFI", "x"), ("InstdAmt", "-1.00"), ("Nm", "A" * 141)):
    spoilt = copy.deepcopy(document)
    spoilt.find(f".//p:{formed}", NAMESPACE).text = wrong
    assert not schema.validate(spoilt), f"valid with {formed} {wrong}"
print(f"a payment file of {len(orders)} orders is valid by the schema of {NAME}")
