"""The service, said once: what it is called, which blocks it uses, what runs beside its requests."""

from twofold import ServiceManifest

SERVICE = ServiceManifest(
    name="__SERVICE__",
    title="__TITLE__",
    app="api.app:create_app",
    blocks=frozenset({"documents"}),
    scopes=("notes",),
    sample_request="""/notes -H 'content-type: application/json' -d '{"text": "hello"}'""",
)
