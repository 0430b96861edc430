"""The flux equations of the models, written once more from their papers and specifications.

Plain arithmetic of single numbers. Nothing of the package is imported, so that a fault in a law, in
the smoothing or in a model's equations is a difference. Argument by argument: contents `s`, forcing
`u` and parameters `p` are mappings; the result holds the fluxes in mm/d.
"""

from math import exp, log1p, sqrt, tanh


# Smooth pieces: Vrugt, Frame & Bollman (2026), width w.
def pos(a, w):
    return 0.5 * (a + sqrt(a**2 + w**2))


def lower(a, b, w):
    return 0.5 * (a + b - sqrt((a - b) ** 2 + w**2))


def upper(a, b, w):
    return 0.5 * (a + b + sqrt((a - b) ** 2 + w**2))


def within(z, w):
    return z - pos(z - 1, w) + pos(-z, w)


def limited(a, b, w):
    """The smaller root m of (a - m)(b - m) = w m."""
    half = 0.5 * (a + b + w)
    return a * b / (half + sqrt(half**2 - a * b))


def tamed(x, n, w):
    """x^n, with x^(n-1) taken of sqrt((x^2 + w^2)/(1 + w^2))."""
    return x * sqrt((x**2 + w**2) / (1 + w**2)) ** (n - 1)


def shed(content, capacity):
    return 1 / (1 + exp(-(content - 0.95 * capacity) / (0.01 * capacity)))


def thawing(degree):
    """Degrees above the threshold of melt, whose tail vanishes: width 1 degC."""
    return max(degree, 0) + log1p(exp(-abs(degree)))


def snow(s, u, p, reference, pack=1e-6):
    """Snowfall, rain and melt of the common snow front end."""
    degree = u["temperature"] - p["T_tr"]
    cold = 0.5 * (1 - tanh(degree))
    potential = p["f_dd"] * (pos(degree, 1.0) if reference else thawing(degree))
    limit = lower if reference else limited
    fall = cold * u["precipitation"]
    return {
        "P_s": fall,
        "P_r": u["precipitation"] - fall,
        "M": limit(pos(s["SWE"], pack), potential, 1e-6),
    }


def cascade(s, store, flux, rate, n):
    return {f"{flux}{i}": rate * s[f"{store}{i}"] for i in range(1, n + 1)}


def hymod(s, u, p, reference):
    q = snow(s, u, p, reference)
    z, water = s["S_u"] / p["S_umax"], q["P_r"] + q["M"]
    if reference:
        wet = within(z, 1e-6)
        dry = upper(1 - wet, 1e-6, 1e-10) ** p["beta"]
    else:
        wet = lower(z, 1, 1e-6)
        dry = tamed(pos(1 - z, 1e-6), p["beta"], 1e-2)
    runoff = water * (1 - dry)
    return q | {
        "E_a": u["potential_evaporation"] * wet * 1.01 / (wet + 0.01),
        "q_s": runoff - p["alpha"] * runoff,
        "q_f": p["alpha"] * runoff,
        "o_s": p["K_s"] * s["S_s"],
        **cascade(s, "S_f", "o_", p["K_f"], 3),
    }


def hmodel(s, u, p, reference):
    def law(z, a):
        return (1 - exp(-a * z)) / (1 - exp(-a))

    def content(z):
        return lower(upper(z, 0, 1e-6) if reference else z, 1, 1e-6)

    q = snow(s, u, p, reference)
    ep, z_i, z_u = u["potential_evaporation"], s["S_i"] / p["I_max"], s["S_u"] / p["S_umax"]
    through = (q["P_r"] + q["M"]) * law(content(z_i), -50)
    wet = ep * law(content(z_i), 50)
    return q | {
        "E_i": wet,
        "P_e": through,
        "E_a": pos(ep - wet, 1e-6) * law(content(z_u), p["a_E"]),
        "rnf": through * law(content(z_u), p["a_F"]),
        # The curvature of percolation is 1e-6: z + a z (1 - z) / 2.
        "prc": p["Q_max"] * (content(z_u) + 5e-7 * content(z_u) * (1 - content(z_u))),
        "q_f": s["S_f"] / p["r_f"],
        "q_s": s["S_s"] / p["r_s"],
    }


