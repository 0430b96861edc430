"""How variables and dates are called: in programs, data sets and spreadsheets of four languages."""

import re
import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["CLOCKS", "DATES", "PARTS", "look_alike", "plain_name", "variable_called"]

# As ``plain_name`` gives them: lower case, without accents, signs and blanks.
_CALLED = {
    "precipitation": "p pr pre prec precip prcp ppt ptot pobs prain rain rainfall tp rainsnow "
    "totalprecipitation totalprecipitationsum precipitationmean "
    "precipitationsum rainsum precipitazione precipitazioni pioggia precipitacao chuva "
    "niederschlag regen n ns precipitations pluie pluies precipitacion precipitaciones lluvia "
    "rr pp pcp prc niederschlagshohe niederschlagssumme",
    "potential_evaporation": "pet pe ep e e0 et0 eto etp evap evapo potevap potentialevap pev "
    "potentialevapotranspiration evapotranspiration evaporation petmm evspsblpot potet etpot "
    "referenceet refet potentialet "
    "et0faoevapotranspiration evapotraspirazione evapotranspiracao "
    "verdunstung potentielleverdunstung evapotranspirationpotentielle "
    "evapotranspiracionpotencial evapotranspiracion evaporacion verdunstungshohe",
    "temperature": "temperature2m 2mtemperature airtemp "
    "t temp tmean tavg tair tas t2m tobs temperature2mmean temperaturemean "
    "airtemperature meantemperature temperatur lufttemperatur temperaturemoyenne "
    "tmoyenne tmoy tm tmittel tmedia temperaturmittel "
    "temperatura temperaturamedia tmed tg tagesmitteltemperatur",
    "discharge": "q qobs obs flow streamflow runoff riverflow dischargeobs dischargevol "
    "portata vazao "
    "dischargespec obsflow meanflow abfluss durchfluss debit debits caudal caudales "
    "abflussspende abflusshohe lamedeau lameecoulee lamedeauecoulee",
    "temperature_min": "tmin mintemp tasmin t2mmin temperature2mmin temperaturemin tn",
    "temperature_max": "tmax maxtemp tasmax t2mmax temperature2mmax temperaturemax tx",
    "shortwave_radiation": "rs srad rsds radiation globalradiation globalstrahlung",
    "relative_humidity": "rh hurs humidity relativehumidity",
    "vapour_pressure": "vp vapourpressure vaporpressure",
    "wind_speed": "wind windspeed u2 sfcwind",
}
DATES = tuple(
    "time date dates data datetime timestamp datesr validtime "
    "datum zeit zeitpunkt zeitstempel tag jour heure fecha dia hora "
    "decimalyear yeardecimal decyear decimaldate datedecimal".split()
)
CLOCKS = ("time", "hhmm", "clock", "uhrzeit", "zeit")  # beside a column of days
# Columns that dates are composed of.
PARTS = {
    "year": "year yr yyyy jahr annee ano anio",
    "month": "month mo mon mm mnth monat mois mes",
    "day": "day dy dd tag jour dia",
    "day_of_year": "doy jday yday dayofyear julianday tagdesjahres",
    "hour": "hour hr hh hours stunde heure hora",
    "minute": "minute min minutes",
}
_OF_NAME = {called: name for name, names in _CALLED.items() for called in names.split()}


# Words that a name may have beside the quantity.
_BESIDE = frozenset(
    "mean average avg mittel mittlere mittlerer mittleres moyen moyenne medio media med daily "
    "taglich tages tagesmittel journalier journaliere journaliers diario diaria total totale sum "
    "summe observed obs observe observado gemessen measured basin catchment areal gauge station of "
    "de la du d potential pot potentielle potentieller potencial potenziale potentiel ref "
    "reference river penman monteith fao hargreaves oudin thornthwaite turc makkink priestley "
    "taylor hamon rate depth height hauteur".split()
)


def plain_name(name: object) -> str:
    """Return a name in lower case, its letters and digits alone, without accents."""
    text = unicodedata.normalize("NFKD", str(name).casefold())
    return re.sub(r"[\W_]", "", "".join(c for c in text if not unicodedata.combining(c)))


def variable_called(name: object) -> str | None:
    """Return the variable that a column without unit in its name is called like, or None."""
    plain = plain_name(name)
    found = next((n for n in _CALLED if plain_name(n) == plain), None) or _OF_NAME.get(plain)
    words = [w for w in map(plain_name, re.split(r"[\W_]+", str(name))) if w]
    bare = "".join(w for w in words if w not in _BESIDE)
    if found or len(bare) < 2:
        return found
    return next((n for n in _CALLED if plain_name(n) == bare), None) or _OF_NAME.get(bare)


def look_alike(name: str, columns: Iterable) -> str | None:
    """Return the column that may be the variable `name` under another name, None if none may."""
    plain = {plain_name(c): str(c) for c in columns}
    for column, original in plain.items():
        bare = re.sub(r"(mmd|mmday|mm|m3s|c|degc)$", "", column)
        if name in (_OF_NAME.get(column), _OF_NAME.get(bare)):
            return original
    long = tuple(called for called in _CALLED.get(name, "").split() if len(called) > 2)
    begins = [original for column, original in plain.items() if column.startswith(long)]
    if begins:
        return begins[0]
    close = get_close_matches(plain_name(name), plain, n=1, cutoff=0.75)
    return plain[close[0]] if close else None
