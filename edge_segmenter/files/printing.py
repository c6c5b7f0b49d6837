"""Text for the terminal. A file name may hold any character."""


def printable(text: str) -> str:
    """Returns the text on one line, with escapes if a character in it cannot be printed."""
    return text if text.isprintable() else ascii(text)[1:-1]
