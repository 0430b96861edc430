"""A third-order diagonally implicit pair with an explicit first stage; L-stable."""

from pymc_hydro.integrators.base import RungeKutta

__all__ = ["ESDIRK3"]

# G is the diagonal: the root of g^3 - 3 g^2 + 3 g / 2 - 1/6 for which the method is L-stable. C is
# the third node. The other coefficients follow from order three, from stages of order two, and from
# b being the last row of a.
G, C = 0.43586652150845899941601945, 3 / 5
A_32 = C * (C - 2 * G) / (4 * G)
B_2 = (-2 + 3 * C + 6 * G * (1 - C)) / (12 * G * (C - 2 * G))
B_3 = (1 - 6 * G + 6 * G * G) / (3 * C * (C - 2 * G))
B = (1 - B_2 - B_3 - G, B_2, B_3, G)

ESDIRK3 = RungeKutta(
    name="esdirk3",
    c=(0.0, 2 * G, C, 1.0),
    a=((0.0,), (G, G), (C - A_32 - G, A_32, G), B),
    b=B,
    b_embedded=(
        2756255671327 / 12835298489170,
        -10771552573575 / 22201958757719,
        9247589265047 / 10645013368117,
        2193209047091 / 5459859503100,
    ),
    order=3,
    error_order=3,
    reference="ESDIRK3(2)4L[2]SA of Kennedy & Carpenter (2003), Appl. Numer. Math. 44, 139-181, "
    "doi:10.1016/S0168-9274(02)00138-1",
)
