"""The folder of results: one complete file a step, with a fingerprint of its data and settings."""

import hashlib
import json
import warnings
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import xarray as xr

from pymc_hydro.command.settings import UsageError
from pymc_hydro.data.files import complete_file

__all__ = [
    "BASIN",
    "CALIBRATION",
    "POSTERIOR",
    "PREDICTIONS",
    "REPORT",
    "SIMULATION",
    "DamagedError",
    "Folder",
    "size_of",
]

SETTINGS = "settings.json"
BASIN, SIMULATION, CALIBRATION = "basin.nc", "simulation.nc", "calibration.nc"
POSTERIOR, PREDICTIONS = "posterior.nc", "predictions.nc"
REPORT, CHUNKS = "report.html", "chains-*.nc"
# Section of the settings: the files that its step writes.
OF_STEP = {
    "run": (SIMULATION, "simulation.csv"),
    "calibrate": (CALIBRATION,),
    "sample": (POSTERIOR, PREDICTIONS),
}
RESULTS = (SETTINGS, BASIN, *(name for names in OF_STEP.values() for name in names))


class DamagedError(ValueError):
    """A file of results cannot be read."""

    def __init__(self, path: Path, error: Exception, step: str) -> None:
        again = "repeat all steps" if step == "all steps" else f"repeat 'pymc-hydro {step}'"
        super().__init__(f"{path}: is damaged ({error}); delete it and {again}")


class Folder:
    """Results of one basin and one model.

    Parameters
    ----------
    path : str or Path
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def begin(
        self, step: str, basin: xr.Dataset, about: dict, key: dict, force: bool = False
    ) -> None:
        """Write the data and the settings of all results, and clear the results of a step.

        A report, which shows earlier results, is deleted as well.

        Parameters
        ----------
        step : str
            Of ``OF_STEP``.
        basin : Dataset
        about : dict
            Settings by section, data hash, versions, warnings. Sections of the existing file that
            `about` lacks are kept.
        key : dict
            Data and settings that all results depend on.
        force : bool
            Whether to delete results of another key.

        Raises
        ------
        UsageError
            If there are results of another key and `force` is false.
        """
        if not self.has(BASIN, key, force):
            self._delete(*RESULTS, *(path.name for path in self.path.glob(CHUNKS)))
            self.path.mkdir(parents=True, exist_ok=True)
            self.save(BASIN, basin, key)
        else:
            kept = {n: v for n, v in self.about()["settings"].items() if n != step}
            about = about | {"settings": kept | about["settings"]}
        self._delete(REPORT, *OF_STEP[step])
        self.write_text(SETTINGS, json.dumps(about, indent=2, default=str) + "\n")

    def finish(self, step: str, settings: dict) -> None:
        """Add the settings of a step whose results are written."""
        about = self.about()
        about["settings"][step] = settings
        if step == "sample":
            self._delete(*(path.name for path in self.path.glob(CHUNKS)))
        self.write_text(SETTINGS, json.dumps(about, indent=2, default=str) + "\n")

    def about(self) -> dict:
        """Return the settings that :meth:`begin` wrote.

        Raises
        ------
        UsageError
            If the folder holds no results.
        DamagedError
            If the file cannot be read.
        """
        try:
            return json.loads((self.path / SETTINGS).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise UsageError(
                f"{self.path}: holds no results; make some with 'pymc-hydro calibrate'"
            ) from None
        except ValueError as error:
            raise DamagedError(self.path / SETTINGS, error, "all steps") from None

    def has(self, name: str, key: dict | None = None, force: bool = False) -> bool:
        """Return whether there is a result that was made with `key`.

        Raises
        ------
        UsageError
            If the result was made with another key and `force` is false.
        """
        if not (self.path / name).exists():
            return False
        if key is None:
            return True
        if self._mark(name).exists() and self._mark(name).read_text() == _fingerprint(key):
            return True
        if force:
            return False
        raise UsageError(
            f"{self.path / name}: was made with other data or settings; give another --output, or "
            "--force to replace it"
        )

    def save(self, name: str, data: Any, key: dict | None = None) -> None:
        """Write a Dataset, or an object with ``to_netcdf``, and the fingerprint of its `key`."""
        self._mark(name).unlink(missing_ok=True)
        with complete_file(self.path / name, size=size_of(data)) as path:
            if isinstance(data, xr.Dataset):
                data.to_netcdf(path, engine="h5netcdf")
            else:
                data.to_netcdf(str(path))
        if key is not None:
            self.write_text(self._mark(name).name, _fingerprint(key))

    def load(self, name: str) -> xr.Dataset:
        """Return a Dataset that :meth:`save` wrote, in memory.

        Raises
        ------
        DamagedError
            If the file cannot be read.
        """
        return self._whole(name, lambda path: xr.load_dataset(path, engine="h5netcdf"))

    def load_posterior(self) -> Any:
        """Return the draws of the posterior, None if there are none."""
        return self.load_draws(POSTERIOR) if self.has(POSTERIOR) else None

    def load_draws(self, name: str) -> Any:
        """Return draws as PyMC returns them, in memory.

        Raises
        ------
        DamagedError
            If the file cannot be read.
        """
        import arviz as az

        def read(path):
            found = az.from_netcdf(str(path))
            return found.load() if hasattr(found, "load") else found

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return self._whole(name, read)

    def _whole(self, name, read):
        try:
            return read(self.path / name)
        except Exception as error:  # of HDF5, h5netcdf or xarray, for any fault of the file
            made = {n: step for step, names in OF_STEP.items() for n in names}
            step = "sample" if fnmatch(name, CHUNKS) else made.get(name, "all steps")
            raise DamagedError(self.path / name, error, step) from error

    def _delete(self, *names):
        for name in names:
            (self.path / name).unlink(missing_ok=True)
            self._mark(name).unlink(missing_ok=True)

    def write_text(self, name: str, text: str) -> Path:
        """Write a text file, whole or not at all."""
        with complete_file(self.path / name) as path:
            path.write_text(text, encoding="utf-8")
        return self.path / name

    def _mark(self, name):
        return self.path / f".{name}.sha256"


def size_of(data: Any) -> int:
    """Return how many bytes the arrays of a Dataset, a DataTree or an InferenceData take."""
    if hasattr(data, "nbytes"):
        return int(data.nbytes)
    groups = getattr(data, "groups", tuple)  # of an InferenceData
    return sum(int(data[name].nbytes) for name in groups())


def _fingerprint(key):
    text = json.dumps(key, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
