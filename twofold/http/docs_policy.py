"""The content security policy of a documentation page: exactly what the page itself names."""

import base64
import hashlib
from collections.abc import Collection
from html.parser import HTMLParser


def docs_policy(page: bytes, connect: Collection[str]) -> bytes:
    """A policy (CSP level 3) under which the page's scripts and style sheets run and nothing else does.

    Scripts in the page are allowed by their SHA-256, others by their full URL, so it fits whatever version of Swagger UI the
    framework names. Only for pages that are made of the application's own text: what a caller put in would be allowed.
    """
    sources = _Page()
    sources.feed(page.decode("utf-8", "replace"))
    scripts = [*sources.scripts, *(f"'sha256-{_digest(text)}'" for text in sources.inline)] or ["'none'"]
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {' '.join(scripts)}",
            f"style-src {' '.join(sources.styles or ["'none'"])}",
            "img-src 'self' data:",  # Swagger UI's own icons
            f"connect-src {' '.join(("'self'", *connect))}",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    ).encode()


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.scripts: list[str] = []
        self.styles: list[str] = []
        self.inline: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "link" and attributes.get("rel") == "stylesheet" and (href := attributes.get("href")):
            self.styles.append(href)
        if tag == "script":
            if src := attributes.get("src"):
                self.scripts.append(src)
            else:
                self.inline.append("")
                self._inside = True

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.inline[-1] += data

    def handle_endtag(self, tag: str) -> None:
        self._inside = False


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
