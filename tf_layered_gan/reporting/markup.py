"""Functions that build HTML. They escape every text and attribute."""

import dataclasses
import html
import pathlib
from collections.abc import Iterable, Sequence
from importlib import resources

_VOID = {"img", "input", "meta"}


class Markup(str):
    """A text that is HTML already. Texts of other classes are escaped."""


def element(tag: str, *children: str, **attributes: str | float | bool | None) -> Markup:
    """Builds an HTML or SVG element.

    Args:
        tag: its name.
        children: `Markup` and other texts. The other texts are escaped.
        attributes: the attributes of the element. `class_` means class, and other underscores mean hyphens. With the
            value True, an attribute has a name but no value. Attributes with the value None or False are left out.

    Returns:
        the element.
    """
    opened = "".join([f"<{tag}", *(_attribute(name, value) for name, value in attributes.items()), ">"])
    return Markup(opened if tag in _VOID else f"{opened}{join(children)}</{tag}>")


def join(parts: Iterable[str]) -> Markup:
    """Joins `Markup` and other texts. The other texts are escaped."""
    return Markup("".join(part if isinstance(part, Markup) else escape(part) for part in parts))


def escape(text: str) -> Markup:
    """Escapes a text for HTML.

    Control characters become \\x codes, and so do bytes of a file name that are not UTF-8.
    """
    shown = "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)
    return Markup(html.escape(shown))


def table(head: Sequence[str], rows: Iterable[Sequence[str]], caption: str) -> Markup:
    """Builds a table. The first cell of each row is its heading."""
    header = element("tr", *(element("th", name, scope="col") for name in head))
    body = [
        element("tr", element("th", row[0], scope="row"), *(element("td", cell) for cell in row[1:])) for row in rows
    ]
    content = element("table", element("caption", caption), element("thead", header), element("tbody", *body))
    return element("div", content, class_="scrolls", tabindex="0", role="region", aria_label=caption)


def bar(share: float) -> Markup:
    """Shows a number from 0 to 1 as text and as a bar."""
    filled = element("i", style=f"width: {100 * min(1.0, max(0.0, share)):.0f}%")
    return join([f"{share:.3f}", element("span", filled, class_="bar", aria_hidden="true")])


def captioned(uri: Markup, alt: str, caption: str) -> Markup:
    """Builds an entry of a list: an image with a caption. The browser shows `alt` if it cannot show the image."""
    return element("li", element("figure", element("img", src=uri, alt=alt), element("figcaption", caption)))


@dataclasses.dataclass(frozen=True)
class Section:
    """A section of the page.

    Attributes:
        name: the id of its element in the page.
        title: its heading.
        content: the HTML below the heading.
    """

    name: str
    title: str
    content: Markup

    def drawn(self) -> Markup:
        """Returns the section as HTML, below a heading h2."""
        heading = element("h2", self.title, id=f"{self.name}-title")
        return element("section", heading, self.content, id=self.name, aria_labelledby=f"{self.name}-title")


def section(name: str, title: str, *children: str) -> Section:
    """Puts the parts of a section together."""
    return Section(name, title, join(children))


def paragraphs(*texts: str) -> Markup:
    """Builds a paragraph of each text that is not empty."""
    return join(element("p", text) for text in texts if text)


def package_file(name: str) -> str:
    """Reads a file in the folder of this module."""
    return pathlib.Path(str(resources.files(__package__) / name)).read_text(encoding="utf-8")


def _attribute(name: str, value: str | float | bool | None) -> str:
    if value is None or value is False:
        return ""
    name = name.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{value if isinstance(value, Markup) else escape(str(value))}"'
