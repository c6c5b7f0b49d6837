import unicodedata

import numpy as np
import pytest

from tf_layered_gan.data.photos import Photos, Splits
from tf_layered_gan.runs.photo_record import check_photos


def splits(*names):
    """Returns splits. The training photos have the given names. Each of the other two splits has one photo."""
    photos, other = Photos(np.zeros((len(names), 2, 2, 3), np.uint8), None, names), np.zeros((1, 2, 2, 3), np.uint8)
    return Splits(photos, Photos(other, None, ("v",)), Photos(other, None, ("v",)))


def test_run_goes_on_only_with_the_photos_it_began_with(tmp_path):
    for _ in range(2):
        check_photos(splits("a", "b"), tmp_path)
    for other in (("a", "c"), ("a", "b", "c"), ("b", "a")):
        with pytest.raises(ValueError, match=r"begun with other photos \(2 / 1 / 1 for training, .*, now \d / 1 / 1\)"):
            check_photos(splits(*other), tmp_path)


@pytest.mark.parametrize("begun, now", [("NFC", "NFD"), ("NFD", "NFC")])
def test_run_goes_on_where_names_have_another_unicode_form(tmp_path, begun, now):
    for form in (begun, now):
        check_photos(splits(*(unicodedata.normalize(form, name) for name in ("é", "ü"))), tmp_path)


@pytest.mark.parametrize("content", ['{"train": 5}', '{"train": {}}', '{"train": null, "test": {"photos": 1}}'])
def test_damaged_record_is_named(tmp_path, content):
    (tmp_path / "photos.json").write_text(content)
    with pytest.raises(ValueError, match=f"{tmp_path / 'photos.json'} is damaged: "):
        check_photos(splits("a"), tmp_path)
