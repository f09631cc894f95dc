"""The artifact: one zip for all units of a service on one cloud, made from an allowlist. Same input, same bytes.

It holds the entry file, the manifest's packages, the kit without the other clouds' folders, and the locked dependencies as
wheels for the target (Linux x86-64, CPython 3.13), whatever machine builds it; and all modules compiled, since an instance
could not keep what it compiles. Byte code is checked against its source's hash, so none that is stale ever runs; its bytes
are those of the building Python's release (3.13.x). Of botocore's data it holds what the code can ask for (`trim.py`).
"""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import twofold
from twofold.deploy import clouds, size, trim
from twofold.deploy.config import StackConfig
from twofold.manifest import ServiceManifest
from twofold.settings import MARKER, marker

PYTHON = "3.13"
PLATFORM = "x86_64-manylinux_2_28"
ENTRY = {"aws": ("lambda_function.py",), "azure": ("function_app.py", "host.json")}
SITE_PACKAGES = {"azure": ".python_packages/lib/site-packages/"}
KIT_LEFT_OUT = {"deploy", "testing", "cli", "emulators"}
DEVELOPMENT_ONLY = {"local/issuer.py", "local/issuer_routes.py"}
_SKIPPED = ("__pycache__", ".dist-info/RECORD", ".dist-info/direct_url.json", ".dist-info/INSTALLER", ".pyc", ".pyi")
type Progress = Callable[[str], object]
RELEASE = platform.python_version()
BYTE_CODE = f"*.{sys.implementation.cache_tag}.pyc"
_EPOCH = (1980, 1, 1, 0, 0, 0)


class PackageError(Exception):
    """The artifact can't be built; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """A zip and the SHA-256 of its bytes; or a container image's digest, with no file here (`path` is empty then)."""

    path: Path
    digest: str

    def marker(self) -> str:
        """The text of its marker; empty for what is no file here."""
        if not self.path.is_file():
            return ""
        with zipfile.ZipFile(self.path) as archive:
            return archive.read(MARKER).decode()


def artifact(manifest: ServiceManifest, config: StackConfig, root: Path) -> Artifact:
    """What a stack deploys: the image or the earlier artifact that its config names, or else what is built now.

    An earlier artifact is read from `.build/` and must have the digest; the last `releases` that were built or deployed stay
    there. Raises PackageError.
    """
    if config.image:
        return Artifact(Path(), config.image.rpartition(":")[2])
    cloud, earlier = config.cloud, config.artifact
    built = _earlier(manifest, cloud, earlier, root) if earlier else build(manifest, cloud, root)
    for path in _kept(manifest, cloud, root)[config.releases :]:
        path.unlink(missing_ok=True)
        path.with_suffix(".cdx.json").unlink(missing_ok=True)
    return built


def path_of(manifest: ServiceManifest, cloud: str, digest: str, root: Path) -> Path:
    """Where the artifact with this digest lies, or would."""
    return root / ".build" / f"{manifest.name}-{cloud}-{digest[:16]}.zip"


def build(
    manifest: ServiceManifest, cloud: str, root: Path, *, dependencies: Path | None = None,
    progress: Progress = lambda _: None,
) -> Artifact:  # fmt: skip
    """Builds `<root>/.build/<service>-<cloud>-<digest>.zip`; `dependencies` replaces the folder of installed wheels.

    The last one is returned instead while its inputs are the same and its bytes have their digest, unless `dependencies` is
    given. `progress` is told each step. Raises PackageError, also for a zip that the cloud would not take.
    """
    site = SITE_PACKAGES.get(cloud, "")
    folder = root / ".build"
    progress("the locked wheels")
    wheels = dependencies or install(root / "requirements" / f"{cloud}.txt")
    progress("the service and the kit")
    files = _own(manifest, cloud, root)
    inputs = _inputs(manifest, cloud, wheels, files)
    last = folder / f"{manifest.name}-{cloud}.last"  # the inputs of the last build, and its digest
    recorded = last.read_text().split() if last.is_file() else []
    if dependencies is None and recorded[:1] == [inputs]:
        path = path_of(manifest, cloud, recorded[-1], root)
        if path.is_file() and _digest(path) == recorded[-1]:
            os.utime(path)
            return Artifact(path, recorded[-1])
    files |= _compiled(files) | dict(_tree(wheels, site)) | dict(_byte_code(wheels, site))
    files = trim.trimmed(files)
    files[MARKER] = marker(manifest.name, twofold.__version__, cloud, _contents(files)).encode()
    progress(f"{len(files):,} files into the zip")
    folder.mkdir(exist_ok=True)
    with (
        tempfile.NamedTemporaryFile(dir=folder, suffix=".zip", delete=False) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive,
    ):
        for name in sorted(files):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.external_attr = 0o644 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, files[name])
    if size.exceeds(cloud, Path(temporary.name).stat().st_size, sum(map(len, files.values()))):
        refusal = size.refusal(cloud, size.measure(Path(temporary.name), manifest, site, wheels))
        os.unlink(temporary.name)
        raise PackageError(refusal)
    digest = _digest(Path(temporary.name))
    path = path_of(manifest, cloud, digest, root)
    os.replace(temporary.name, path)
    last.write_text(f"{inputs} {digest}\n")
    return Artifact(path, digest)


