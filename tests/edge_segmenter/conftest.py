import pytest


@pytest.fixture
def photos(tmp_path):
    """An empty folder for photos."""
    folder = tmp_path / "photos"
    folder.mkdir()
    return folder
