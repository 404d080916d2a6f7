"""The compiled wing: the state of a network, its energy, moves, relaxation and the sampler that joins them."""
