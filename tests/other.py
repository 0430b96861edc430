"""A second model for the tests of the cache."""

from tests.tiny import Tiny


class Other(Tiny):
    """Its second store drains twice as fast."""

    def fluxes(self, s, u, p):
        return {"rain": u.precipitation, "f": p.a * s.S * s.S, "o": 2 * p.k * s.R}
