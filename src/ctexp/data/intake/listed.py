"""Text files in which people name images: reading them, and finding the images they mean."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ctexp.core.errors import DataError
from ctexp.core.files import read_regular
from ctexp.core.wording import some
from ctexp.data.intake.layout import FoundImage

MAX_BYTES = 50_000_000
"""The largest such file that is read: a line for each of half a million images."""

SHOWN = 3
"""How many may share one complaint and are told of it each."""


@dataclass(frozen=True)
class Mention:
    """An image as somebody names it, and where that stands: `skip.txt:3`."""

    text: str
    where: str


def read_text(file: Path) -> str:
    """A file's text, UTF-8 with or without a byte order mark.

    Raises:
        DataError: it is missing, cannot be read, is too large or is not UTF-8 text.
    """
    try:
        text = read_regular(file, MAX_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{file}: not UTF-8 text (byte {error.start})", "save it as UTF-8") from error
    except OSError as error:
        raise DataError(f"{file}: {(error.strerror or 'cannot be read').lower()}") from error
    if "\0" in text:
        raise DataError(f"{file}: not a text file")
    return text


def read_mentions(file: Path) -> list[Mention]:
    """The images a file names, one a line as it stands there; empty lines are passed over.

    Raises:
        DataError: as `read_text`.
    """
    lines = enumerate(read_text(file).splitlines(), 1)
    return [Mention(line, f"{file.name}:{number}") for number, line in lines if line.strip()]


class ImageNames:
    """Finds images by their ids, or by the end of their path as the user sees it, where only one has it.

    So `a.png`, `normal/a.png`, `valid/normal/a.png`, `Data/valid/normal/a.png` and the absolute path all
    mean the image `val/normal/a.png` of a folder or zip that holds `Data/valid/normal/a.png`, unless another
    image's path ends in the same.

    Args:
        images: all there are.
        folder: the tree they were found in.
        source: what the user gave: that tree, or the zip it was unpacked from.
    """

    def __init__(self, images: Sequence[FoundImage], folder: Path, source: Path) -> None:
        top = source.with_suffix("") if source.is_file() else source
        self._by_id = {image.image_id: image for image in images}
        self._by_file_name: dict[str, list[tuple[tuple[str, ...], FoundImage]]] = defaultdict(list)
        for image in images:
            parts = (top / image.file.relative_to(folder)).parts
            self._by_file_name[parts[-1]].append((parts, image))

    def find(self, mention: Mention) -> FoundImage:
        """The image that is meant; blanks around its name count where an image is called so.

        Raises:
            DataError: there is none, or more than one.
        """
        stripped = mention.text.strip()
        found = self._called(mention.text) or self._called(stripped)
        if len(found) == 1:
            return found[0]
        if not found:
            raise DataError(f"{mention.where}: no image is called {stripped!r}")
        raise DataError(f"{mention.where}: {stripped!r} may be {some([image.image_id for image in found])}")

    def _called(self, text: str) -> list[FoundImage]:
        if text in self._by_id:
            return [self._by_id[text]]
        wanted = PurePosixPath(text.replace("\\", "/")).parts
        candidates = self._by_file_name.get(wanted[-1], []) if wanted else []
        return [image for parts, image in candidates if parts[-len(wanted) :] == wanted]

    def find_all(self, mentions: Iterable[Mention]) -> tuple[list[FoundImage], list[str]]:
        """The images that are meant, and the problems of those that cannot be found.

        A mention that begins with `#` is a comment, unless an image is called so.
        """
        found: list[FoundImage] = []
        problems: list[str] = []
        for mention in mentions:
            try:
                found.append(self.find(mention))
            except DataError as error:
                if not mention.text.lstrip().startswith("#"):
                    problems += error.problems
        return found, problems