def sacsma(s, u, p, reference):
    w = 1e-12 if reference else 1e-6
    q = snow(s, u, p, reference, w)
    ep, water = u["potential_evaporation"], q["P_r"] + q["M"]

    def filled(z):
        return 1 - pos(1 - pos(z, w), w) if reference else 1 - pos(1 - z, w)

    def stored(x):
        return pos(x, w) if reference else x

    e_1 = ep * filled(stored(s["U_t"]) / p["U_tm"])
    e_2 = (ep - e_1) * filled(stored(s["L_t"]) / p["L_tm"])
    q_sx = water * p["a_cm"] * stored(s["U_t"]) / p["U_tm"]
    q_ut = shed(s["U_t"], p["U_tm"]) * (water - q_sx)
    b = pos(s["U_f"], w if reference else 1e-9) / p["U_fm"]
    dry = 1 - (s["L_t"] + s["L_p"] + s["L_s"]) / (p["L_tm"] + p["L_pm"] + p["L_sm"])
    dry = pos(dry, w)
    demand = (pos(dry - w, w) + w) ** p["R"] if reference else tamed(dry, p["R"], 1e-3)
    base = p["nu_p"] * p["L_pm"] + p["nu_s"] * p["L_sm"]
    q_12 = base * b * (1 + p["Z"] * demand)
    to_tension, to_free = p["kappa"] * q_12, 0.5 * (1 - p["kappa"]) * q_12
    over = 0.5 * to_tension * shed(s["L_t"], p["L_tm"])
    return q | {
        "E_1": e_1,
        "E_2": e_2,
        "q_sx": q_sx,
        "q_ut": q_ut,
        "q_uf": q_ut * shed(s["U_f"], p["U_fm"]),
        "q_if": p["k_i"] * b,
        "q_12t": to_tension,
        "q_12p": to_free,
        "q_12s": to_free,
        "q_stp": over,
        "q_sts": over,
        "q_bp": p["nu_p"] * s["L_p"],
        "q_bs": p["nu_s"] * s["L_s"],
        "q_ap": (to_free + over) * shed(s["L_p"], p["L_pm"]),
        "q_as": (to_free + over) * shed(s["L_s"], p["L_sm"]),
        **cascade(s, "S_f", "o_", p["k_f"], 3),
    }


def xinanjiang(s, u, p, reference):
    q = snow(s, u, p, reference)
    water, demand = q["P_r"] + q["M"], p["f_p"] * u["potential_evaporation"]
    tension, free = p["f_wm"] * p["S_tot"], (1 - p["f_wm"]) * p["S_tot"]
    w, x = pos(s["W"], 1e-6), pos(s["S"], 1e-6)
    z, low, high, b = w / tension, 0.5 - p["a"], 0.5 + p["a"], p["b"]
    if reference:
        below = low ** (1 - b) * max(pos(z, 1e-6), 1e-12) ** b
        y = 1 - z
        if y > 0.01:
            power = y**b
        else:  # linear from the end of the power to its floor at the full store
            power = 1e-12**b + (0.01**b - 1e-12**b) * max(y, 0.0) / 0.01
        above = 1 - high ** (1 - b) * power
    else:
        below = low * tamed(z, b, 0.01) / tamed(low, b, 0.01)
        above = 1 - high * tamed(pos(1 - z, 1e-6), b, 0.01) / tamed(high, b, 0.01)
    runoff = water * (1 - p["A_im"]) * (below if z <= low else above)

    start = p["f_lm"] * tension
    deep = p["c"] * s["W"] / (pos(s["W"], 1e-6) + 1)
    linear = min(s["W"] / start, 1.0)
    if reference:  # the jump, over 0.5 mm
        share = 0.5 * (1 + tanh((s["W"] - p["c"] * start) / 0.5))
        evaporation = demand * (share * linear + (1 - share) * deep)
    elif s["W"] < p["c"] * start:
        evaporation = demand * deep * (p["c"] * start + 1) / (p["c"] * start)
    else:
        evaporation = demand * linear
    if reference:
        area = 1 - tamed(max(1 - x / free, 0.0), p["Ex"], 1e-4)
    else:
        area = 1 - tamed(pos(free - x, 1e-6) / free, p["Ex"], 0.01)
    return q | {
        "R_b": p["A_im"] * water,
        "E": evaporation,
        "R": runoff,
        "R_s": area * runoff,
        "R_i": p["k_i"] * x * area,
        "R_g": p["k_g"] * x * area,
        "Q_i": p["c_i"] * s["S_i"],
        "Q_g": p["c_g"] * s["S_g"],
        **cascade(s, "S_f", "o_", p["k_f"], 3),
    }


def hbv(s, u, p, reference):
    rain, degree = u["precipitation"], u["temperature"] - p["T_tr"]
    cold = 0.5 * (1 - tanh(degree / 0.1))
    limit = lower if reference else limited
    fall, P_r = cold * rain, (1 - cold) * rain
    warm, chill = (pos(x, 0.1) if reference else thawing(x) for x in (degree, -degree))
    M = limit(pos(s["SWE"], 1e-3 if reference else 1e-6), p["f_dd"] * warm, 1e-3)
    F = limit(P_r, p["c_fr"] * p["f_dd"] * chill, 1e-3)
    q = {"P_s": fall, "x_sf": p["c_sf"] * fall - fall, "P_r": P_r, "M": M, "F": F}
    water = P_r + M - F
    if reference:
        q["x_pos"] = pos(water, 1e-3) - water
        water = pos(water, 1e-3)
        S, U, L = (pos(s[name], 1e-3) for name in "SUL")
        wet = lower(upper(S / p["F_c"], 0, 1e-3), 1, 1e-3)
        recharge = water * upper(wet, 1e-12, 1e-12) ** p["beta"]
        above = pos(U - p["u_zl"], 1e-3)
        down = lower(p["p_max"], U, 1e-3)
    else:
        S, U, L = s["S"], s["U"], s["L"]
        recharge = water * tamed(within(S / p["F_c"], 1e-3), p["beta"], 1e-2)
        above = pos(U - p["u_zl"], 1e-3) - pos(0 - p["u_zl"], 1e-3)
        down = limited(p["p_max"], pos(U, 1e-6), 1e-3)
    return q | {
        "E": u["potential_evaporation"] * lower(S / (p["l_p"] * p["F_c"]), 1, 1e-3),
        "R_e": recharge,
        "q_0": p["k_0"] * above,
        "q_1": p["k_1"] * U,
        "G": down,
        "q_2": p["k_2"] * L,
    }


