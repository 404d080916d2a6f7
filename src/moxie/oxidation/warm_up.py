"""Compile the Monte Carlo kernels once, before several jobs share the compiler's cache (NUMBA_CACHE_DIR)."""


def compile_kernels() -> None:
    """Grow a film of a few O so that every kernel is compiled and cached; takes half a minute once, then seconds."""
    from moxie.oxidation.films import Anneal, FilmSettings, Growth, grow_oxide
    from moxie.oxidation.parameter_sets import load_parameters
    from moxie.structures.silicon import silicon_slab

    settings = FilmSettings(
        n_oxygen=12,
        growth=Growth(stages=1, moves_per_oxygen=5, hot_moves_per_oxygen=5, relax_steps=5),
        anneal=Anneal(steps=1, moves_per_oxygen=1, final_moves_per_oxygen=1),
    )
    grow_oxide(silicon_slab((2, 2, 2), 2), load_parameters("von_alfthan_2003"), settings, 1273.0, 1)


if __name__ == "__main__":
    compile_kernels()