def _own(manifest: ServiceManifest, cloud: str, root: Path) -> dict[str, bytes]:
    """The service's files and the kit's, by their names in the zip."""
    files: dict[str, bytes] = {}
    for entry in ENTRY.get(cloud, ()):
        if not (root / entry).is_file():
            raise PackageError(f"{root / entry} is missing: the entry file of {cloud}")
        files[entry] = (root / entry).read_bytes()
    for package in manifest.packages:
        if not (root / package).is_dir():
            raise PackageError(f"the manifest names the package {package!r}, but {root / package} is no folder")
        files |= dict(_tree(root / package, f"{package}/"))
    left_out = KIT_LEFT_OUT | (set(clouds()) - {cloud})
    for name, data in _tree(Path(twofold.__file__).parent, ""):
        if name.partition("/")[0] not in left_out and name not in DEVELOPMENT_ONLY:
            files[f"{SITE_PACKAGES.get(cloud, '')}twofold/{name}"] = data
    return files


def _inputs(manifest: ServiceManifest, cloud: str, wheels: Path, own: Mapping[str, bytes]) -> str:
    """A digest of all that decides a zip's bytes, and whether it may be: the same inputs need no second build."""
    builder = {path: Path(path).read_bytes() for path in (__file__, trim.__file__)}
    parts = (
        manifest.name, cloud, twofold.__version__, _contents(own), wheels.name, RELEASE, zlib.ZLIB_RUNTIME_VERSION,
        _contents(builder), size.LIMITS.get(cloud),
    )  # fmt: skip
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _earlier(manifest: ServiceManifest, cloud: str, digest: str, root: Path) -> Artifact:
    path = path_of(manifest, cloud, digest, root)
    if not path.is_file():
        raise PackageError(
            f"twofold:artifact is {digest}, but {path} is missing: copy it from where it was built, or get it from the stack "
            f"that runs it: twofold releases --cloud {cloud} --env <its environment> --fetch {digest}"
        )
    if _digest(path) != digest:
        raise PackageError(
            f"{path} does not have the digest {digest}: it was changed or is broken; delete it, get it anew"
        )
    os.utime(path)  # as if built now: what is deployed stays
    return Artifact(path, digest)


def _kept(manifest: ServiceManifest, cloud: str, root: Path) -> list[Path]:
    """The service's artifacts for this cloud, the last one first."""
    name = re.compile(rf"{re.escape(manifest.name)}-{cloud}-[0-9a-f]{{16}}\.zip")
    zips = [path for path in (root / ".build").glob("*.zip") if name.fullmatch(path.name)]
    return sorted(zips, key=lambda path: path.stat().st_mtime_ns, reverse=True)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def install(lock: Path) -> Path:
    """The lock's wheels for the target, in the cache by the lock's hash and the Python release that compiled them; fetched once."""
    if not lock.is_file():
        raise PackageError(f"{lock} is missing: the hash-pinned lock of the artifact's dependencies; run: make lock")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "twofold" / "wheels"
    target = cache / f"{hashlib.sha256(lock.read_bytes()).hexdigest()[:24]}-{RELEASE}"
    if target.is_dir():
        return target
    uv = _uv()
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        result = subprocess.run(  # noqa: S603 - our own arguments
            [
                uv, "pip", "install", "-q", "--target", f"{folder}/wheels", "--python-version", PYTHON,
                "--python-platform", PLATFORM, "--only-binary", ":all:", "--require-hashes", "--no-deps", "-r", str(lock),
            ],
            capture_output=True,
            text=True,
        )  # fmt: skip
        if result.returncode:
            raise PackageError(f"uv could not fetch the artifact's dependencies:\n{result.stderr.strip()[-1500:]}")
        shutil.rmtree(Path(folder) / "wheels" / "bin", ignore_errors=True)
        _compile(Path(folder) / "wheels")
        os.replace(f"{folder}/wheels", target)
    return target


def _uv() -> str:
    beside = Path(sys.executable).with_name("uv")
    command = str(beside) if beside.is_file() else shutil.which("uv")
    if command is None:
        raise PackageError("uv is missing: it fetches the artifact's dependencies; run: pip install uv")
    return command


def _contents(files: Mapping[str, bytes]) -> str:
    whole = hashlib.sha256()
    for name in sorted(files):
        whole.update(f"{name}\0{len(files[name])}\0".encode())
        whole.update(files[name])
    return whole.hexdigest()


def _compiled(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The byte code of the modules among these files."""
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items():
            if name.endswith(".py"):
                (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
                (Path(folder) / name).write_bytes(data)
        _compile(Path(folder))
        return dict(_byte_code(Path(folder), ""))


def _compile(folder: Path) -> None:
    # In a process of its own: what another one has in memory shows in the bytes. What is no Python 3.13 stays source.
    command = [
        sys.executable,
        "-I",
        "-m",
        "compileall",
        "-qq",
        "-s",
        str(folder),
        "--invalidation-mode",
        "checked-hash",
    ]
    subprocess.run([*command, str(folder)], capture_output=True)  # noqa: S603 - our own arguments


def _byte_code(folder: Path, prefix: str) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob(BYTE_CODE)):
        yield prefix + path.relative_to(folder).as_posix(), path.read_bytes()


def _tree(folder: Path, prefix: str) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        hidden = any(part.startswith(".") for part in name.split("/"))  # .env and their like stay here
        if path.is_file() and not hidden and not any(part in name for part in _SKIPPED):
            yield prefix + name, path.read_bytes()
