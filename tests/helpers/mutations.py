"""Functions that write broken and odd image files.

The files are the same in every run. For each file, the expected result is stated: the file is read, it is left out, or
both are allowed.
"""

import dataclasses
import os
import random
import struct
import zlib

import numpy as np
from image_bytes import ENDINGS, PNG, SIZE, chunk, encoded, many_scans, noise, orientation, png
from PIL import Image, ImageCms

READ, LEFT_OUT, EITHER = "read", "left out", "either"
LIMIT = 2**26  # pixels


@dataclasses.dataclass(frozen=True)
class Mutation:
    """A file for a test.

    Attributes:
        name: the relative path of the file.
        expected: `READ`, `LEFT_OUT` or `EITHER`; None if the file is ignored, because it has no suffix.
        size: width and height of the displayed image, or None if they are not checked.
    """

    name: str
    expected: str
    size: tuple[int, int] | None = None


class _Folder:
    """Writes files to a folder, and keeps a list of mutations."""

    def __init__(self, path):
        self.path, self.mutations = path, []

    def add(self, name, content, expected, size=None):
        (self.path / name).parent.mkdir(parents=True, exist_ok=True)
        (self.path / name).write_bytes(content)
        self.mutations.append(Mutation(str(name), expected, size))

    def link(self, name, target, expected, size=None):
        (self.path / name).symlink_to(target)
        self.mutations.append(Mutation(name, expected, size))


def write(path):
    """Writes all files to the folder `path`. Returns a list of `Mutation`."""
    folder = _Folder(path)
    for kind in (_cut, _flipped, _of_other_formats, _no_images, _bombs, _sizes, _animated, _modes, _jpegs, _exif):
        kind(folder)
    for kind in (_png_chunks, _metadata, _names, _no_files, _folders):
        kind(folder)
    return folder.mutations


def write_large(path):
    """Writes two readable images. Each of them needs as much memory as the limit allows."""
    palette = [(b"PLTE", bytes(6)), (b"tRNS", b"\x7f\xff")]
    (path / "limit.png").write_bytes(png(8192, 8192, color=3, chunks=palette))
    (path / "large.jpg").write_bytes(encoded(Image.new("CMYK", (4096, 4096)), "jpg", progressive=True))


def _cut(folder):
    for ending in ENDINGS:
        content = encoded(noise(), ending)
        for share in (0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5):
            folder.add(f"cut_{share}.{ending}", content[: int(share * len(content))], LEFT_OUT)
        for share in (0.7, 0.9, 0.97, 0.99):
            folder.add(f"cut_{share}.{ending}", content[: int(share * len(content))], EITHER)


def _flipped(folder):
    generator = random.Random(0)
    for ending in ENDINGS:
        content = encoded(noise(), ending)
        for place, end, count in (("header", 32, 8), ("body", len(content), 12)):
            for number in range(count):
                flipped = bytearray(content)
                for _ in range(1 + number):
                    flipped[generator.randrange(end)] ^= 1 << generator.randrange(8)
                folder.add(f"flipped_{place}_{number}.{ending}", flipped, EITHER)


def _of_other_formats(folder):
    for ending in ENDINGS:
        for other in ENDINGS.keys() - {ending}:
            folder.add(f"really_{other}.{ending}", encoded(noise(), other), READ, SIZE)
    for other in ("GIF", "TIFF", "AVIF"):
        folder.add(f"really_{other}.jpg", encoded(noise(), other), READ, SIZE)
    for other in ("ICO", "PPM", "EPS", "PDF", "TGA", "SGI", "PCX", "JPEG2000", "DDS"):
        folder.add(f"really_{other}.jpg", encoded(noise(), other), LEFT_OUT)


