"""DynamoDB Local from Maven Central, in the cache. `python tools/dynamodb_local.py` fetches it and prints its folder."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from twofold.emulators.cache import CACHE, MissingTool

HERE = Path(__file__).parent / "dynamodb-local"
HOME = CACHE / "dynamodb-local-2.6.1"


def fetch() -> Path:
    """The folder with its jars, native libraries and launcher; MissingTool without Java, or without Maven to fetch it."""
    if not shutil.which("java"):
        raise MissingTool("DynamoDB Local needs Java 17 (`java` is not on PATH)")
    if (HOME / "Loopback.class").is_file():
        return HOME
    for tool in ("mvn", "javac"):
        if not shutil.which(tool):
            raise MissingTool(f"fetching DynamoDB Local needs `{tool}`, which is not on PATH")
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        jars = Path(folder) / "jars"
        shutil.copy(HERE / "pom.xml", folder)
        for command in (
            ["mvn", "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={jars}"],
            ["javac", "-cp", f"{jars}/*", "-d", str(jars), str(HERE / "Loopback.java")],
        ):
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
            if done.returncode:
                raise MissingTool(
                    f"{command[0]} failed to fetch DynamoDB Local:\n{(done.stdout + done.stderr)[-1500:]}"
                )
        shutil.rmtree(HOME, ignore_errors=True)
        jars.rename(HOME)
    return HOME


def command(port: int) -> list[str]:
    """The command that serves on 127.0.0.1:port, all in memory."""
    home = fetch()
    return ["java", f"-Djava.library.path={home}", "-cp", f"{home}:{home}/*", "Loopback", str(port)]


if __name__ == "__main__":
    try:
        print(fetch())
    except MissingTool as exc:
        sys.exit(str(exc))
