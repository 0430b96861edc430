"""The text of the sweep: from cotangents of outputs to cotangents of all inputs, back in time.

A run that keeps a *tape* (`tape.py`) writes one row for each step that it takes. The *sweep*
(`sweep.py`) goes through these rows from the last one to the first, and transposes each step: it
solves no equation of the model again, and takes no other step. Its result is the product of the
cotangents with the Jacobian of the run, exactly; it costs about as much for ten thousand inputs as
for one.

**A step and its transpose.** A step of length h has the coefficients a and b, stage values y_s and
rates k_s; J, B, U are the derivatives of the rates by head states, parameters and forcing at a
stage. Cotangents are written with a bar. ::

    forward   y_s = x + h sum_{q<s} a_sq k_q + h a_ss k_s          k_s = f(y_s, theta, u)
              x+  = x + h sum_q b_q k_q                            (head)
              l+  = E l + W0 g_first + W1 g_last + Wm g_mean       (linear part)

    back      lbar  = E' lbar+
              kbar_q = h b_q xbar+                                 (rates of the head)
              kbar_q = b_q Wm' lbar+, plus W0' lbar+ at the first, W1' lbar+ at the last stage
                                                                   (inflow of driven states)
              from the last stage to the first:
                  (I - h a_ss J)' kbar_s = kbar_s                  (if the stage is implicit)
                  z = J' kbar_s,  thetabar += B' kbar_s,  ubar += U' kbar_s
                  kbar_q += h a_sq z  for q < s,  xbar += z
              thetabar += (dE, dW)' of (l, g, lbar+)

A stage that the step before left (the first one, within an interval) was evaluated at the end of
that step: its cotangent is handed on to that step's last stage.

**Names in the text of the sweep**, where they differ from those of the kernel

| name | meaning |
|---|---|
| `x_`, `l_` | cotangent of a state: at the end of the step, then at its start |
| `k_` | cotangent of the rate of a row at the stage; `bar` holds the cotangents of all stages |
| `z_` | cotangent of a head state at the stage |
| `g0_`, `g1_`, `gm_` | cotangent of the inflow at the step's start, at its end, and of the mean |
| `c_` | the cotangent that the following step hands on to the last stage |
| `t_` | sum for a parameter |
| `i_` | sum for a forcing of the interval |
| `dyads` | array: cotangents times the vectors that E and the weights multiply, for each level |
"""
