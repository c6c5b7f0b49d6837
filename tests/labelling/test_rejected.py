import json

import numpy as np
import pytest

from tf_layered_gan.data.photos import Photos
from tf_layered_gan.labelling.labels import evenly_chosen
from tf_layered_gan.labelling.rejected import rejected_photos

NAMES = ("a.jpg", "b.jpg", "caf\udce9.jpg")


def written(path, content):
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(path)


def test_reads_the_names(tmp_path):
    file = written(tmp_path / "rejected.json", {"run": "mine", "rejected": ["b.jpg", "caf\udce9.jpg", "gone.jpg"]})
    assert rejected_photos(file, NAMES) == {"b.jpg", "caf\udce9.jpg", "gone.jpg"}


def test_no_file_rejects_nothing():
    assert rejected_photos(None, NAMES) == frozenset()


@pytest.mark.parametrize(
    "content, message",
    [
        ("{", "from a report's review .*is damaged"),
        ("[]", "holds no JSON object"),
        ({"names": ["a.jpg"]}, 'a list of names under "rejected"'),
        ({"rejected": [1]}, 'a list of names under "rejected"'),
        ({"rejected": ["x.jpg"]}, r"no training photo has any of its 1 names \(the first is 'x.jpg'\)"),
    ],
)
def test_refuses(tmp_path, content, message):
    file = written(tmp_path / "rejected.json", content)
    with pytest.raises(ValueError, match=rf"refine.rejected is {file}, allowed: .*{message}"):
        rejected_photos(file, NAMES)


def test_refuses_a_missing_file(tmp_path):
    with pytest.raises(ValueError, match="refine.rejected is .*No such file"):
        rejected_photos(str(tmp_path / "none.json"), NAMES)


@pytest.mark.parametrize("rejected, chosen", [((), "acf"), (("a", "f"), "bce"), ("abcdef", ""), ("abcde", "f")])
def test_rejected_photos_are_not_chosen(rejected, chosen):
    images = np.arange(6, dtype=np.uint8)[:, None, None, None].repeat(3, -1)
    photos = Photos(images, None, tuple("abcdef"))
    few = evenly_chosen(photos, 3, rejected)
    assert "".join(few.names) == chosen
    assert few.images[:, 0, 0, 0].tolist() == ["abcdef".index(name) for name in chosen]
