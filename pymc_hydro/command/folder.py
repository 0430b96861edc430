"""The folder of results: one complete file a step, with a fingerprint of its data and settings."""

import hashlib
import json
from pathlib import Path
from typing import Any

import xarray as xr

from pymc_hydro.command.settings import UsageError
from pymc_hydro.data.files import complete_file

__all__ = ["BASIN", "CALIBRATION", "POSTERIOR", "PREDICTIONS", "SIMULATION", "Folder"]

SETTINGS = "settings.json"
BASIN, SIMULATION, CALIBRATION = "basin.nc", "simulation.nc", "calibration.nc"
POSTERIOR, PREDICTIONS = "posterior.nc", "predictions.nc"
RESULTS = (SETTINGS, BASIN, SIMULATION, "simulation.csv", CALIBRATION, POSTERIOR, PREDICTIONS)


class Folder:
    """Results of one basin and one model.

    Parameters
    ----------
    path : str or Path
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def begin(self, basin: xr.Dataset, about: dict, key: dict, force: bool = False) -> None:
        """Write the data and the settings that all results depend on.

        Parameters
        ----------
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
            for name in RESULTS:
                (self.path / name).unlink(missing_ok=True)
                self._mark(name).unlink(missing_ok=True)
            self.path.mkdir(parents=True, exist_ok=True)
            self.save(BASIN, basin, key)
        else:
            about = about | {"settings": self.about()["settings"] | about["settings"]}
        self.write_text(SETTINGS, json.dumps(about, indent=2, default=str) + "\n")

    def about(self) -> dict:
        """Return the settings that :meth:`begin` wrote."""
        try:
            return json.loads((self.path / SETTINGS).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise UsageError(
                f"{self.path}: holds no results; make some with 'pymc-hydro calibrate'"
            ) from None

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
        with complete_file(self.path / name) as path:
            if isinstance(data, xr.Dataset):
                data.to_netcdf(path, engine="h5netcdf")
            else:
                data.to_netcdf(str(path))
        if key is not None:
            self.write_text(self._mark(name).name, _fingerprint(key))

    def load(self, name: str) -> xr.Dataset:
        """Return a Dataset that :meth:`save` wrote, in memory."""
        return xr.load_dataset(self.path / name, engine="h5netcdf")

    def write_text(self, name: str, text: str) -> Path:
        """Write a text file, whole or not at all."""
        with complete_file(self.path / name) as path:
            path.write_text(text, encoding="utf-8")
        return self.path / name

    def _mark(self, name):
        return self.path / f".{name}.sha256"


def _fingerprint(key):
    text = json.dumps(key, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
