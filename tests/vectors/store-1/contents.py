"""What make.py planted: bodies of every kind. Every value is made up, and says so.

It was run against version 0.1.0 and stands as it was. Two of each kind: `bare` has what is
required, so that the rest is filled in by the API; `full` has every member, and is then changed.
"""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

LINE, LINES = "fake line of a large value\n", 38_000  # 1,026,000 bytes: two parts
ODD = 'fake: "quoted", ü, 鍵, \U0001f511,\ttab\nnewline\0nul'
IMAGE = "icr.io/fake/helloworld"
INSTANCE = {"service_instance": {"id": "fake0000-0000-4000-8000-000000000001"}}
SERVICE_ID = {"id": "ServiceId-fake0000-0000-4000-8000-000000000002"}
PATH = "crn:v1:bluemix:public:is:us-south:a/fake::private-path-service-gateway:fake-gateway"


def pem(key: Any, form: Any) -> str:
    """Write a private key that was made for this and opens nothing."""
    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, plain).decode()


def tls() -> dict[str, str]:
    """Make a certificate of a name that nobody can have, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "fake.example.invalid")])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name)
    made = made.public_key(key.public_key()).serial_number(1)
    made = made.not_valid_before(start).not_valid_after(start + timedelta(days=1))
    certificate = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    return {
        "tls_cert": certificate.decode(),
        "tls_key": pem(key, serialization.PrivateFormat.PKCS8),
    }


def ssh() -> dict[str, str]:
    """Make an SSH key."""
    key = ed25519.Ed25519PrivateKey.generate()
    hosts = "fake.example.invalid ssh-ed25519 AAAAfake"
    return {"ssh_key": pem(key, serialization.PrivateFormat.OpenSSH), "known_hosts": hosts}


def secrets(where: str) -> dict[str, dict[str, Any]]:
    """Give a secret of every format, by its name; the values say which project they are of."""
    fake = f"fake of {where}"
    user = {"username": f"{fake}: user", "password": f"{fake}: password"}
    rows: dict[str, dict[str, Any]] = {
        "generic": {"data": {"token": f"{fake}: token", "odd.key": ODD, "empty": ""}},
        "basic_auth": {"data": user},
        "ssh_auth": {"data": ssh()},
        "tls": {"data": tls()},
        "registry": {"data": {**user, "server": "docker.io", "email": "fake@example.invalid"}},
        "hmac_auth": {
            "data": {"access_key_id": f"{fake}: id", "secret_access_key": f"{fake}: access key"}
        },
        "service_access": {
            "service_access": INSTANCE
            | {"resource_key": {"id": "fake-key"}, "role": {"crn": "fake-role"}}
            | {"serviceid": SERVICE_ID},
            "data": {"apikey": f"{fake}: credential"},
        },
        "service_operator": {
            "service_operator": {"resource_group_ids": ["fakegroup"], "serviceid": SERVICE_ID}
        },
    }
    named = {form.replace("_", "-"): {"format": form, **body} for form, body in rows.items()}
    return {"bare": {"format": "generic"}, "replaced": named["generic"], **named}


def literal(name: str, value: str) -> dict[str, str]:
    """Give a variable whose value is sealed."""
    return {"type": "literal", "name": name, "value": value}


def kinds(where: str) -> dict[str, dict[str, dict[str, Any]]]:
    """Give resources of every kind but secrets, by collection and name."""
    fake = f"fake of {where}"
    variables = [
        literal("TOKEN", f"{fake}: variable"),
        {"type": "secret_key_reference", "name": "P", "reference": "registry", "key": "password"},
        {"type": "config_map_full_reference", "reference": "full", "prefix": "CM_"},
    ]
    mount = {"type": "config_map", "mount_path": "/etc/fake", "reference": "full", "sub_path": "s"}
    container = {
        "image_reference": f"{IMAGE}:2",
        "image_secret": "registry",
        "run_arguments": ["a", "b"],
        "run_as_user": 1000,
        "run_commands": ["c"],
        "run_env_variables": variables,
        "run_service_account": "manager",
        "run_volume_mounts": [mount],
        "scale_cpu_limit": "0.5",
        "scale_ephemeral_storage_limit": "500M",
        "scale_memory_limit": "1G",
    }
    task = {"scale_array_spec": "1-3,7", "scale_max_execution_time": 60, "scale_retry_limit": 1}
    build = {
        "output_image": f"{IMAGE}:out",
        "output_secret": "registry",
        "source_url": "https://example.invalid/fake.git",
        "strategy_type": "dockerfile",
    }
    whole_build = build | {
        "run_build_params": variables[:2],
        "source_context_dir": "hello",
        "source_revision": "main",
        "source_secret": "ssh-auth",
        "strategy_size": "small",
        "strategy_spec_file": "Otherfile",
        "timeout": 60,
    }
    probe = {"type": "http", "path": "/live", "port": 8081, "interval": 20, "timeout": 5}
    scale = {"scale_concurrency": 10, "scale_min_instances": 3, "scale_max_instances": 5}
    bucket = {"bucket_location": "eu-de", "bucket_name": "fake", "secret_name": "hmac-auth"}
    image = {"image_reference": IMAGE}
    app, tls_secret = {"name": "full", "resource_type": "app_v2"}, {"tls_secret": "tls"}
    bound = {"prefix": "FAKE", "secret_name": "service-access"}
    return {
        "config_maps": {"bare": {}, "full": {"data": {"log-level": f"{fake}: map", "odd": ODD}}},
        "jobs": {"bare": image, "full": container | task},
        "job_runs": {
            "bare": image,
            "full": container | task | {"scale_array_size_variable_override": 9},
            "of-a-job": {"job_name": "full", "run_arguments": ["run"]},
        },
        "apps": {
            "bare": image,
            "full": container | scale | {"image_port": 8081, "probe_liveness": probe},
        },
        "functions": {
            "bare": {"code_reference": inline(f"{fake}: bare code"), "runtime": "nodejs-22"},
            "full": {
                "code_main": "run",
                "code_reference": inline(f"{fake}: code"),
                "run_env_variables": variables,
                "runtime": "python-3.13",
                "scale_cpu_limit": "0.25",
                "scale_memory_limit": "1G",
            },
        },
        "builds": {"bare": build, "full": whole_build},
        "build_runs": {
            "bare": build,
            "full": whole_build | {"service_account": "writer"},
            "of-a-build": {"build_name": "full"},
        },
        "bindings": {
            "app": {"component": app, **bound},
            "function": {"component": {"name": "full", "resource_type": "function_v2"}, **bound},
            "job": {"component": {"name": "full", "resource_type": "job_v2"}, **bound},
        },
        "domain_mappings": {"fake.example.com": {"component": app, **tls_secret}},
        "allowed_outbound_destinations": {
            "range": {"type": "cidr_block", "cidr_block": "10.1.0.0/16"},
            "path": {
                "type": "private_path_service_gateway",
                "private_path_service_gateway_crn": PATH,
                "isolation_policy": "dedicated",
            },
        },
        "persistent_data_stores": {"bucket": {"storage_type": "object_storage", "data": bucket}},
    }


def changes(where: str) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Give the method, the name and the body of a change, by collection."""
    fake = f"fake of {where}, changed"
    again = {"run_env_variables": [literal("TOKEN", f"{fake}: variable")]}
    return {
        "secrets": ("PUT", "replaced", {"format": "generic", "data": {"token": f"{fake}: token"}}),
        "config_maps": ("PUT", "full", {"data": {"log.level": f"{fake}: map"}}),
        "jobs": ("PATCH", "full", again | {"run_arguments": ["z"]}),
        "apps": ("PATCH", "full", again | {"scale_down_delay": 8}),
        "functions": ("PATCH", "full", {"code_reference": inline(f"{fake}: code")}),
        "builds": ("PATCH", "full", {"source_revision": "next"}),
        "domain_mappings": ("PATCH", "fake.example.com", {"tls_secret": "another"}),
        "allowed_outbound_destinations": ("PATCH", "range", {"cidr_block": "10.2.0.0/16"}),
    }


def inline(code: str) -> str:
    """Give inline code, as a reference holds it."""
    return "data:text/plain;base64," + base64.b64encode(code.encode()).decode()
