"""The random stream of the Monte Carlo: xoshiro256++ whose whole state is an array of four 64-bit words.

The state travels with the network, so that a chain continued from a checkpoint draws the same numbers.
Source of the generator: Blackman and Vigna, ACM Trans. Math. Softw. 47, 36 (2021); seeded with splitmix64.
"""

import numpy as np

from moxie.oxidation.kernels.compilation import entry

_MASK = (1 << 64) - 1


def seed_stream(seed: int) -> np.ndarray:
    """Return the (4,) uint64 state that belongs to an integer seed (splitmix64)."""
    words = []
    state = seed & _MASK
    for _ in range(4):
        state = (state + 0x9E3779B97F4A7C15) & _MASK
        mixed = state
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        words.append(mixed ^ (mixed >> 31))
    return np.array(words, dtype=np.uint64)


@entry
def uniform(stream):
    """Draw a number uniform in [0, 1) with 53 random bits and advance the stream."""
    s0 = stream[0]
    s1 = stream[1]
    s2 = stream[2]
    s3 = stream[3]
    total = s0 + s3
    result = ((total << np.uint64(23)) | (total >> np.uint64(41))) + s0
    shifted = s1 << np.uint64(17)
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= shifted
    s3 = (s3 << np.uint64(45)) | (s3 >> np.uint64(19))
    stream[0] = s0
    stream[1] = s1
    stream[2] = s2
    stream[3] = s3
    return float(result >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@entry
def below(stream, n):
    """Draw an integer uniform in 0..n-1."""
    return int(uniform(stream) * n)
