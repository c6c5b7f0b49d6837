"""The names of photos that a person rejected in a run's report, because their masks are bad."""

from collections.abc import Collection

from tf_layered_gan.files.records import read_record


def rejected_photos(path: str | None, names: Collection[str]) -> frozenset[str]:
    """Reads the names of the rejected photos from a file that was saved in the review section of a report.

    The file is a JSON object. Its key "rejected" holds a list of photos' names.

    Args:
        path: the file, or None if no photo is rejected.
        names: the photos to train on.

    Returns:
        the names of the rejected photos. Some of these names may be missing from `names`, because their photos may have
        been removed.

    Raises:
        ValueError: the file is missing, the file is not from a review, or none of its photos is in `names`.
    """
    if path is None:
        return frozenset()
    try:
        rejected = read_record(path).get("rejected")
    except (OSError, ValueError) as error:
        raise ValueError(f"refine.rejected is {path}, allowed: a file from a report's review ({error})") from error
    if not isinstance(rejected, list) or not all(isinstance(name, str) for name in rejected):
        raise ValueError(f'refine.rejected is {path}, allowed: a file with a list of names under "rejected"')
    if rejected and not set(rejected) & set(names):
        raise ValueError(
            f"refine.rejected is {path}, allowed: a file that names training photos; no training photo has "
            f"any of its {len(rejected)} names (the first is {rejected[0]!r:.200})"
        )
    return frozenset(rejected)
