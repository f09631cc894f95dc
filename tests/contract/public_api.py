"""`python -m tests.contract.public_api` prints the public API: every public name of these modules, with its signature."""

import importlib
import inspect
import re

MODULES = (
    "twofold", "twofold.errors", "twofold.manifest", "twofold.settings", "twofold.runtime", "twofold.bootstrap",
    "twofold.portable.access_token", "twofold.portable.document_store", "twofold.portable.event_store",
    "twofold.portable.event_publisher", "twofold.portable.feed", "twofold.portable.issuer_keys",
    "twofold.portable.read_model", "twofold.portable.rebuild", "twofold.portable.resilience",
    "twofold.portable.idempotency", "twofold.portable.lease", "twofold.portable.message",
    "twofold.portable.message_queue",
    "twofold.portable.secret_store", "twofold.portable.cache", "twofold.portable.rate_limit",
    "twofold.http.auth", "twofold.http.openapi",
    "twofold.http.problem", "twofold.http.idempotency", "twofold.http.health", "twofold.testing",
    "twofold.aws.door", "twofold.azure.door", "twofold.local.door",
    "twofold.deploy", "twofold.deploy.config", "twofold.deploy.contract", "twofold.deploy.package", "twofold.deploy.sbom",
    "twofold.deploy.aws.account", "twofold.deploy.azure.account",
    "twofold.deploy.aws.data", "twofold.deploy.aws.messaging", "twofold.deploy.aws.secrets",
    "twofold.deploy.aws.cache", "twofold.deploy.aws.compute", "twofold.deploy.aws.gateway", "twofold.deploy.aws.edge",
    "twofold.deploy.aws.monitoring", "twofold.deploy.aws.network",
    "twofold.deploy.aws.domain", "twofold.deploy.aws.static", "twofold.deploy.aws.budget",
    "twofold.deploy.azure.data", "twofold.deploy.azure.messaging", "twofold.deploy.azure.secrets",
    "twofold.deploy.azure.access", "twofold.deploy.azure.cache", "twofold.deploy.azure.compute",
    "twofold.deploy.azure.gateway", "twofold.deploy.azure.edge", "twofold.deploy.azure.monitoring",
    "twofold.deploy.azure.domain", "twofold.deploy.azure.static", "twofold.deploy.azure.budget", "twofold.deploy.static",
    "twofold.deploy.azure.encryption", "twofold.deploy.azure.network",
)  # fmt: skip


def lines():
    """`module.name[.method](signature)`, sorted, without plain constants; imported names are listed where they are defined."""
    names = []
    for name in MODULES:
        module = importlib.import_module(name)
        listed = getattr(module, "__all__", None) or [
            key
            for key, value in vars(module).items()
            if not key.startswith("_") and getattr(value, "__module__", None) == name
        ]
        for key in listed:
            names += _of(f"{name}.{key}", getattr(module, key))
    return sorted(set(names))


def _of(path, value):
    if inspect.isclass(value):
        yield path + _signature(value)
        for key, member in vars(value).items():
            if key.startswith("_") or key in ("model_config", "model_fields"):
                continue
            if isinstance(member, property):
                yield f"{path}.{key}"
            elif inspect.isfunction(member) or isinstance(member, classmethod):
                yield f"{path}.{key}{_signature(getattr(value, key))}"
    elif inspect.isfunction(value):
        yield path + _signature(value)
    else:
        yield path


def _signature(value):
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):
        return ""
    plain = [p.replace(annotation=inspect.Parameter.empty) for p in signature.parameters.values()]
    text = str(signature.replace(parameters=plain, return_annotation=inspect.Signature.empty))
    return re.sub(r" at 0x[0-9a-f]+", "", text)


if __name__ == "__main__":
    print("\n".join(lines()))
