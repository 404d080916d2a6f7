"""Random seeds: one base seed in the configuration, one derived seed for each job."""

import hashlib


def derive_seed(base_seed: int, stage: str, **wildcards: str | int) -> int:
    """Return the seed of one job, in [1, 2**31 - 1].

    The seed depends on the base seed, the name of the stage and the *full* set of wildcards, in any order, so that
    no two jobs of a study share a stream and adding a job changes no other.
    """
    text = "|".join([str(base_seed), stage, *(f"{key}={wildcards[key]}" for key in sorted(wildcards))])
    digest = hashlib.sha256(text.encode()).digest()
    return int.from_bytes(digest[:8], "big") % (2**31 - 1) + 1
