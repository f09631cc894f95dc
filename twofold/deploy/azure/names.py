"""Names that are unique in all of Azure, and stable: derived from the subscription and the stack's prefix."""

import hashlib


def unique(prefix: str, subscription: str, *, limit: int, hyphens: bool = True) -> str:
    """`prefix` and eight digits of a hash, at most `limit` characters.

    A name that begins with a letter, ends with a letter or digit and has single hyphens alone is what the strictest of the
    services take: Key Vault and the Functions host refuse two in a row.
    """
    digest = hashlib.sha256(f"{subscription}/{prefix}".encode()).hexdigest()[:8]
    if hyphens:
        return f"{prefix[: limit - 9].rstrip('-')}-{digest}"
    return f"{prefix.replace('-', '')[: limit - 8]}{digest}"
