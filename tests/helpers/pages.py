"""The Markdown pages that tests check, with their commands, links and code blocks."""

import dataclasses
import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
GUIDES = [README, *sorted((ROOT / "docs").glob("*.md")), ROOT / "edge_segmenter/README.md", ROOT / "CONTRIBUTING.md"]
OTHERS = [*sorted((ROOT / "benchmarks").rglob("*.md")), ROOT / "tests/golden/README.md", ROOT / "CHANGELOG.md"]
PAGES = [*GUIDES, *OTHERS]
SHELL, SCRIPTS = ("", "sh"), ("bash", "yaml")
# The commands that pip installs, and their modules.
PROGRAMS = {
    "tf-layered-gan": "tf_layered_gan.main",
    "tf-layered-gan-export": "export.main",
    "tf-layered-gan-distill": "tf_layered_gan.distill",
    "edge-segmenter": "edge_segmenter",
}
_BLOCK = re.compile(r"^```(\S*)\n(.*?)^```$", re.S | re.M)
_IN_SCRIPTS = re.compile(r"exec (?:\.venv/bin/)?(\S.*?)'?$", re.M)


@dataclasses.dataclass(frozen=True)
class Command:
    """A command of a page, split into words as a shell would split it."""

    page: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.page}: {shlex.join(self.words)}"


def name(page: Path) -> str:
    """Returns a page's path in the repository."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> list[tuple[str, str]]:
    """Returns the language and the text of each fenced block."""
    return _BLOCK.findall(page.read_text())


def prose(page: Path) -> str:
    """Returns a page without its fenced blocks."""
    return _BLOCK.sub("", page.read_text())


def commands(page: Path) -> list[Command]:
    """Returns the commands of a page: those in its shell blocks, and those that its scripts run with `exec`."""
    found = []
    for language, text in blocks(page):
        joined = re.sub(r"\\\n\s*", "", text)
        if language in SHELL:
            found += [words for line in joined.splitlines() for words in _split(line)]
        elif language in SCRIPTS:
            found += [tuple(shlex.split(line)) for line in _IN_SCRIPTS.findall(joined)]
    return [Command(name(page), words) for words in found]


def _split(line: str) -> list[tuple[str, ...]]:
    """Splits a line into commands. A command is a tuple of words."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="&|;")
    lexer.whitespace_split = True
    found, words = [], []
    for word in [*lexer, ";"]:
        if set(word) <= set("&|;"):
            found += [tuple(words)] if words else []
            words = []
        else:
            words.append(word)
    return found


def anchors(page: Path) -> set[str]:
    """Returns the anchors that GitHub makes for the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", prose(page), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(page: Path) -> list[tuple[str, str]]:
    """Returns the text and the target of each link and image. Links to other sites are left out."""
    found = re.findall(r"\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)", prose(page))
    return [(text, target) for text, target in found if not re.match(r"https?:", target)]
