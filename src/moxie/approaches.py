"""From which side a film comes to its process temperature.

Where films that were made differently agree after they were sampled, the value is the model's equilibrium; where they
do not, the truth of the model lies between them, as long as they began on different sides of it. An approach grows and
cools a film with the suboxide penalties times its factor; the sampling that follows has the true ones.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Approach:
    """suboxide_factor: of all suboxide penalties while the film grows and cools; side: what it comes from, in words."""

    suboxide_factor: float
    side: str


APPROACHES = {
    "disordered": Approach(1.0, "from the hot, disordered side: grown with the true penalties"),
    "ordered": Approach(3.0, "from the ordered side: grown with threefold penalties, which make an abrupt interface"),
}
SIDES = ("disordered", "ordered")  # those that are held against each other
