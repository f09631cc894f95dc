"""Tracebacks as whoever writes the service wants them: the frames of its own files, and a line for those of all others.

One without such a frame is an error of the kit or a library itself, and stays whole; so does one that the kit raised by mistake.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

KIT = Path(__file__).parents[1]
HEAD = "Traceback (most recent call last):"
LINKS = (
    "The above exception was the direct cause of the following exception:",
    "During handling of the above exception, another exception occurred:",
)
_FRAME = re.compile(r'  File "([^"]+)", line \d+')
_COLOUR = re.compile(r"\x1b\[[\d;]*m")


@dataclass
class _Block:
    """One exception of a chain: its frames, each with its source, and what it says."""

    frames: list[list[str]] = field(default_factory=list)
    error: str = ""


class Folding:
    """What is said, line by line; `whole` says where everything is. What may be a traceback's is kept until it has ended."""

    def __init__(self, root: Path, whole: str) -> None:
        self._root, self._whole = root.resolve(), whole
        self.kept: list[str] = []

    def feed(self, line: str) -> list[str]:
        """The lines to show now."""
        plain = _COLOUR.sub("", line)
        if (
            "\rTraceback" in plain
        ):  # Lambda's runtime client: the error first, then its traceback, in one line of the log
            error, *trace = plain.replace("\xa0", " ").split("\r")
            return [*self.flush(), *self._fold([*trace, error.removeprefix("[ERROR] ")])]
        plain = plain.rstrip("\r")
        if not self.kept:
            if plain.strip() != HEAD:
                return [line]
            self.kept.append(plain.strip())
            return []
        if plain.endswith(HEAD) and plain != HEAD:  # an error whose text has another's traceback: a lifespan's
            self.kept += [plain.removesuffix(HEAD).rstrip(": "), HEAD]
            return []
        ended = not self.kept[-1].startswith(("  ", HEAD))  # all but the error, and what links it to the next
        if ended and plain and plain not in LINKS and plain != HEAD:
            return [*self.flush(), *self.feed(line)]
        self.kept.append(plain)
        return []

    def flush(self) -> list[str]:
        """What is kept: nothing more belongs to it."""
        lines, self.kept = self.kept, []
        return self._fold(lines) if lines else []

    def _fold(self, lines: list[str]) -> list[str]:
        blocks = list(_blocks(lines))
        own = [block for block in blocks if any(map(self._owned, block.frames))]
        if not own or _mistaken(blocks[-1]):
            return lines
        shown: list[str] = []
        folded: dict[str, int] = {}
        for block in own:
            shown += [HEAD] if not shown else ["", LINKS[1], "", HEAD]
            for frame in block.frames:
                if self._owned(frame):
                    shown += [frame[0].replace(f"{self._root}/", ""), *frame[1:]]
            shown.append(block.error)
        shown += [f"from {block.error}" for block in blocks if block not in own]
        for frame in (frame for block in blocks for frame in block.frames if not self._owned(frame)):
            package = _package(frame)
            folded[package] = folded.get(package, 0) + 1
        if folded:
            names = ", ".join(sorted(folded))
            count = sum(folded.values())
            shown.append(f"… {count} frame{'s' if count > 1 else ''} of {names}: {self._whole}")
        return shown

    def _owned(self, frame: list[str]) -> bool:
        path = _path(frame)
        return (
            path.is_relative_to(self._root)
            and not path.is_relative_to(KIT)
            and not {"site-packages", ".venv"} & set(path.parts)
        )


def _blocks(lines: Iterable[str]) -> Iterable[_Block]:
    block = _Block()
    for line in lines:
        if line == HEAD:
            block = _Block()
        elif _FRAME.match(line):
            block.frames.append([line])
        elif line.startswith("  ") and block.frames:
            block.frames[-1].append(line)
        elif line and line not in LINKS:
            block.error = line
            yield block


def _path(frame: list[str]) -> Path:
    match = _FRAME.match(frame[0])
    assert match
    return Path(match[1])


def _mistaken(block: _Block) -> bool:
    """Whether the kit raised it, and none of its own errors: they are meant."""
    return bool(block.frames) and _path(block.frames[-1]).is_relative_to(KIT) and not block.error.startswith("twofold.")


def _package(frame: list[str]) -> str:
    path = _path(frame)
    if path.is_relative_to(KIT):
        return KIT.name
    names = path.parts
    return names[names.index("site-packages") + 1].removesuffix(".py") if "site-packages" in names else "Python"
