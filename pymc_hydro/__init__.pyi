"""The public names, and where each of them is: its module is loaded when it is first used."""

from pymc_hydro import core as core
from pymc_hydro import data as data
from pymc_hydro import likelihoods as likelihoods
from pymc_hydro import losses as losses
from pymc_hydro import ops as ops
from pymc_hydro import plots as plots
from pymc_hydro import signatures as signatures
from pymc_hydro import testing as testing
from pymc_hydro import verification as verification
from pymc_hydro.calibration import Calibration as Calibration
from pymc_hydro.calibration import calibrate as calibrate
from pymc_hydro.core.snow import elevation_bands as elevation_bands
from pymc_hydro.data import load_basin as load_basin
from pymc_hydro.data.readers import join as join
from pymc_hydro.data.readers import read_basin as read_basin
from pymc_hydro.data.readers import read_camels_aus as read_camels_aus
from pymc_hydro.data.readers import read_camels_br as read_camels_br
from pymc_hydro.data.readers import read_camels_ch as read_camels_ch
from pymc_hydro.data.readers import read_camels_cl as read_camels_cl
from pymc_hydro.data.readers import read_camels_de as read_camels_de
from pymc_hydro.data.readers import read_camels_fr as read_camels_fr
from pymc_hydro.data.readers import read_camels_gb as read_camels_gb
from pymc_hydro.data.readers import read_camels_us as read_camels_us
from pymc_hydro.data.readers import read_camels_us_hourly as read_camels_us_hourly
from pymc_hydro.data.readers import read_caravan as read_caravan
from pymc_hydro.data.readers import read_csv as read_csv
from pymc_hydro.data.readers import read_mopex as read_mopex
from pymc_hydro.data.readers import scan as scan
from pymc_hydro.engine.compile import source as source
from pymc_hydro.engine.derivation.equations import equations as equations
from pymc_hydro.engine.errors import IntegrationError as IntegrationError
from pymc_hydro.engine.simulate import simulate as simulate
from pymc_hydro.inference import build_model as build_model
from pymc_hydro.inference import compare as compare
from pymc_hydro.inference import compute_log_likelihood as compute_log_likelihood
from pymc_hydro.inference import discharge as discharge
from pymc_hydro.inference import fit_laplace as fit_laplace
from pymc_hydro.inference import laplace as laplace
from pymc_hydro.inference import outputs as outputs
from pymc_hydro.inference import priors as priors
from pymc_hydro.inference import sample as sample
from pymc_hydro.inference import set_basin as set_basin
from pymc_hydro.inference.predict import predict as predict
from pymc_hydro.inference.predict import residuals as residuals
from pymc_hydro.integrators import RungeKutta as RungeKutta
from pymc_hydro.models import CFE as CFE
from pymc_hydro.models import GR4J as GR4J
from pymc_hydro.models import HBV as HBV
from pymc_hydro.models import MODELS as MODELS
from pymc_hydro.models import Hmodel as Hmodel
from pymc_hydro.models import Hymod as Hymod
from pymc_hydro.models import SacSma as SacSma
from pymc_hydro.models import Xinanjiang as Xinanjiang

__version__: str
__all__: list[str]
