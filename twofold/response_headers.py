"""Response headers that keep a browser from doing more with an answer than it should (OWASP secure headers).

The service sets them on its answers, the edge on static files: the same ones.
"""

HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"strict-transport-security", b"max-age=31536000"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    (b"cache-control", b"no-store"),
)
PAGE_POLICY = b"base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
"""The content security policy of pages: what they load is theirs to say, in a policy of their own."""