def _no_images(folder):
    generator = np.random.default_rng(1)
    contents = {
        "text": b"no image",
        "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(out) (w) file closefile\n",
        "zeros": bytes(2000),
        "random": generator.bytes(2000),
    }
    for name, content in contents.items():
        folder.add(f"{name}.jpg", content, LEFT_OUT)
        folder.add(f"{name}.webp", content, LEFT_OUT)
    for ending in ENDINGS:
        folder.add(f"empty.{ending}", b"", LEFT_OUT)
        folder.add(f"signature.{ending}", encoded(noise(), ending)[:12] + generator.bytes(500), LEFT_OUT)


def _bombs(folder):
    """Writes files whose headers state larger sizes than the limits allow."""
    for side in (2**31 - 1, 2**20, 20_000):
        rows = zlib.compress(bytes(1000))
        folder.add(f"bomb_{side}.png", png(side, side, rows=rows), LEFT_OUT)
        bmp = bytearray(encoded(noise(), "bmp"))
        bmp[18:26] = struct.pack("<ii", side, -side)
        folder.add(f"bomb_{side}.bmp", bmp, LEFT_OUT)
    jpeg = bytearray(encoded(noise(), "jpg"))
    place = jpeg.index(b"\xff\xc0") + 5
    jpeg[place : place + 4] = b"\xff\xff\xff\xff"
    folder.add("bomb.jpg", jpeg, LEFT_OUT)
    # A VP8X header that states 16,383 pixels in width and height.
    canvas = struct.pack("<I", 0) + b"\xfe\x3f\x00\xfe\x3f\x00"
    folder.add("bomb.webp", b"RIFF\x64\0\0\0WEBPVP8X\x0a\0\0\0" + canvas + bytes(60), LEFT_OUT)
    folder.add("bomb_too_large.png", png(LIMIT // 4 + 1, 4, depth=1, color=0), LEFT_OUT)
    folder.add("scans.jpg", many_scans(Image.new("L", (2048, 2048)), 3000), LEFT_OUT)
    text = zlib.compress(bytes(20_000_000))
    bombs = {b"zTXt": b"a\0\0", b"iTXt": b"a\0\1\0\0\0", b"iCCP": b"a\0\0"}
    for name, start in bombs.items():
        folder.add(f"bomb_{name.decode()}.png", png(*SIZE, chunks=[(name, start + text)] * 5), READ)
    folder.add("sparse.webp", b"RIFF\xf0\xff\xff\xffWEBPVP8 \xe0\xff\xff\xff", LEFT_OUT)
    os.truncate(folder.path / "sparse.webp", 2**32)  # a sparse file takes no space on the disk


def _sizes(folder):
    for ending in ENDINGS:
        for size in ((1, 1), (1, 2), (3, 1)):
            folder.add(f"{size[0]}x{size[1]}.{ending}", encoded(noise(size), ending), READ, size)
    for ending in ("jpg", "png", "bmp"):
        for size in ((30_000, 1), (30_000, 2), (2, 30_000)):
            folder.add(f"{size[0]}x{size[1]}.{ending}", encoded(noise(size), ending), READ, size)
    folder.add("16383x1.webp", encoded(noise((16_383, 1)), "webp"), READ, (16_383, 1))
    folder.add("0x0.png", png(0, 0), LEFT_OUT)
    folder.add("0x9.png", png(0, 9), LEFT_OUT)


def _animated(folder):
    frames = [noise(), noise().rotate(180), noise().rotate(90)]
    for name, kind, expected in (
        ("animated_gif.jpg", "GIF", READ),
        ("animated.webp", "WEBP", READ),
        ("animated.png", "PNG", READ),
        ("mpo.jpg", "MPO", READ),
    ):
        content = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
        folder.add(name, content, expected, SIZE if expected == READ else None)
        folder.add(f"cut_{name}", content[: len(content) * 5 // 6], EITHER)


def _modes(folder):
    for ending, modes in {
        "png": ("1", "L", "LA", "P", "RGBA"),
        "webp": ("RGBA", "L"),
        "bmp": ("1", "L", "P"),
        "jpg": ("L", "CMYK", "YCbCr"),
    }.items():
        for mode in modes:
            folder.add(f"mode_{mode}.{ending}", encoded(noise(mode=mode), ending), READ, SIZE)
    for mode, transparency in (("P", bytes(range(256))), ("RGB", (1, 2, 3)), ("L", 7)):
        folder.add(f"transparent_{mode}.png", encoded(noise(mode=mode), "png", transparency=transparency), READ, SIZE)
    grey = np.random.default_rng(2).integers(0, 65536, SIZE[::-1], np.uint16)
    folder.add("16_bit_grey.png", encoded(Image.fromarray(grey), "png"), READ, SIZE)
    for name, color in (("rgb", 2), ("grey_alpha", 4), ("rgba", 6)):
        folder.add(f"16_bit_{name}.png", png(*SIZE, depth=16, color=color), READ, SIZE)
    for depth in (1, 2, 4):
        folder.add(f"{depth}_bit_grey.png", png(*SIZE, depth=depth, color=0), READ, SIZE)
    folder.add("lossless.webp", encoded(noise(), "webp", lossless=True), READ, SIZE)
    folder.add("32_bit.bmp", encoded(noise(mode="RGBA"), "bmp"), READ, SIZE)


def _jpegs(folder):
    for mode in ("RGB", "CMYK"):
        folder.add(f"progressive_{mode}.jpg", encoded(noise(mode=mode), "jpg", progressive=True), READ, SIZE)
    folder.add("restarts.jpg", encoded(noise(), "jpg", restart_marker_blocks=1), READ, SIZE)
    plain = encoded(noise(), "jpg")
    folder.add("trailing.jpg", plain + b"PK\x05\x06" + bytes(500), READ, SIZE)
    folder.add("twice.jpg", plain + plain, READ, SIZE)
    folder.add("without_tables.jpg", plain.replace(b"\xff\xdb", b"\xff\xee"), EITHER)
    folder.add("without_huffman.jpg", plain.replace(b"\xff\xc4", b"\xff\xee"), EITHER)
    folder.add("lying_length.jpg", plain[:2] + b"\xff\xe0\xff\xff" + plain[6:], LEFT_OUT)


def _exif(folder):
    for ending in ("jpg", "png", "webp"):
        for turn in range(1, 9):
            size = SIZE if turn < 5 else SIZE[::-1]
            folder.add(f"turn_{turn}.{ending}", encoded(noise(), ending, exif=orientation(turn)), READ, size)
        for turn in (0, 9, 255, 65535):
            folder.add(f"turn_{turn}.{ending}", encoded(noise(), ending, exif=orientation(turn)), READ, SIZE)
        good = orientation(1)
        for name, broken in {
            "text": good[:22] + b"\x02\0" + good[24:],  # the orientation is given as text, not as a number
            "endless": good[:10] + b"\xff\xff\xff\xff" + good[14:],
            "short": good[:14],
            "random": b"Exif\0\0" + random.Random(ending).randbytes(100),
        }.items():
            folder.add(f"exif_{name}.{ending}", encoded(noise(), ending, exif=broken), READ)
    # The first tag is the orientation 6. Pillow cannot write the value of the second tag.
    entries = struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0) + struct.pack("<HHII", 0x0132, 5, 1, 0xFFFFFF00)
    exif = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 2) + entries + bytes(4)
    folder.add("exif_unwritable.jpg", encoded(noise(), "jpg", exif=exif), READ)


def _png_chunks(folder):
    header = struct.pack(">IIBBBBB", *SIZE, 8, 2, 0, 0, 0)
    rows = zlib.compress((b"\0" * (1 + 3 * SIZE[0])) * SIZE[1])
    end = chunk(b"IEND", b"")
    folder.add("crc_header.png", PNG + chunk(b"IHDR", header, 1) + chunk(b"IDAT", rows) + end, LEFT_OUT)
    folder.add("crc_rows.png", PNG + chunk(b"IHDR", header) + chunk(b"IDAT", rows, 1) + end, EITHER)
    folder.add("without_rows.png", PNG + chunk(b"IHDR", header) + end, LEFT_OUT)
    folder.add("rows_cut.png", png(*SIZE, rows=rows[:-9]), EITHER)
    folder.add("rows_no_zlib.png", png(*SIZE, rows=b"no zlib at all"), LEFT_OUT)
    folder.add("rows_too_few.png", png(SIZE[0], 400, rows=rows), EITHER)
    folder.add("without_palette.png", png(*SIZE, color=3), EITHER)
    folder.add("unknown_critical.png", png(*SIZE, chunks=[(b"ABCD", b"?")]), EITHER)
    folder.add("unknown_other.png", png(*SIZE, chunks=[(b"abCd", b"?" * 1000)]), READ, SIZE)
    for name in (b"PLTE", b"tRNS", b"gAMA", b"cHRM", b"pHYs", b"tIME", b"sRGB", b"eXIf", b"acTL", b"fcTL", b"sBIT"):
        folder.add(f"short_{name.decode()}.png", png(*SIZE, chunks=[(name, b"\1")]), EITHER)


def _metadata(folder):
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for ending in ("jpg", "png", "webp"):
        for name, profile in {"good": srgb, "broken": b"no profile", "big": srgb * 300}.items():
            folder.add(f"profile_{name}.{ending}", encoded(noise(), ending, icc_profile=profile), READ, SIZE)
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf tiff:Orientation="6"/></x:xmpmeta>'
    folder.add("xmp.jpg", encoded(noise(), "jpg", xmp=xmp), READ, SIZE[::-1])


def _names(folder):
    content = encoded(noise(), "jpg")
    odd = ["new\nline", "\x1b[31mred\x1b[0m", "-dash", " space ", "quote'\"`", "$(touch x)", "%s%n%d"]
    odd += ["{0}{name}", "*?[a]", "back\\slash", "caf\u00e9", "cafe\u0301", "\u202etxt", "left out: nothing", "n" * 251]
    for name in [*odd, os.fsdecode(b"latin_\xe9"), os.fsdecode(b"\xff\xfe\xfd")]:
        folder.add(f"{name}.jpg", content, READ, SIZE)
    for name in ("upper.JPG", "upper2.Jpeg", "same.jpg", "same.png", "same.JPG", "SAME.jpg", "same.jpg.png"):
        folder.add(name, content, READ, SIZE)
    for name in ("broken\nline", os.fsdecode(b"broken_\xe9")):
        folder.add(f"{name}.jpg", content[:100], LEFT_OUT)


def _no_files(folder):
    """Makes links, a pipe and a file without read permission. Reading the pipe or /dev/zero never ends."""
    content = encoded(noise(), "jpg")
    folder.add("target", content, None)
    folder.link("link.jpg", "target", READ, SIZE)
    folder.link("link_to_nothing.jpg", "nothing", LEFT_OUT)
    folder.link("link_to_itself.jpg", "link_to_itself.jpg", LEFT_OUT)
    folder.link("link_to_zeros.jpg", "/dev/zero", LEFT_OUT)
    os.mkfifo(folder.path / "pipe.jpg")
    folder.mutations.append(Mutation("pipe.jpg", LEFT_OUT))
    if os.geteuid():  # root may read everything
        folder.add("forbidden.jpg", content, LEFT_OUT)
        (folder.path / "forbidden.jpg").chmod(0)


def _folders(folder):
    content = encoded(noise(), "png")
    folder.add("folder.jpg/inside.png", content, READ, SIZE)
    # The mask of clash.jpg would be named clash.png, but clash.png is a folder.
    folder.add("clash.png/inside.png", content, READ, SIZE)
    folder.add("clash.jpg", content, READ, SIZE)
    folder.add("new\nfolder/inside.png", content, READ, SIZE)
    folder.add("/".join(["deep"] * 60) + "/inside.png", content, READ, SIZE)
    (folder.path / "hollow.jpg").mkdir()
    (folder.path / "folder_link.jpg").symlink_to("folder.jpg")
    (folder.path / "endless").symlink_to(".")
