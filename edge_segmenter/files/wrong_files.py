"""Descriptions of files that people often pass by mistake in place of an image or a model."""

# Each kind of file begins with one of these byte strings.
_STARTS: dict[str, tuple[bytes, ...]] = {
    "a web page (HTML), such as a page to sign in": (b"<!doctype html", b"<html"),
    "a Git LFS pointer instead of the file: run git lfs pull": (b"version https://git-lfs",),
    "a drawing (SVG)": (b"<svg", b"<?xml"),
    "a JPEG 2000 image": (b"\0\0\0\x0cjp  ", b"\xff\x4f\xff\x51"),
    "a JPEG XL image": (b"\0\0\0\x0cjxl ", b"\xff\x0a"),
    "a PDF document": (b"%pdf",),
    "a Photoshop document": (b"8bps",),
    "a TIFF that Pillow cannot read, such as one with 32-bit colours: save it as PNG": (b"ii*\0", b"mm\0*"),
    "an archive (zip)": (b"pk\3\4",),
}
_LONGEST = 64  # number of bytes that are compared


def description(content: bytes) -> str | None:
    """Returns a text such as "the file is empty", or None if the first bytes match no kind of wrong file."""
    start = content[:_LONGEST]
    if not start:
        return "the file is empty"
    if len(start) >= 8 and not any(start):
        return "the file begins with zeros: it was not copied or downloaded completely"
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    found = next((name for name, starts in _STARTS.items() if text.startswith(starts)), None)
    return found and f"the file is {found}"
