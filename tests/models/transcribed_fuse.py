"""The flux equations of FUSE, written once more from Clark et al. (2008) with exact kinks.

As `transcribed`: plain arithmetic of single numbers, nothing of the package.
"""

from math import exp, log

from scipy.special import gammainc

from tests.models.transcribed import shed, tamed


def power(x, n):
    return tamed(max(x, 0.0), n, 1e-6)


def index(p):
    """Scale of the topographic index from 3 to 50, and the logarithm of the mean of exp(x/n)."""
    c, n, chi = (p["loglamb"] - 3) / p["tishape"], p["qb_powr"], p["tishape"]
    return c, 3 / n - chi * log(1 - c / n) + log(gammainc(chi, 47 * (1 / c - 1 / n)))


def full_baseflow(chosen, p):
    """Baseflow of a full lower layer."""
    if chosen["lower"] == "tens2pll":
        free, first = p["maxwatr_2"] * (1 - p["fracten"]), p["fprimqb"]
        return p["qbrate_2a"] * first * free + p["qbrate_2b"] * (1 - first) * free
    if chosen["lower"] == "unlimfrc":
        return p["qb_prms"] * p["maxwatr_2"]
    if chosen["lower"] == "fixedsiz":
        return p["baserte"]
    if chosen["lower"] == "topmdexp":
        return p["baserte"] * p["maxwatr_2"] / 1000 / exp(p["loglamb"])
    return p["baserte"] * p["maxwatr_2"] / 1000 / p["qb_powr"] / exp(p["qb_powr"] * index(p)[1])


def upper_layer(chosen, s, p, rain):
    """Tension and free storage, shares of overflow by store, and the stores with tension."""
    W1, T1 = p["maxwatr_1"], p["fracten"] * p["maxwatr_1"]
    if chosen["upper"] == "onestate":
        tension, free = min(s["W1"], T1), max(s["W1"] - T1, 0.0)
        return tension, free, {"o_1": rain * shed(s["W1"], W1)}, {"W1": (tension, T1)}
    if chosen["upper"] == "tension1":
        t = rain * shed(s["T1"], T1)
        over = {"t_T1": t, "o_1": t * shed(s["F1"], W1 - T1)}
        return s["T1"], s["F1"], over, {"T1": (s["T1"], T1)}
    A, B = p["frchzne"] * T1, T1 - p["frchzne"] * T1
    a = rain * shed(s["T1A"], A)
    b = a * shed(s["T1B"], B)
    over = {"t_T1A": a, "t_T1B": b, "o_1": b * shed(s["F1"], W1 - T1)}
    return s["T1A"] + s["T1B"], s["F1"], over, {"T1A": (s["T1A"], A), "T1B": (s["T1B"], B)}


def saturated(chosen, s, p, tension, free):
    if chosen["surface"] == "arno":
        filled = min((tension + free) / p["maxwatr_1"], 1.0)
        return 1 - power(1 - filled, p["axv_bexp"])
    if chosen["surface"] == "prms":
        return p["sareamax"] * min(tension / (p["fracten"] * p["maxwatr_1"]), 1.0)
    c, mean = index(p)
    wet = max(lower_content(s) / p["maxwatr_2"], 1e-6)
    critical = p["qb_powr"] * (mean - log(wet))
    return 1 - gammainc(p["tishape"], max(critical - 3, 0.0) / c)


def lower_content(s):
    return sum(s.get(name, 0.0) for name in ("W2", "T2", "F2A", "F2B"))


def lower_layer(chosen, s, p, down):
    if chosen["lower"] == "unlimfrc":
        return {"p_W2": down, "q_W2": p["qb_prms"] * s["W2"]}
    T2, W2 = p["fracten"] * p["maxwatr_2"], p["maxwatr_2"]
    if chosen["lower"] == "tens2pll":
        to_tension, half = (1 - p["percfrac"]) * down, p["percfrac"] * down / 2
        spill = to_tension * shed(s["T2"], T2) / 2
        q = {"p_T2": to_tension}
        for tank, share, rate in (
            ("F2A", p["fprimqb"], p["qbrate_2a"]),
            ("F2B", 1 - p["fprimqb"], p["qbrate_2b"]),
        ):
            over = (half + spill) * shed(s[tank], share * (W2 - T2))
            q |= {f"p_{tank}": half, f"t_{tank}": spill, f"o_{tank}": over}
            q[f"q_{tank}"] = rate * s[tank]
        return q
    z, full = s["W2"] / W2, full_baseflow(chosen, p)
    exponential = chosen["lower"] == "topmdexp"
    q = {"p_W2": down, "q_W2": full * (exp(z - 1) if exponential else power(z, p["qb_powr"]))}
    return q | ({"o_W2": down * shed(s["W2"], W2)} if chosen["lower"] == "fixedsiz" else {})


def fuse(chosen, s, u, p):
    P, E, q = u["precipitation"], u["potential_evaporation"], {"P_liq": u["precipitation"]}
    if chosen["rainfall_error"] == "additive":
        P = max(P + p["rferr_add"], 0.0)
    elif chosen["rainfall_error"]:
        P = P * p["rferr_mlt"]
    if chosen["rainfall_error"]:
        q["x_p"] = P - u["precipitation"]
    tension, free, _, _ = upper_layer(chosen, s, p, 0.0)
    q["q_s"] = P * saturated(chosen, s, p, tension, free)
    _, _, over, stores = upper_layer(chosen, s, p, P - q["q_s"])
    q |= over
    z = free / ((1 - p["fracten"]) * p["maxwatr_1"])
    if chosen["percolation"] == "lower":
        dry = power(1 - lower_content(s) / p["maxwatr_2"], p["sacpexp"])
        down = full_baseflow(chosen, p) * (1 + p["sacpmlt"] * dry) * z
    else:
        base = (tension + free) / p["maxwatr_1"] if chosen["percolation"] == "w2sat" else z
        down = p["percrte"] * power(base, p["percexp"])
    if chosen["interflow"] == "some":
        q["q_i"] = p["iflwrte"] * z
    if chosen["lower"] in ("tens2pll", "fixedsiz") and chosen["upper"] != "tension2":
        T2 = p["fracten"] * p["maxwatr_2"]
        stores["2"] = (s["T2"] if "T2" in s else min(s["W2"], T2), T2)
    shares = (p["rtfrac1"], 1 - p["rtfrac1"]) if chosen["evaporation"] == "rootweight" else None
    left = E
    for i, (name, (content, full)) in enumerate(stores.items()):
        demand = left if shares is None else shares[i] * E
        q[f"e_{name}"] = demand * content / full
        left -= q[f"e_{name}"]
    return q | lower_layer(chosen, s, p, down)
