"""From the update of an interval to the text of its kernel, and of its sweep back in time.

A map has no steps: its kernel is one loop over intervals, with the update and its derivatives as
straight-line code. The names are those of :mod:`pymc_hydro.engine.codegen`, and these:

| name | meaning |
|---|---|
| `x_`, `n_` | the content of a store at the start and at the end of the interval |
| `y_` | what arrives from a unit hydrograph |
| `i_` | array: the flow into a unit hydrograph in all intervals |
| `w_`, `s_` | arrays: the ordinates of a hydrograph, and their derivatives by a parameter |
| `c_` | the column of a parameter, or -1 |
| `d_S_p`, `t_S` | the sensitivity of a store to a parameter at the start and at the end |
| `di_H_p`, `a_H` | array: the sensitivity of the flow into a hydrograph; and of what arrives |
"""
