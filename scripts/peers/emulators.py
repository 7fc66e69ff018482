"""Starts the emulators on free loopback ports; ready means that SQS answers."""

import os
import urllib.error
import urllib.request

from . import installs

START_SECONDS_MAX = 120


def clients(running):
    """boto3, pytest and moto's tests need no server: they are the ones who ask."""
    folder, older = installs.clients(running), installs.older(running)
    return {
        "OPSCTL_TEST_OLDER_PYTHON": str(older / "bin" / "python"),
        "OPSCTL_TEST_PYTHON": str(folder / "bin" / "python"),
        "OPSCTL_TEST_MOTO": str(folder / "moto-tests"),
    }


def start_ministack(running):
    folder = installs.ministack(running)
    port = running.free_port()
    settings = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "LOG_LEVEL": "WARNING"}
    url = start(running, "ministack", [folder / "bin" / "ministack"], port, settings)
    return {"OPSCTL_TEST_MINISTACK": url}


def start_localstack(running):
    folder = installs.localstack(running)
    port = running.free_port()
    settings = {
        "GATEWAY_SERVER": "hypercorn",  # the default server binds every address
        "GATEWAY_LISTEN": f"127.0.0.1:{port}",
        "LOCALSTACK_HOST": f"127.0.0.1:{port}",
        "SQS_ENDPOINT_STRATEGY": "path",  # queue URLs without a host name that only resolves elsewhere
        "SERVICES": "sqs,sts,ssm,sns,cloudwatch,secretsmanager",
        "EAGER_SERVICE_LOADING": "0",
        "DISABLE_EVENTS": "1",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "DNS_ADDRESS": "0",
        "FILESYSTEM_ROOT": str(running.folder / "localstack"),
    }
    command = [folder / "bin" / "python", "-m", "localstack.runtime.main"]
    url = start(running, "localstack", command, port, settings)
    return {"OPSCTL_TEST_LOCALSTACK": url}


def start(running, name, command, port, settings):
    """-> the endpoint's URL, once SQS answers there"""
    url = f"http://127.0.0.1:{port}"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))}
    with running.step(f"start {name}"):
        process = running.start(name, command, env={**inherited, **settings}, cwd=running.folder)
        running.wait_until(process, lambda: sqs_answers(url), START_SECONDS_MAX)
    return url


def sqs_answers(url):
    request = urllib.request.Request(
        url,
        data=b"{}",
        headers={
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": "AmazonSQS.ListQueues",
            "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/sqs/aws4_request, "
            "SignedHeaders=host, Signature=00",
        },
    )
    try:
        # No proxy of the environment: the peers are on loopback.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False
