"""The folder of `twofold:static`: what is served, with which headers, and what is refused."""

import pytest

from twofold.deploy.config import ConfigError
from twofold.deploy.static import FIVE_MINUTES, FOREVER, SECURITY_HEADERS, content
from twofold.http.security_headers import HEADERS


def folder(tmp_path, *names):
    for name in names:
        (tmp_path / "site" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "site" / name).write_text(name)
    return tmp_path


def test_files_are_named_by_their_path_and_hidden_ones_left_out(tmp_path):
    site = content(folder(tmp_path, "b/a.js", "index.html", ".env", ".git/config", "b/.DS_Store"), "site")
    assert [file.name for file in site.files] == ["b/a.js", "index.html"] and site.folder == tmp_path / "site"
    assert content(tmp_path, "") is None


@pytest.mark.parametrize(
    ("name", "type"),
    [
        ("a.html", "text/html; charset=utf-8"), ("a.mjs", "text/javascript; charset=utf-8"), ("a.woff2", "font/woff2"),
        ("a.svg", "image/svg+xml"), ("a.js.map", "application/json"), ("a.tar.gz", "application/octet-stream"),
        ("a", "application/octet-stream"),
    ],
)  # fmt: skip
def test_types_are_the_same_on_every_machine(tmp_path, name, type):
    [file] = content(folder(tmp_path, name), "site").files
    assert file.content_type == type


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("app.3f9a1c2b.js", FOREVER), ("app-3f9a1c2b4d5e.css", FOREVER), ("index.html", FIVE_MINUTES),
        ("report-20251125.pdf", FIVE_MINUTES), ("the-deadbeef.js", FIVE_MINUTES), ("my-homepage.js", FIVE_MINUTES),
        ("app.3f9a1c2.js", FIVE_MINUTES), ("3f9a1c2b.js", FIVE_MINUTES),
    ],
)  # fmt: skip
def test_a_name_with_a_hash_is_kept_for_ever(tmp_path, name, kept):
    [file] = content(folder(tmp_path, name), "site").files
    assert file.cache_control == kept


def test_the_edge_sends_the_services_own_headers_but_for_caching():
    own = {name.decode(): value.decode() for name, value in HEADERS}
    assert SECURITY_HEADERS.items() >= own.items() - {("cache-control", "no-store")}
    assert set(SECURITY_HEADERS) - set(own) == {"content-security-policy"} and "cache-control" not in SECURITY_HEADERS


def test_a_folder_that_is_missing_empty_or_linked_is_refused_in_a_line(tmp_path):
    with pytest.raises(ConfigError, match=r"twofold:static is 'site', but .*site is no folder: build the files first"):
        content(tmp_path, "site")
    (tmp_path / "site").mkdir()
    with pytest.raises(ConfigError, match="has no files"):
        content(tmp_path, "site")
    (tmp_path / "secret").write_text("s")
    (tmp_path / "site" / "a.txt").symlink_to(tmp_path / "secret")
    with pytest.raises(ConfigError, match=r"a\.txt is a link") as refused:
        content(tmp_path, "site")
    assert "\n" not in str(refused.value)
