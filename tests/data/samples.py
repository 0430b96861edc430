"""Where the real samples lie, beside the checkout; they are no part of it."""

import os
from pathlib import Path

import pytest

SAMPLES = Path(
    os.environ.get("PYMC_HYDRO_DATA", Path(__file__).parents[2].parent / "shared" / "data")
)
needs_samples = pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"no samples in {SAMPLES}")