def gr4j(s, u, p, reference):
    q = snow(s, u, p, reference)
    water = q["P_r"] + q["M"]
    net, x1 = water - p["f_p"] * u["potential_evaporation"], p["x1"]
    S = pos(s["S"], 1e-6)
    z, wet, dry = S / x1, tanh(pos(net, 1e-6) / x1), tanh(pos(-net, 1e-6) / x1)
    infiltration = x1 * (1 - z**2) * wet / (1 + z * wet)
    evaporation = S * (2 - z) * dry / (1 + (1 - z) * dry)
    if reference:
        gate = 0.5 * (1 + tanh(net / x1))
        infiltration, evaporation = gate * infiltration, (1 - gate) * evaporation
    percolation = S * (1 - (1 + (4 / 9 * z) ** 4) ** -0.25)
    runoff = pos(net, 1e-6) - infiltration + percolation
    full = (pos(s["R"], 1e-6) if reference else s["R"]) / p["x3"]
    exchange = p["x2"] * tamed(full, 3.5, 1e-6)
    one = cascade(s, "U1_", "q1_", 2 / p["x4"], 2)
    two = cascade(s, "U2_", "q2_", 4 / (2 * p["x4"]), 4)
    return q | {
        "E_i": water - pos(net, 1e-6),
        "E_s": evaporation,
        "P_1": p["x5"] * runoff,
        "P_2": (1 - p["x5"]) * runoff,
        "q_g": exchange,
        "q_r": p["x3"] / 4 * full**5,
        "x_d": pos(two["q2_4"] + exchange, 1e-6) - two["q2_4"],
        **one,
        **two,
    }


def cfe(s, u, p, reference):
    q = snow(s, u, p, reference)
    water, ep = q["P_r"] + q["M"], u["potential_evaporation"]
    limit = lower if reference else limited
    fc = max(p["phi_fc"], p["phi_wp"] + 1e-3) if reference else p["phi_fc"]
    S_max, wp = p["S_max"], p["phi_wp"] * p["S_max"]
    field = fc * S_max
    lateral = wp + p["phi_lf"] * (field - wp)
    e_r = limit(water, ep, 1e-6)
    rain = pos(water - e_r, 1e-6) if reference else water - e_r
    capacity = pos(S_max - s["S"], 1e-6) * (1 - exp(-p["k_sch"]))
    a_1, a_2 = pos(s["S"] - field, 1e-6), pos(s["S"] - lateral, 1e-6)
    q_p = limit(p["k_pe"] * (a_1 / (S_max - field) + 1e-12) ** p["a_1"], a_1, 1e-6)
    q_l = limit(p["k_lf"] * (a_2 / (S_max - lateral) + 1e-12) ** p["a_2"], a_2 - q_p, 1e-6)
    if reference:
        ramp = min(max((s["S"] - wp) / (field - wp), 0.0), 1.0)
    else:
        ramp = within((s["S"] - wp) / (pos(fc - p["phi_wp"], 1e-3) * S_max), 1e-6)
    z = p["mu"] * s["G"] / p["G_max"]
    q_g = p["c_gw"] * (exp(z) - 1 if z < 30 else exp(30) - 1 + exp(30) * (z - 30))
    q |= {"E_r": e_r, "E_s": (ep - e_r) * ramp, "Q_p": q_p, "Q_l": q_l, "Q_g": q_g}
    if reference:
        q["x_pos"] = rain - (water - e_r)
    surface = rain**2 / (rain + capacity)
    for i, share in enumerate((0.10, 0.35, 0.20, 0.14, 0.10, 0.06, 0.05), start=1):
        q |= {f"hin_{i}": share * surface, f"h{i}": s[f"H{i}"]}
    return q | cascade(s, "F", "f", p["k_n"], 3)


EQUATIONS = {
    "Hymod": hymod,
    "Hmodel": hmodel,
    "SacSma": sacsma,
    "Xinanjiang": xinanjiang,
    "HBV": hbv,
    "GR4J": gr4j,
    "CFE": cfe,
}
