"""Download the anomaly detection data of ADC2021 (arXiv:2107.02157) from Zenodo: background and four signals."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nanotrigger.data.checksum import is_intact, write_checksum
from nanotrigger.data.download import ResumingDownloader
from nanotrigger.errors import InputError

ZENODO = "https://zenodo.org"
ADC2021_FOLDER = "adc2021"


@dataclass(frozen=True)
class ZenodoFile:
    """A file of a Zenodo record, by the record's number and the file's name."""

    record: int
    name: str


ADC2021_FILES = {
    "background": ZenodoFile(5046389, "background_for_training.h5"),
    "Ato4l": ZenodoFile(5046446, "Ato4l_lepFilter_13TeV.h5"),
    "hToTauTau": ZenodoFile(5061633, "hToTauTau_13TeV_PU20.h5"),
    "hChToTauNu": ZenodoFile(5061688, "hChToTauNu_13TeV_PU20.h5"),
    "leptoquark": ZenodoFile(5055454, "leptoquark_LOWMASS_lepFilter_13TeV.h5"),
}
"""Where each sample of ADC2021 is (CC-BY 4.0)."""


def fetch_adc2021(
    folder: Path, samples: Sequence[str] = tuple(ADC2021_FILES), *, force: bool = False, server: str = ZENODO
) -> list[Path]:
    """Download samples of ADC2021 and return their HDF5 files, each with its SHA-256 beside it.

    A file that is there and matches its SHA-256 is left alone, without asking the server. An interrupted download
    stays in FILE.part and goes on from there; only what matches the MD5 of Zenodo's record gets the final name.

    Args:
        folder: receives the files in `adc2021/`.
        samples: names of `ADC2021_FILES`.
        force: download again.
        server: where the records are.

    Raises:
        InputError: an unknown sample, no answer, another record than expected, or a damaged download.
    """
    unknown = [sample for sample in samples if sample not in ADC2021_FILES]
    if unknown or not samples:
        raise InputError(f"samples {', '.join(unknown) or '(none)'}: unknown; choose from {', '.join(ADC2021_FILES)}")
    return [_fetch(ADC2021_FILES[sample], folder / ADC2021_FOLDER, force, server) for sample in samples]


def _fetch(source: ZenodoFile, folder: Path, force: bool, server: str) -> Path:
    import pooch  # these two take a moment to import; only fetching needs them
    import requests

    path = folder / source.name
    if not force and is_intact(path):
        return path
    pooch.get_logger().setLevel("WARNING")  # the progress bar says what is being downloaded
    try:
        url, size, md5 = _described(source, server)
        partial = path.with_name(f"{path.name}.part")
        name = f"{path.name}.new" if force else path.name  # pooch leaves a file alone that has the right MD5
        downloader = ResumingDownloader(partial, size=size)
        fetched = Path(pooch.retrieve(url, known_hash=md5, fname=name, path=folder, downloader=downloader))
    except requests.HTTPError as error:
        status = f"{error.response.status_code} {error.response.reason}"
        raise InputError(f"{error.response.url}: the server answers {status}; try again later") from None
    except requests.RequestException as error:
        remedy = "check the network and run again to go on"
        raise InputError(
            f"{source.name}: no complete answer ({type(error).__name__}) from {server}; {remedy}"
        ) from None
    except InputError:
        raise
    except ValueError:  # pooch compares the checksums
        raise InputError(f"{source.name}: does not match the MD5 of Zenodo {source.record}; run again") from None
    fetched.replace(path)
    write_checksum(path)
    return path


def _described(source: ZenodoFile, server: str) -> tuple[str, int, str]:
    """Return address, size in bytes and checksum (`md5:…`) of a file, as its record at Zenodo has them."""
    import requests

    address = f"{server}/api/records/{source.record}"
    answer = requests.get(address, timeout=30)
    answer.raise_for_status()
    try:
        files = {
            file["key"]: (file["links"]["self"], file["size"], file["checksum"]) for file in answer.json()["files"]
        }
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{address}: the server sent no record; try again later") from None
    if source.name not in files:
        raise InputError(f"{address}: no file {source.name}, only {', '.join(files) or 'none'}; report this as a bug")
    return files[source.name]
