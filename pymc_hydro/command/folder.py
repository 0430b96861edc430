"""The folder of results: one file a step, whole or not there, with what it was made from."""

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

    def begin(self, basin: xr.Dataset, record: dict, key: dict, force: bool = False) -> None:
        """Write the data and what the results are made from.

        Parameters
        ----------
        basin : Dataset
        record : dict
            Settings by section, data hash, versions, warnings. Sections that stand there already
            are kept where `record` has none.
        key : dict
            What all results depend on.
        force : bool
            Whether to throw away results that were made with another key.

        Raises
        ------
        UsageError
            If there are such results, and `force` does not say so.
        """
        if not self.has(BASIN, key, force):
            for name in RESULTS:
                (self.path / name).unlink(missing_ok=True)
                self._mark(name).unlink(missing_ok=True)
            self.path.mkdir(parents=True, exist_ok=True)
            self.save(BASIN, basin, key)
        else:
            record = record | {"settings": self.record()["settings"] | record["settings"]}
        self.write_text(SETTINGS, json.dumps(record, indent=2, default=str) + "\n")

    def record(self) -> dict:
        """Return what :meth:`begin` wrote."""
        try:
            return json.loads((self.path / SETTINGS).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise UsageError(
                f"{self.path}: holds no results; make some with 'pymc-hydro calibrate'"
            ) from None

    def has(self, name: str, key: dict | None = None, force: bool = False) -> bool:
        """Tell whether a result is there and made with `key`.

        Raises
        ------
        UsageError
            If it was made with something else, and `force` does not say to make it anew.
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
        """Write a Dataset, or what has ``to_netcdf``, and the fingerprint of its `key`."""
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
