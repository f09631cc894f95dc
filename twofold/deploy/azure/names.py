"""Names that are unique in all of Azure, and stable: derived from the subscription and the stack's prefix."""

import hashlib


def unique(prefix: str, subscription: str, *, limit: int, hyphens: bool = True) -> str:
    """`prefix` and eight digits of a hash, at most `limit` characters."""
    digest = hashlib.sha256(f"{subscription}/{prefix}".encode()).hexdigest()[:8]
    text = f"{prefix[: limit - 9]}-{digest}" if hyphens else f"{prefix.replace('-', '')[: limit - 8]}{digest}"
    return text
