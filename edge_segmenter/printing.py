"""What is printed of names, which may hold any sign."""


def printable(text):
    """Returns a text that stays on one line, whatever signs a name in it holds."""
    return text if text.isprintable() else ascii(text)[1:-1]
