"""Holds raw answers to botocore's `service-2` model: required members there, unknown members not, every value of its type.

boto3 itself drops what it does not know and does not miss what is not there.
"""

import base64
import binascii
import json
import xml.etree.ElementTree as ElementTree

# AWS says these without a message.
WORDLESS_CODES = {"ParameterNotFound"}

# Members that the models require and AWS leaves out: a batch's answer has no list without entries.
LEFT_OUT = {"Successful", "Failed"}

# Codes that AWS answers with although its models do not name them.
UNMODELLED_CODES = {
    "InvalidParameterValue",
    "InvalidParameterCombination",
    "InvalidParameterValueException",
    "MissingParameter",
    "MissingRequiredParameterException",
    "ValidationError",
    "ValidationException",
    "SerializationException",
    "UnknownOperationException",
    "InvalidAction",
    "AccessDenied",
    "AccessDeniedException",
    "ExpiredToken",
    "InvalidClientTokenId",
    "QueueAlreadyExists",
    "UnsupportedOperation",
    "InvalidAddress",
}


def hold_to_model(client, answers):
    """Checks each answer of this client; what is wrong with one is appended to `answers` as a list of sentences."""
    service = client.meta.service_model

    def check(operation_model, response_dict, **_):
        if service.metadata["protocol"] == "json":
            answers.append(check_json(operation_model, response_dict))
        elif service.metadata["protocol"] == "query":
            answers.append(check_query(operation_model, response_dict))
        elif service.metadata["protocol"] == "rest-json":
            answers.append(check_rest_json(operation_model, response_dict))

    client.meta.events.register(f"before-parse.{service.service_id.hyphenize()}", check)


def check_json(operation, response):
    place = f"{operation.name} ({response['status_code']})"
    document = json.loads(response["body"] or b"{}")
    if response["status_code"] < 300:
        shape = operation.output_shape
        return list(compare(document, shape, place)) if shape else ([f"{place}: members without a shape"] if document else [])
    codes = {shape.name for shape in operation.service_model.error_shapes}
    codes |= {shape.error_code for shape in operation.service_model.error_shapes} | UNMODELLED_CODES
    problems = []
    code = document.get("__type", "").rpartition("#")[2]
    if code not in codes:
        problems.append(f"{place}: no error is called {code!r}")
    if not isinstance(document.get("message", document.get("Message")), str) and code not in WORDLESS_CODES:
        problems.append(f"{place}: an error without a message")
    if response["status_code"] >= 500:
        problems.append(f"{place}: a failure of the server")
    return problems


def check_rest_json(operation, response):
    status, place = response["status_code"], f"{operation.name} ({response['status_code']})"
    if not isinstance(response["body"], bytes):  # a payload that is streamed has no shape
        return []
    document = json.loads(response["body"] or b"{}")
    if status < 300:
        problems = [] if status == operation.http["responseCode"] else [f"{place}: not {operation.http['responseCode']}"]
        return problems + list(compare(document, operation.output_shape, place) if operation.output_shape else [])
    statuses = {shape.name: shape.metadata.get("error", {}).get("httpStatusCode") for shape in operation.error_shapes}
    code = response["headers"].get("x-amzn-errortype", "")
    problems = []
    if code in statuses and statuses[code] not in (None, status):
        problems.append(f"{place}: {code} comes with {statuses[code]}")
    if code not in statuses and code not in UNMODELLED_CODES | {"InvalidRequestContentException"}:
        problems.append(f"{place}: no error is called {code!r}")
    if not isinstance(document.get("message", document.get("Message")), str):
        problems.append(f"{place}: an error without a message")
    return problems


def compare(value, shape, place):
    """-> what in the JSON value is unlike the shape"""
    if shape.type_name == "structure":
        yield from compare_structure(value, shape, place)
    elif shape.type_name == "list":
        if not isinstance(value, list):
            yield f"{place}: {value!r} is no list"
            return
        for number, item in enumerate(value):
            yield from compare(item, shape.member, f"{place}[{number}]")
    elif shape.type_name == "map":
        if not isinstance(value, dict):
            yield f"{place}: {value!r} is no map"
            return
        for key, item in value.items():
            yield from compare(item, shape.value, f"{place}[{key!r}]")
    else:
        yield from compare_scalar(value, shape, place)


def compare_structure(value, shape, place):
    if not isinstance(value, dict):
        yield f"{place}: {value!r} is no structure"
        return
    known = {member.serialization.get("name", name): (name, member) for name, member in shape.members.items()}
    for name in value.keys() - known.keys():
        yield f"{place}.{name}: unknown to {shape.name}"
    for wire_name, (name, member) in known.items():
        if wire_name in value:
            yield from compare(value[wire_name], member, f"{place}.{name}")
        elif name in shape.required_members and not (shape.name.endswith("BatchResult") and name in LEFT_OUT):
            yield f"{place}.{name}: required, and not there"


def compare_scalar(value, shape, place):
    types = {
        "string": str,
        "character": str,
        "blob": str,
        "boolean": bool,
        "integer": int,
        "long": int,
        "float": (int, float),
        "double": (int, float),
        "timestamp": (int, float),
    }
    if not isinstance(value, types[shape.type_name]) or (isinstance(value, bool) != (shape.type_name == "boolean")):
        yield f"{place}: {value!r} is no {shape.type_name}"
    elif shape.type_name == "blob":
        try:
            base64.b64decode(value, validate=True)
        except binascii.Error:
            yield f"{place}: not base64"
    elif shape.type_name == "string" and shape.enum and value not in shape.enum:
        yield f"{place}: {value!r} is not one of {shape.enum}"


def check_query(operation, response):
    """XML: the names of the envelope, and members of the result's first level."""
    place = f"{operation.name} ({response['status_code']})"
    root = ElementTree.fromstring(response["body"])
    namespace = operation.service_model.metadata["xmlNamespace"]
    if not root.tag.startswith(f"{{{namespace}}}"):
        return [f"{place}: {root.tag} is not of {namespace}"]
    name = root.tag.rpartition("}")[2]
    if response["status_code"] >= 300:
        return [] if name == "ErrorResponse" else [f"{place}: an error in {name}"]
    problems = [] if name == f"{operation.name}Response" else [f"{place}: the answer is called {name}"]
    shape = operation.output_shape
    if shape is None:
        return problems
    result = root.find(f"{{{namespace}}}{shape.serialization['resultWrapper']}")
    if result is None:
        return [*problems, f"{place}: no {shape.serialization['resultWrapper']}"]
    there = {child.tag.rpartition("}")[2] for child in result}
    problems += [f"{place}.{member}: unknown to {shape.name}" for member in there - shape.members.keys()]
    problems += [f"{place}.{member}: required, and not there" for member in set(shape.required_members) - there]
    return problems
